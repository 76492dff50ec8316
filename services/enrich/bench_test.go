// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/enrich/internal/rule"
)

// split cuts a prefix in halves, these in halves with probability p, and so on down to prefixes
// of bits, and calls each with what is left.
func split(rnd *rand.Rand, prefix netip.Prefix, least, bits int, p float64, each func(netip.Prefix)) {
	if prefix.Bits() == bits || (prefix.Bits() >= least && rnd.Float64() >= p) {
		each(prefix)
		return
	}
	low := prefix.Addr().As16()
	high, bit := low, prefix.Bits()
	if prefix.Addr().Is4() {
		bit += 96
	}
	high[bit/8] |= 0x80 >> (bit % 8)
	for _, half := range [][16]byte{low, high} {
		split(rnd, netip.PrefixFrom(netip.AddrFrom16(half).Unmap(), prefix.Bits()+1), least, bits, p, each)
	}
}

// writeLargeDatabases has an AS and a country for each address, as those of the internet: 200000
// prefixes of IPv4 and 50000 of IPv6, and a few AS and countries that have most of them.
func writeLargeDatabases(t testing.TB, asns, countries string) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(5, 6))
	owner, home := rand.NewZipf(rnd, 1.1, 5, 60_000), rand.NewZipf(rnd, 1.2, 3, 249)
	homes := map[uint64]string{}
	as, at := map[string]mmdbtype.Map{}, map[string]mmdbtype.Map{}
	add := func(p netip.Prefix) {
		n := owner.Uint64()
		if homes[n] == "" {
			homes[n] = country(1 + home.Uint64()).String()
		}
		as[p.String()], at[p.String()] = asn(uint32(1+n)), countryOf(homes[n])
	}
	split(rnd, netip.MustParsePrefix("0.0.0.0/0"), 12, 24, 0.65, add)
	split(rnd, netip.MustParsePrefix("2a00::/16"), 26, 40, 0.65, add)
	writeDatabase(t, asns, "GeoLite2-ASN", as)
	writeDatabase(t, countries, "GeoLite2-Country", at)
}

// fullKnowledge has everything that the aim for speed names: AS and country of all addresses,
// 100000 networks of which half are inside, 50 exporters with 40 interfaces each, 20 rules.
func fullKnowledge(b *testing.B) Config {
	b.Helper()
	cfg := DefaultConfig()
	dir := b.TempDir()
	cfg.ASNDatabases, cfg.CountryDatabases = []string{filepath.Join(dir, "asn")}, []string{filepath.Join(dir, "country")}
	writeLargeDatabases(b, cfg.ASNDatabases[0], cfg.CountryDatabases[0])
	rnd := rand.New(rand.NewPCG(7, 8))
	for i := range 100_000 {
		prefix := netip.PrefixFrom(ipv4(rnd.Uint32()), 16+rnd.IntN(9)).Masked()
		if i%2 == 0 {
			prefix = netip.PrefixFrom(ipv4(10<<24|uint32(i/2)<<8), 24)
		}
		cfg.Networks = append(cfg.Networks, networkConfig{
			CIDR: prefixList{prefix}, Name: fmt.Sprint("network-", i),
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

func ipv4(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

func exporterAddr(i int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}) }

// mix makes addresses of which few are frequent (Zipf, exponent 1.1). One in five is inside, where 64
// are in a network. The others are four in a /24 each, and every fifth of these is IPv6.
type mix struct {
	inside, outside   *rand.Zipf
	nInside, nOutside uint64
}

func newMix(rnd *rand.Rand, addresses int) mix {
	m := mix{nInside: uint64(addresses) / 5, nOutside: uint64(addresses) * 4 / 5}
	m.inside, m.outside = rand.NewZipf(rnd, 1.1, 10, m.nInside-1), rand.NewZipf(rnd, 1.1, 10, m.nOutside-1)
	return m
}

// How frequent an address is says nothing about its neighbours: ranks are spread by a prime.
const prime = 2654435761

func (m mix) addrInside() [16]byte {
	n := uint32(m.inside.Uint64() * prime % m.nInside)
	return ipv4(10<<24 | n/64*7<<8 | 1 + n%64).As16()
}

func (m mix) addrOutside() [16]byte {
	n := uint32(m.outside.Uint64() * prime % m.nOutside)
	v := n/4*prime&^0xff | n%4
	if n/4%5 == 0 {
		return [16]byte{0x2a, 0x00, byte(v >> 24), byte(v >> 16), byte(v >> 8), 15: byte(v)}
	}
	return ipv4(v).As16()
}

// realLooking has flows of one partition between the inside and the outside: three exporters whose
// flows come in datagrams of 24, each with 40 customers' interfaces and 4 to other networks.
func realLooking(seed uint64, rows, addresses int) *flow.Batch {
	rnd := rand.New(rand.NewPCG(3, seed))
	from := newMix(rnd, addresses)
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
		src, dst, in, out := flow.SrcAddr, flow.DstAddr, flow.InIf, flow.OutIf
		if rnd.IntN(2) == 0 {
			src, dst, in, out = dst, src, out, in
		}
		r.SetAddress(src, from.addrInside())
		r.SetAddress(dst, from.addrOutside())
		r.SetAddress(flow.SamplerAddress, exporterAddr(i/24%3).As16())
		r.SetNumber(in, 1+rnd.Uint64N(40))
		r.SetNumber(out, 1+rnd.Uint64N(4))
		b.Append(&r)
	}
	return &b
}

// BenchmarkEverything measures messages as they come and go, but for their packing: the CPU time of all,
// and the time of the fastest four in a row, which others who use the machine have disturbed least.
func BenchmarkEverything(b *testing.B) {
	const rows = 1000
	cfg := fullKnowledge(b)
	for _, addresses := range []int{20_000, 200_000} {
		b.Run(fmt.Sprint(addresses, " addresses"), func(b *testing.B) {
			l := newLibrary(cfg, slog.New(slog.DiscardHandler), newMetrics(prometheus.NewRegistry()))
			l.refresh()
			e := newEnricher(l, nil)
			var messages [][]byte
			for i := range 500 {
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
			runtime.GC() // what was made until now is not counted
			const inARow = 4
			i, before, began, best := 0, cpuTime(b), time.Now(), time.Hour
			for b.Loop() {
				enrich(messages[i%len(messages)])
				if i++; i%inARow == 0 {
					now := time.Now()
					best, began = min(best, now.Sub(began)), now
				}
			}
			used, flows := cpuTime(b)-before, float64(b.N*rows)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(used)/flows, "cpu-ns/flow")
			b.ReportMetric(float64(best)/(inARow*rows), "best-ns/flow")
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

func BenchmarkLoad(b *testing.B) {
	path := filepath.Join(b.TempDir(), "db")
	writeLargeDatabases(b, path, path+".countries")
	for b.Loop() {
		if _, err := load(path); err != nil {
			b.Fatal(err)
		}
	}
}
