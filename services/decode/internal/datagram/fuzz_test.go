// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"testing"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/packet"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// fuzzDatagrams decodes two datagrams of one exporter, so that the first can be the template of
// the second. The invariants: no panic, it ends, no more rows than octets and than the limit, and
// later traffic is not disturbed. starts says which seeds the target takes.
func fuzzDatagrams(f *testing.F, starts func(p []byte) bool) {
	f.Helper()
	good := goodDatagrams()
	if counters := sflowDatagram(1, countersSample(1, generic(3))); starts(counters) {
		f.Add(counters, sflowDatagram(1, countersSample(2, flowRecord(2000, u32(3), []byte("web\x00"), [24]byte{}, u32(0)), flowRecord(5, [28]byte{9}))))
	}
	for i, p := range good {
		if starts(p) {
			f.Add(good[max(i-1, 0)], p)
		}
	}
	if biflow := ipfixMessage(1, 7, biflowTemplate, set(300, biflowRecord)); starts(biflow) {
		f.Add(namesTold(), biflow)
		f.Add(ipfixMessage(1, 7, templateSet(false, 300, 291, 65535, 292, 65535)), ipfixMessage(1, 7, set(300, u8(10), deepList(1)[:10], u8(4), u8(3), u16(300), u8(0))))
	}
	const seed = 4096 // larger ones slow the search down
	for _, p := range nastyDatagrams() {
		if starts(p) && len(p) <= seed {
			f.Add(p, p)
		}
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		if len(first) > 65000 || len(second) > 65000 || !starts(second) {
			return
		}
		d := New(testLimits)
		var counters flow.Counters
		d.Collect(&counters)
		for _, p := range [][]byte{first, second} {
			checkBounds(t, feed(d, p), &counters, len(p))
			counters.Reset()
		}
		checkMemory(t, d, len(first)+len(second))
		other := sflowDatagram(1, flowSample(1, header(11, ipv4(6, 0, tcp))))
		if b := feed(d, other); b.Rows() != 1 {
			t.Fatalf("afterwards %d rows, want 1", b.Rows())
		}
	})
}

// checkBounds looks whether what became of a datagram is not more than a multiple of its octets.
func checkBounds(t *testing.T, b *flow.Batch, counters *flow.Counters, octets int) {
	t.Helper()
	const accounts = 2 // a datagram is counted, whatever it has
	if b.Rows() > testLimits.Rows.Records || b.Rows() > octets || counters.Rows() > octets+accounts {
		t.Fatalf("%d rows and %d of counters of %d octets", b.Rows(), counters.Rows(), octets)
	}
	if n := len(b.AppendVT(nil)); n > 2048*(b.Rows()+1) {
		t.Fatalf("%d octets of %d rows", n, b.Rows())
	}
	if n := len(counters.AppendVT(nil)); n > 64*(octets+64) {
		t.Fatalf("%d octets of counters of %d octets", n, octets)
	}
}

// checkMemory looks whether the state that datagrams left is bounded, comes back as it was kept, and
// gives all its memory back.
func checkMemory(t *testing.T, d *Decoder, octets int) {
	t.Helper()
	if d.budget.Left < 0 {
		t.Fatalf("%d octets beyond the budget", -d.budget.Left)
	}
	for a, x := range d.exporters {
		state := x.state.Append(nil)
		if len(state) > 16*(octets+64) {
			t.Fatalf("exporter %s: state of %d octets", a, len(state))
		}
		if _, err := template.Load(state, testLimits.Templates, &template.Budget{Left: testLimits.State}); err != nil {
			t.Fatal(err)
		}
		x.state.Forget()
	}
	if d.budget.Left != testLimits.State {
		t.Fatalf("%d of %d octets were given back", d.budget.Left, testLimits.State)
	}
	clear(d.exporters)
	clear(d.changed)
}

func FuzzNetFlow(f *testing.F) {
	fuzzDatagrams(f, func(p []byte) bool { return len(p) > 1 && p[0] == 0 && p[1] >= 1 && p[1] <= 8 })
}

func FuzzNetFlow9(f *testing.F) {
	fuzzDatagrams(f, func(p []byte) bool { return len(p) > 1 && p[0] == 0 && p[1] == 9 })
}

func FuzzIPFIX(f *testing.F) {
	fuzzDatagrams(f, func(p []byte) bool { return len(p) > 1 && p[0] == 0 && p[1] == 10 })
}

func FuzzSFlow(f *testing.F) {
	fuzzDatagrams(f, func(p []byte) bool { return len(p) > 3 && p[0]|p[1]|p[2] == 0 && p[3] == 5 })
}

func FuzzPacket(f *testing.F) {
	for kind, p := range [][]byte{ethernet(0x800, ipv4(6, 0, tcp)), nested(20), wire(u32(0), u32(0x100), ipv6(44, u8(43), u8(0), make([]byte, 40)))} {
		f.Add(byte(kind), p)
	}
	f.Add(byte(1), ipv6(60, bytesOf(60, 0, 200)))
	for _, port := range []u16{1701, 2152, 3544, 4754, 4789, 6081, 6635} {
		f.Add(byte(1), ipv4(17, 0, udpTo(port, u32(0x34ff0002), u64(0x0100000001), ipv4(6, 0, tcp))))
	}
	f.Add(byte(1), ipv4(47, 0, u16(0xf000), u16(0x88be), make([]byte, 20), ethernet(0x8864, u16(0x1100), u32(1), u8(0x21), ipv4(6, 0, tcp))))
	f.Fuzz(func(t *testing.T, kind byte, p []byte) {
		var r flow.Record
		const layers = 16
		read := 0
		limits := packet.Limits{Layers: layers, Watch: func(h packet.Header) {
			if at := cap(p) - cap(h.Octets); at < read || at+len(h.Octets) > len(p) {
				t.Fatalf("a header of octets %d to %d, behind %d others of %d", at, at+len(h.Octets), read, len(p))
			}
			read += len(h.Octets)
		}}
		switch kind % 3 {
		case 0:
			packet.Ethernet(p, &r, limits)
		case 1:
			packet.IP(p, &r, limits)
		default:
			packet.MPLS(p, &r, limits)
		}
		if n := r.Len(flow.LayerStack); n > layers || n != r.Len(flow.LayerSize) {
			t.Fatalf("%d layers", n)
		}
	})
}

func FuzzState(f *testing.F) {
	d := New(testLimits)
	feed(d, goodDatagrams()...)
	for _, x := range d.exporters {
		f.Add(x.state.Append(nil))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		x, err := template.Load(p, testLimits.Templates, &template.Budget{Left: testLimits.State})
		if err != nil {
			return
		}
		state := x.Append(nil)
		if len(state) > 16*len(p)+16 {
			t.Fatalf("%d octets became %d", len(p), len(state))
		}
		if _, err := template.Load(state, testLimits.Templates, &template.Budget{Left: testLimits.State}); err != nil {
			t.Fatal(err)
		}
	})
}
