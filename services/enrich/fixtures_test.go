// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/flow"
)

// writeDatabase writes records by prefix to path, by way of a rename.
func writeDatabase(t testing.TB, path, kind string, records map[string]mmdbtype.Map) {
	t.Helper()
	w, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, RecordSize: 28, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for prefix, record := range records {
		insert(t, w, prefix, record)
	}
	writeTree(t, path, w)
}

func insert(t testing.TB, w *mmdbwriter.Tree, prefix string, record mmdbtype.Map) {
	t.Helper()
	_, network, err := net.ParseCIDR(prefix)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Insert(network, record); err != nil {
		t.Fatal(err)
	}
}

func writeTree(t testing.TB, path string, w *mmdbwriter.Tree) {
	t.Helper()
	f, err := os.Create(path + ".new")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := w.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		t.Fatal(err)
	}
}

func asn(n uint32) mmdbtype.Map {
	return mmdbtype.Map{
		"autonomous_system_number":       mmdbtype.Uint32(n),
		"autonomous_system_organization": mmdbtype.String(fmt.Sprint("Organisation ", n)),
	}
}

func countryOf(code string) mmdbtype.Map {
	return mmdbtype.Map{
		"continent":          mmdbtype.Map{"code": mmdbtype.String("EU"), "geoname_id": mmdbtype.Uint32(6255148)},
		"country":            mmdbtype.Map{"geoname_id": mmdbtype.Uint32(1), "iso_code": mmdbtype.String(code), "names": mmdbtype.Map{"en": mmdbtype.String("Country " + code)}},
		"registered_country": mmdbtype.Map{"iso_code": mmdbtype.String("ZZ")},
	}
}

// newTestLibrary reads databases, which may be lists of paths or nil.
func newTestLibrary(t testing.TB, asns, countries []string) *library {
	t.Helper()
	cfg := DefaultConfig()
	cfg.ASNDatabases, cfg.CountryDatabases = asns, countries
	return newConfiguredLibrary(t, cfg)
}

// newConfiguredLibrary reads what is configured.
func newConfiguredLibrary(t testing.TB, cfg Config) *library {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	l := newLibrary(cfg, slog.New(slog.NewTextHandler(t.Output(), nil)), newMetrics(prometheus.NewRegistry()))
	l.refresh()
	return l
}

// testFlow is the part of a flow that enrich reads.
type testFlow struct {
	src, dst     string
	srcAS, dstAS uint64
	quality      uint64
}

func batchOf(flows ...testFlow) *flow.Batch {
	var b flow.Batch
	for _, f := range flows {
		var r flow.Record
		r.SetNumber(flow.SrcAS, f.srcAS)
		r.SetNumber(flow.DstAS, f.dstAS)
		r.SetNumber(flow.Quality, f.quality)
		if f.src != "" {
			r.SetAddress(flow.SrcAddr, netip.MustParseAddr(f.src).As16())
		}
		if f.dst != "" {
			r.SetAddress(flow.DstAddr, netip.MustParseAddr(f.dst).As16())
		}
		b.Append(&r)
	}
	return &b
}

// enriched is what enrich writes.
type enriched struct {
	SrcAS, DstAS           uint64
	SrcCountry, DstCountry string
	Quality                uint64
}

func rowsOf(b *flow.Batch) []enriched {
	var rows []enriched
	for i := range b.Rows() {
		rows = append(rows, enriched{
			b.Number(flow.SrcOriginAS, i), b.Number(flow.DstOriginAS, i),
			b.Text(flow.SrcCountry, i), b.Text(flow.DstCountry, i),
			b.Number(flow.Quality, i),
		})
	}
	return rows
}

// overTheWire reads b into to, whose memory is used again as the bus does.
func overTheWire(t *testing.T, to, b *flow.Batch) {
	t.Helper()
	if err := to.UnmarshalVTUnsafe(b.AppendVT(nil)); err != nil {
		t.Fatal(err)
	}
}

// randomBatch has n flows of 20 fields between the given number of addresses.
func randomBatch(seed uint64, n, addresses int) *flow.Batch {
	rnd := rand.New(rand.NewPCG(3, seed))
	addr := func() [16]byte {
		v := rnd.Uint32N(uint32(addresses)) * 2654435761
		return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}).As16()
	}
	var b flow.Batch
	var r flow.Record
	for range n {
		r.Reset()
		for _, f := range []flow.Field{
			flow.TimeReceivedNs, flow.TimeFlowStartNs, flow.TimeFlowEndNs, flow.SequenceNum, flow.Bytes, flow.Packets, flow.EType,
			flow.Proto, flow.SrcPort, flow.DstPort, flow.InIf, flow.OutIf, flow.TCPFlags, flow.IPTOS, flow.SamplingRate,
		} {
			r.SetNumber(f, rnd.Uint64()>>(64-8*f.Info().Width))
		}
		r.SetAddress(flow.SrcAddr, addr())
		r.SetAddress(flow.DstAddr, addr())
		r.SetAddress(flow.SamplerAddress, addr())
		r.SetNumber(flow.SrcAS, 64512)
		r.SetNumber(flow.DstAS, 64512)
		b.Append(&r)
	}
	return &b
}
