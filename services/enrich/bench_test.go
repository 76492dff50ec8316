// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/enrich/internal/rule"
)

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
			e := newEnricher(newTestLibrary(b, bb.databases, bb.databases), nil)
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

// fullKnowledge has everything that the aim for speed names: AS and country of 200000
// prefixes, 100000 networks, 50 exporters with 40 interfaces each, 20 rules.
func fullKnowledge(b *testing.B) Config {
	b.Helper()
	cfg := DefaultConfig()
	path := filepath.Join(b.TempDir(), "db")
	writeLargeDatabase(b, path, 200_000)
	cfg.ASNDatabases, cfg.CountryDatabases = []string{path}, []string{path}
	rnd := rand.New(rand.NewPCG(7, 8))
	for i := range 100_000 {
		v := rnd.Uint32()
		addr := netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8)})
		cfg.Networks = append(cfg.Networks, networkConfig{
			CIDR: prefixList{netip.PrefixFrom(addr, 16+rnd.IntN(9)).Masked()}, Name: fmt.Sprint("network-", i),
			Role: fmt.Sprint("role-", i%7), Site: fmt.Sprint("site-", i%200), Tenant: fmt.Sprint("tenant-", i%1000),
			Context: map[string]string{"application": fmt.Sprint("app-", i%300), "tier": fmt.Sprint("tier-", i%3)},
		})
	}
	for i := range 50 {
		x := exporterConfig{CIDR: prefixList{netip.PrefixFrom(exporterAddr(i), 32)}, Name: fmt.Sprintf("edge-zrh-%d", i), Site: "zrh"}
		for n := range 40 {
			x.Interfaces = append(x.Interfaces, interfaceConfig{
				Index: uint32(n + 1), Name: fmt.Sprint("xe-0/0/", n), Description: fmt.Sprintf("Transit: provider%d 10G", n%5), Speed: 10e9,
			})
		}
		cfg.Exporters = append(cfg.Exporters, x)
	}
	for i := range 10 {
		cfg.Rules = append(cfg.Rules,
			rule.Rule{On: rule.OnExporter, If: fmt.Sprintf(`match(exporter.name, "^(\\w+)-(\\w+)-%d$")`, i), Set: map[string]string{"role": "$1", "region": "$2"}},
			rule.Rule{On: rule.OnInterface, If: fmt.Sprintf(`match(interface.description, "^Transit: (provider%d) ")`, i), Set: map[string]string{"connectivity": "transit", "provider": "$1", "boundary": "external"}},
		)
	}
	return cfg
}

func exporterAddr(i int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}) }

// realLooking has flows of one partition: three exporters whose flows come in datagrams of 24,
// and addresses of which few are frequent (Zipf, exponent 1.1).
func realLooking(seed uint64, rows, addresses int) *flow.Batch {
	rnd := rand.New(rand.NewPCG(3, seed))
	zipf := rand.NewZipf(rnd, 1.1, 10, uint64(addresses-1))
	addr := func() [16]byte {
		v := uint32(zipf.Uint64()) * 2654435761
		return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}).As16()
	}
	var b flow.Batch
	var r flow.Record
	for i := range rows {
		r.Reset()
		for _, f := range []flow.Field{
			flow.TimeReceivedNs, flow.TimeFlowStartNs, flow.TimeFlowEndNs, flow.SequenceNum, flow.Bytes, flow.Packets, flow.EType,
			flow.Proto, flow.SrcPort, flow.DstPort, flow.TCPFlags, flow.IPTOS, flow.SamplingRate,
		} {
			r.SetNumber(f, rnd.Uint64()>>(64-8*f.Info().Width))
		}
		r.SetAddress(flow.SrcAddr, addr())
		r.SetAddress(flow.DstAddr, addr())
		r.SetAddress(flow.SamplerAddress, exporterAddr(i/24%3).As16())
		r.SetNumber(flow.InIf, 1+rnd.Uint64N(40))
		r.SetNumber(flow.OutIf, 1+rnd.Uint64N(4))
		b.Append(&r)
	}
	return &b
}

func BenchmarkEverything(b *testing.B) {
	const rows = 1000
	cfg := fullKnowledge(b)
	for _, addresses := range []int{20_000, 200_000} {
		b.Run(fmt.Sprint(addresses, " addresses"), func(b *testing.B) {
			e := newEnricher(newConfiguredLibrary(b, cfg), nil)
			var messages [][]byte
			for i := range 200 {
				messages = append(messages, realLooking(uint64(i), rows, addresses).AppendVT(nil))
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
			i, before := 0, cpuTime(b)
			for b.Loop() {
				enrich(messages[i%len(messages)])
				i++
			}
			used := cpuTime(b) - before
			flows := float64(b.N * rows)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/flows, "ns/flow")
			b.ReportMetric(float64(used)/flows, "cpu-ns/flow") // others may use the machine, too
			b.ReportMetric(100*float64(e.counts.hits)/(2*flows), "%addresses-hit")
			b.ReportMetric(100*float64(e.counts.observerHits)/flows, "%interfaces-hit")
		})
	}
}

// cpuTime is what the process has used, garbage collection included.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
