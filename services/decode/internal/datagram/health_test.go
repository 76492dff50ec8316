// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
)

// sumOf adds rows up.
func sumOf(rows []flow.Health) (s flow.Health) {
	for _, r := range rows {
		s.Datagrams += r.Datagrams
		s.Records += r.Records
		s.Flows += r.Flows
		s.Gaps += r.Gaps
		s.Missing += r.Missing
		s.MissingSamples += r.MissingSamples
		s.Late += r.Late
		s.Duplicates += r.Duplicates
		s.Resets += r.Resets
	}
	return s
}

// numbered makes datagrams whose sequence counts units, so many a datagram.
type numbered struct {
	name  string
	units u32
	make  func(number u32) []byte
}

func numberedProtocols() []numbered {
	record := v5Record([4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, 6, 443)
	return []numbered{
		{name: "NetFlow v5", units: 2, make: func(n u32) []byte {
			return wire(u16(5), u16(2), u32(uptime), u32(exportTime), u32(0), n, u8(0), u8(3), u16(0), record, record)
		}},
		{name: "NetFlow v9", units: 1, make: func(n u32) []byte {
			return v9(n, 7, templateSet(true, 256, 1, 4), set(256, u32(1), u32(2)))
		}},
		{name: "IPFIX", units: 3, make: func(n u32) []byte {
			return ipfixMessage(n, 7, templateSet(false, 256, 1, 4), set(256, u32(1), u32(2), u32(3)))
		}},
		{name: "sFlow", units: 1, make: func(n u32) []byte {
			return wire(u32(5), u32(1), [4]byte{192, 0, 2, 1}, u32(0), n, u32(uptime), u32(0))
		}},
	}
}

// deliver feeds a decoder with datagrams by their place in the sequence that starts at a number.
func (p *numbered) deliver(start u32, places []u32) flow.Health {
	d := New(testLimits)
	for _, place := range places {
		feed(d, p.make(start+place*p.units))
	}
	return sumOf(d.Take().Health)
}

func upTo(n u32) (places []u32) {
	for i := range n {
		places = append(places, i)
	}
	return places
}

func TestSequencesTellWhatIsMissing(t *testing.T) {
	t.Parallel()
	const wrap = 1<<32 - 8
	for _, tt := range []struct {
		name   string
		start  u32
		places []u32
		want   flow.Health // missing in datagrams
	}{
		{"nothing", 0, upTo(20), flow.Health{}},
		{"nothing where numbers wrap", wrap, upTo(20), flow.Health{}},
		{"gaps", 100, []u32{0, 1, 2, 5, 6, 8}, flow.Health{Gaps: 2, Missing: 3}},
		{"a gap where numbers wrap", wrap, []u32{0, 1, 18, 19}, flow.Health{Gaps: 1, Missing: 16}},
		{"two that changed places", 100, []u32{0, 1, 3, 2, 4}, flow.Health{Gaps: 1, Late: 1}},
		{"late ones give their loss back", 100, []u32{0, 1, 8, 4, 3, 9}, flow.Health{Gaps: 1, Missing: 4, Late: 2}},
		{"a late one that comes twice", 100, []u32{0, 3, 2, 2, 4}, flow.Health{Gaps: 1, Missing: 1, Late: 1, Duplicates: 1}},
		{"duplicates", 100, []u32{0, 1, 1, 2, 2, 3}, flow.Health{Duplicates: 2}},
		{"an exporter that began anew", 0, append(upTo(1100), upTo(100)...), flow.Health{Resets: 1}},
		// Two could have been duplicates.
		{"an exporter that soon began anew", 0, append(upTo(10), upTo(10)...), flow.Health{Resets: 1, Duplicates: 2}},
		{"an outage", 100, []u32{0, 1, 1_000_002, 1_000_003}, flow.Health{Gaps: 1, Missing: 1_000_000}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, p := range numberedProtocols() {
				if p.units == 1 && tt.name == "a gap where numbers wrap" {
					continue
				}
				got := p.deliver(tt.start, tt.places)
				got.Datagrams, got.Records, got.Flows = 0, 0, 0
				want := tt.want
				want.Missing *= int64(p.units)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: -want +got:\n%s", p.name, diff)
				}
			}
		})
	}
}

// Losses, duplicates and changes of place, at random: what is never delivered is missing, and nothing else.
func TestSequencesTellWhatANetworkDoes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 1))
		places := []u32{0}
		var want flow.Health
		for i := u32(1); i < 1000; i++ {
			switch r.IntN(20) {
			case 0: // lost: it is not among the places
			case 1: // twice
				places = append(places, i, i)
				want.Duplicates++
			case 2: // behind the next two
				places = append(places, i+1, i+2, i)
				want.Late++
				i += 2
			default:
				places = append(places, i)
			}
		}
		const last = 1003 // behind all that could be lost
		places = append(places, last)
		want.Missing = last + 1 - int64(len(unique(places)))
		for _, p := range numberedProtocols() {
			got := p.deliver(5, places)
			if got.Missing != want.Missing*int64(p.units) || got.Duplicates != want.Duplicates || got.Late != want.Late || got.Resets != 0 {
				t.Errorf("seed %d, %s: %d missing, %d duplicates, %d late, %d resets; want %d, %d, %d, 0",
					seed, p.name, got.Missing, got.Duplicates, got.Late, got.Resets, want.Missing*int64(p.units), want.Duplicates, want.Late)
			}
			if got.Datagrams != uint64(len(places)) {
				t.Errorf("seed %d, %s: %d datagrams, want %d", seed, p.name, got.Datagrams, len(places))
			}
		}
	}
}

func unique(places []u32) map[u32]bool {
	all := map[u32]bool{}
	for _, p := range places {
		all[p] = true
	}
	return all
}

func TestSamplesOfSFlowAreCountedBySource(t *testing.T) {
	t.Parallel()
	sample := func(number, source u32) []byte {
		return flowRecord(1, number, source, u32(512), u32(1000), u32(0), u32(3), u32(4), u32(0))
	}
	datagram := func(number u32, samples ...[]byte) []byte {
		p := wire(u32(5), u32(1), [4]byte{192, 0, 2, 1}, u32(0), number, u32(uptime), u32(len(samples)))
		for _, s := range samples {
			p = append(p, s...)
		}
		return p
	}
	d := New(testLimits)
	one, late := datagram(1, sample(10, 3), sample(20, 4)), datagram(2, sample(11, 3))
	feed(d, one, one, // a duplicate: its samples are not missing
		datagram(3, sample(13, 3), sample(21, 4)), // of source 3 samples 11 and 12 are missing
		late, // 11 comes late
		datagram(4, sample(14, 3), sample(25, 4))) // of source 4 samples 22 to 24 are missing
	got := sumOf(d.Take().Health)
	want := flow.Health{Datagrams: 5, Records: 9, Flows: 9, Gaps: 1, Late: 1, Duplicates: 1, MissingSamples: 1 + 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestHealthIsToldByExporterDomainAndMinute(t *testing.T) {
	t.Parallel()
	d := New(testLimits)
	var counters flow.Counters
	d.Collect(&counters)
	other := netip.MustParseAddr("192.0.2.2")
	var in flow.Datagrams
	add := func(exporter netip.Addr, receivedNs u64, payload []byte) {
		in.Append(&flow.Datagram{Exporter: exporter, Source: netip.AddrPortFrom(exporter, 1), ReceivedNs: receivedNs, Payload: payload})
	}
	const minute = 60 * second
	payload := ipfixMessage(0, 7, templateSet(false, 256, 1, 4), set(256, u32(1)), set(300, u32(1)))
	add(testExporter, exportTime*second+2*second, payload)
	add(testExporter, exportTime*second+1*second, payload)
	add(other, exportTime*second-3*second, v9(0, 9, set(1)))
	add(testExporter, exportTime*second+minute, payload)
	add(other, exportTime*second, []byte("nonsense"))
	var out flow.Batch
	d.Decode(&in, &out)
	want := []flow.Health{
		{
			TimeS: exportTime, Exporter: testExporter.As16(), Protocol: 4, Domain: 7, Datagrams: 2, Bytes: 2 * u64(len(payload)), Records: 2, Flows: 2,
			Templates: 1, Refused: 2, TemplateUnknown: 2, SamplingUnknown: 2, ClockBehindMs: 2000, LastSeenNs: exportTime*second + 2*second,
		},
		{TimeS: exportTime - 60, Exporter: other.As16(), Protocol: 3, Domain: 9, Datagrams: 1, Bytes: 24, ClockAheadMs: 3000, LastSeenNs: exportTime*second - 3*second},
		{
			TimeS: exportTime + 60, Exporter: testExporter.As16(), Protocol: 4, Domain: 7, Datagrams: 1, Bytes: u64(len(payload)), Records: 1, Flows: 1,
			Refused: 1, TemplateUnknown: 1, SamplingUnknown: 1, ClockBehindMs: 60_000, LastSeenNs: exportTime*second + minute,
		},
		{TimeS: exportTime, Exporter: other.As16(), Datagrams: 1, Bytes: 8, Refused: 1, LastSeenNs: exportTime * second},
	}
	byKey := cmp.Transformer("byKey", func(rows []flow.Health) map[[3]u64]flow.Health {
		m := map[[3]u64]flow.Health{}
		for _, r := range rows {
			m[[3]u64{r.TimeS, u64(r.Protocol), u64(r.Exporter[15])}] = r
		}
		return m
	})
	if diff := cmp.Diff(want, counters.Health, byKey); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(counters.Health) != len(want) {
		t.Errorf("%d rows, want %d", len(counters.Health), len(want))
	}
	d.Decode(&in, &out) // the same keys, until the batch is emptied
	if len(counters.Health) != len(want) {
		t.Errorf("%d rows, want %d", len(counters.Health), len(want))
	}
	counters.Reset()
	d.Decode(&in, &out)
	if len(counters.Health) != len(want) {
		t.Errorf("%d rows after it was emptied, want %d", len(counters.Health), len(want))
	}
}
