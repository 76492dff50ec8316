// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		_, network, err := net.ParseCIDR(prefix)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Insert(network, record); err != nil {
			t.Fatal(err)
		}
	}
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

func TestEnrich(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	asns, more, countries, flat := filepath.Join(dir, "asn"), filepath.Join(dir, "more"), filepath.Join(dir, "country"), filepath.Join(dir, "flat")
	writeDatabase(t, asns, "GeoLite2-ASN", map[string]mmdbtype.Map{"192.0.2.0/24": asn(64496), "2001:db8::/32": asn(65551)})
	writeDatabase(t, more, "GeoLite2-ASN", map[string]mmdbtype.Map{"192.0.0.0/16": asn(64497), "198.51.100.0/24": asn(64498)})
	writeDatabase(t, countries, "GeoLite2-Country", map[string]mmdbtype.Map{"192.0.2.0/24": countryOf("CH"), "2001:db8::/32": countryOf("SE")})
	writeDatabase(t, flat, "ipinfo lite", map[string]mmdbtype.Map{
		"192.0.2.0/24":    {"asn": mmdbtype.String("AS64499"), "country": mmdbtype.String("Norway"), "country_code": mmdbtype.String("NO")},
		"198.51.100.0/24": {"asn": mmdbtype.String(""), "country": mmdbtype.String("FI"), "country_name": mmdbtype.String("Finland")},
	})
	absent := filepath.Join(dir, "absent")
	const asUnknown, countryUnknown = flow.ASUnknown, flow.CountryUnknown

	tests := []struct {
		name            string
		asns, countries []string
		in              testFlow
		want            enriched
	}{
		{
			"without databases the exporter's AS is the origin, a private one too", nil, nil,
			testFlow{"192.0.2.1", "192.0.2.2", 64512, 3303, 0},
			enriched{64512, 3303, "", "", 0},
		},
		{
			"the exporter knows better than the database",
			[]string{asns},
			nil,
			testFlow{"192.0.2.1", "2001:db8::1", 3303, 3301, 0},
			enriched{3303, 3301, "", "", 0},
		},
		{
			"what the exporter does not know comes from the database",
			[]string{asns},
			nil,
			testFlow{"192.0.2.1", "2001:db8::1", 0, 0, 0},
			enriched{64496, 65551, "", "", 0},
		},
		{
			"a private AS gives way to the database's",
			[]string{asns},
			nil,
			testFlow{"192.0.2.1", "2001:db8::1", 64512, 4200000000, 0},
			enriched{64496, 65551, "", "", 0},
		},
		{
			"a private AS stands where the database knows none",
			[]string{asns},
			nil,
			testFlow{"10.0.0.1", "10.0.0.2", 65534, 4294967294, 0},
			enriched{65534, 4294967294, "", "", 0},
		},
		{
			"the numbers beside the private ones are public",
			[]string{asns},
			nil,
			testFlow{"192.0.2.1", "192.0.2.2", 64511, 4199999999, 0},
			enriched{64511, 4199999999, "", "", 0},
		},
		{
			"AS_TRANS names no AS",
			[]string{asns},
			nil,
			testFlow{"192.0.2.1", "10.0.0.1", 23456, 23456, 0},
			enriched{64496, 23456, "", "", 0},
		},
		{
			"quality says that nobody knows the AS, beside what it said before",
			[]string{asns},
			nil,
			testFlow{"192.0.2.1", "10.0.0.1", 0, 0, flow.SamplingUnknown},
			enriched{64496, 0, "", "", flow.SamplingUnknown | asUnknown},
		},
		{
			"the first database that knows an address is taken",
			[]string{more, asns},
			nil,
			testFlow{"192.0.2.1", "2001:db8::1", 0, 0, 0},
			enriched{64497, 65551, "", "", 0},
		},
		{
			"countries", nil,
			[]string{countries},
			testFlow{"192.0.2.1", "2001:db8::1", 7, 0, 0},
			enriched{7, 0, "CH", "SE", 0},
		},
		{
			"quality says that a country is unknown", nil,
			[]string{countries},
			testFlow{"10.0.0.1", "2001:db8::1", 0, 0, 0},
			enriched{0, 0, "", "SE", countryUnknown},
		},
		{
			"a flow without addresses is not called unknown",
			[]string{asns},
			[]string{countries},
			testFlow{"", "", 0, 0, 0},
			enriched{},
		},
		{
			"IPinfo's layout",
			[]string{flat},
			[]string{flat},
			testFlow{"192.0.2.1", "198.51.100.1", 0, 0, 0},
			enriched{64499, 0, "NO", "FI", asUnknown},
		},
		{
			"an absent database knows nothing",
			[]string{absent},
			[]string{absent, countries},
			testFlow{"192.0.2.1", "192.0.2.1", 0, 1, 0},
			enriched{0, 1, "CH", "CH", asUnknown},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := newEnricher(newTestLibrary(t, tt.asns, tt.countries), 64)
			var out flow.Batch
			e.enrich(batchOf(tt.in), &out)
			e.enrich(batchOf(tt.in), &out) // from the cache
			if diff := cmp.Diff([]enriched{tt.want, tt.want}, rowsOf(&out)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestJoinedMessagesKeepTheirRows(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	writeDatabase(t, path, "GeoLite2-Country", map[string]mmdbtype.Map{"192.0.2.0/25": countryOf("CH"), "192.0.2.128/25": countryOf("IT")})
	e := newEnricher(newTestLibrary(t, nil, []string{path}), 64)

	in, out, got := new(flow.Batch), flow.Batch{}, new(flow.Batch)
	var want []enriched
	for n := range 3 {
		overTheWire(t, in, batchOf(
			testFlow{src: fmt.Sprint("192.0.2.", n), dst: "192.0.2.200", srcAS: uint64(n)},
			testFlow{src: "10.0.0.1", dst: fmt.Sprint("192.0.2.", 200+n), dstAS: 7, quality: flow.TimeSkewed},
		))
		e.enrich(in, &out)
		want = append(want, enriched{uint64(n), 0, "CH", "IT", 0}, enriched{0, 7, "", "IT", flow.TimeSkewed | flow.CountryUnknown})
	}
	overTheWire(t, got, &out)
	if diff := cmp.Diff(want, rowsOf(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// overTheWire reads b into to, whose memory is used again as the bus does.
func overTheWire(t *testing.T, to, b *flow.Batch) {
	t.Helper()
	if err := to.UnmarshalVTUnsafe(b.AppendVT(nil)); err != nil {
		t.Fatal(err)
	}
}

func TestCacheNeverConfusesAddresses(t *testing.T) {
	t.Parallel()
	c := newCache(100)
	if got := 2 * len(c.pairs); got != 128 {
		t.Errorf("%d entries, want 128", got)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 100_000 {
		n := rnd.Uint32N(300)
		a := netip.AddrFrom4([4]byte{10, byte(n >> 8), byte(n), 1}).As16()
		p, ok := c.find(&a)
		if !ok {
			p.put(&a, answer{as: n})
			continue
		}
		found++
		if p[0].answer.as != n {
			t.Fatalf("the answer for %d is that of %d", n, p[0].answer.as)
		}
	}
	if found < 20_000 {
		t.Errorf("only %d of 100000 found with 128 entries for 300 addresses", found)
	}
}

func TestNoAllocationPerFlow(t *testing.T) {
	const rows = 4000
	path := filepath.Join(t.TempDir(), "db")
	writeDatabase(t, path, "GeoLite2-ASN", map[string]mmdbtype.Map{"0.0.0.0/0": asn(64496)})
	e := newEnricher(newTestLibrary(t, []string{path}, []string{path}), 1<<16)
	in, out, b := new(flow.Batch), new(flow.Batch), randomBatch(1, rows, 500)
	got := testing.AllocsPerRun(20, func() {
		overTheWire(t, in, b)
		out.Reset()
		e.enrich(in, out)
	})
	if got > rows/20 {
		t.Errorf("%v allocations for a batch of %d flows", got, rows)
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

// writeLargeDatabase has an AS and a country for each of n random /24.
func writeLargeDatabase(t testing.TB, path string, n int) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(5, 6))
	records := map[string]mmdbtype.Map{"0.0.0.0/0": {}}
	for range n {
		v := rnd.Uint32()
		record := countryOf(country(1 + rnd.Uint32N(250)).String())
		maps.Copy(record, asn(1+rnd.Uint32N(60_000)))
		records[fmt.Sprintf("%d.%d.%d.0/24", v>>24, v>>16&255, v>>8&255)] = record
	}
	writeDatabase(t, path, "both", records)
}

func BenchmarkEnrich(b *testing.B) {
	path := filepath.Join(b.TempDir(), "db")
	writeLargeDatabase(b, path, 200_000)
	for _, bb := range []struct {
		name      string
		databases []string
		addresses int
	}{
		{"no databases", nil, 10_000},
		{"10000 addresses", []string{path}, 10_000},
		{"40000 addresses", []string{path}, 40_000},
		{"no address twice", []string{path}, 1 << 31},
	} {
		b.Run(bb.name, func(b *testing.B) {
			const rows = 1000
			e := newEnricher(newTestLibrary(b, bb.databases, bb.databases), DefaultConfig().CacheEntries)
			var messages [][]byte
			for i := range 200 {
				messages = append(messages, randomBatch(uint64(i), rows, bb.addresses).AppendVT(nil))
			}
			in, out := new(flow.Batch), new(flow.Batch)
			enrich := func(message []byte) {
				out.Reset()
				if err := in.UnmarshalVTUnsafe(message); err != nil {
					b.Fatal(err)
				}
				e.enrich(in, out)
			}
			for _, message := range messages {
				enrich(message)
			}
			e.counts = counts{}
			i := 0
			for b.Loop() {
				enrich(messages[i%len(messages)])
				i++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/flow")
			b.ReportMetric(100*float64(e.counts.misses)/float64(2*b.N*rows), "%missed")
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	path := filepath.Join(b.TempDir(), "db")
	writeLargeDatabase(b, path, 200_000)
	for b.Loop() {
		if _, err := load(path); err != nil {
			b.Fatal(err)
		}
	}
}
