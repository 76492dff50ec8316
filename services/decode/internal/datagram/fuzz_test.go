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
		for _, p := range [][]byte{first, second} {
			var counters flow.Counters
			d.Collect(&counters)
			b := feed(d, p)
			if n := len(counters.AppendVT(nil)); counters.Rows() > len(p) || n > 64*len(p)+4096 {
				t.Fatalf("%d rows and %d octets of counters of %d octets", counters.Rows(), n, len(p))
			}
			if b.Rows() > testLimits.Rows.Records || b.Rows() > len(p) {
				t.Fatalf("%d rows of %d octets", b.Rows(), len(p))
			}
			if n := len(b.AppendVT(nil)); n > 2048*(b.Rows()+1) {
				t.Fatalf("%d octets of %d rows", n, b.Rows())
			}
		}
		for a, x := range d.changed {
			state := x.Append(nil)
			if len(state) > 16*(len(first)+len(second)+64) {
				t.Fatalf("exporter %s: state of %d octets", a, len(state))
			}
			if _, err := template.Load(state, testLimits.Templates, &template.Budget{Left: testLimits.State}); err != nil {
				t.Fatal(err)
			}
		}
		other := sflowDatagram(1, flowSample(1, header(11, ipv4(6, 0, tcp))))
		if b := feed(d, other); b.Rows() != 1 {
			t.Fatalf("afterwards %d rows, want 1", b.Rows())
		}
	})
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
		limits := packet.Limits{Layers: layers}
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
