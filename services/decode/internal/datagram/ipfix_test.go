// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"net/netip"
	"testing"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/row"
)

// A template of two addresses, ports, protocol, counters in 4 octets and uptime stamps, and a
// record of it.
var (
	specifiers = []u16{8, 4, 12, 4, 7, 2, 11, 2, 4, 1, 1, 4, 2, 4, 22, 4, 21, 4}
	dataRecord = wire([4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, u16(1234), u16(443), u8(6), u32(4000), u32(4), u32(uptime-3000), u32(uptime-1000))
	dataWant   = values{
		flow.SrcAddr: "10.0.0.1", flow.DstAddr: "10.0.0.2", flow.SrcPort: 1234, flow.DstPort: 443, flow.Proto: 6,
		flow.Bytes: 4000, flow.Packets: 4, flow.EType: 0x800, flow.SamplerAddress: "192.0.2.1", flow.TimeReceivedNs: receivedNs,
	}
)

func templateSet(v9 bool, id u16, specifiers ...u16) []byte {
	setID := u16(2)
	if v9 {
		setID = 0
	}
	return set(setID, id, u16(len(specifiers)/2), specifiers)
}

func TestNetFlow9(t *testing.T) {
	t.Parallel()
	d := New(testLimits)
	b := feed(d, v9(1, 7, templateSet(true, 256, specifiers...), set(256, dataRecord, dataRecord, u16(0))))
	if b.Rows() != 2 {
		t.Fatalf("%d rows, want 2: two octets are padding", b.Rows())
	}
	checkRow(t, b, 1, dataWant)
	checkRow(t, b, 1, values{
		flow.Type: 3, flow.SequenceNum: 1, flow.ObservationDomainID: 7,
		flow.TimeFlowStartNs: exportTime*second - 3*second, flow.TimeFlowEndNs: exportTime*second - second, flow.Quality: int(flow.SamplingUnknown),
	})
	checkRefused(t, d, nil)
}

func TestUptimeWraps(t *testing.T) {
	t.Parallel()
	stamps := set(256, u32(0xffffff00), u32(uptime+500))
	b := feed(New(testLimits), v9(1, 0, templateSet(true, 256, 22, 4, 21, 4), stamps))
	checkRow(t, b, 0, values{
		flow.TimeFlowStartNs: exportTime*second - (uptime+0x100)*ms, // before the wrap
		flow.TimeFlowEndNs:   exportTime*second + 500*ms,            // a little ahead of the header
	})
}

func TestIPFIXData(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		specifiers []u16
		record     []byte
		want       values
	}{
		{"reduced-size encoding", []u16{1, 3, 2, 1, 10, 2}, wire(u8(1), u16(2), u8(9), u16(77)), values{flow.Bytes: 65538, flow.Packets: 9, flow.InIf: 77}},
		{"a total counts where there is no delta", []u16{85, 8, 86, 8}, wire(u64(700), u64(7)), values{flow.Bytes: 700, flow.Packets: 7}},
		{"the first counter that is not zero, in the order 1, 23, 85, 231", []u16{231, 4, 85, 4, 23, 4, 1, 4}, wire(u32(4), u32(3), u32(2), u32(0)), values{flow.Bytes: 2}},
		{"zero does not replace an address of the other family", []u16{27, 16, 8, 4}, wire([16]byte{0x20, 1, 0xd, 0xb8, 15: 1}, [4]byte{}), values{flow.SrcAddr: "2001:db8::1", flow.EType: 0x86dd}},
		{"the inner header of a tunnel is the flow", []u16{27, 16, 29, 1, 8, 4}, wire([16]byte{0x20, 15: 1}, u8(128), [4]byte{10, 0, 0, 9}), values{flow.SrcAddr: "10.0.0.9", flow.EType: 0x800, flow.SrcNet: 0, flow.TunnelSrcAddr: "2000::1"}},
		{"the outer addresses of a tunnel are kept", []u16{27, 16, 28, 16, 4, 1, 27, 16, 28, 16, 4, 1}, wire([16]byte{0x20, 15: 1}, [16]byte{0x20, 15: 2}, u8(41), [16]byte{0x20, 15: 3}, [16]byte{0x20, 15: 4}, u8(17)), values{flow.SrcAddr: "2000::3", flow.DstAddr: "2000::4", flow.Proto: 17, flow.TunnelSrcAddr: "2000::1", flow.TunnelDstAddr: "2000::2"}},
		{"addresses of two families are no tunnel where one is zero", []u16{8, 4, 27, 16}, wire([4]byte{10, 0, 0, 9}, [16]byte{}), values{flow.SrcAddr: "10.0.0.9", flow.TunnelSrcAddr: "::"}},
		{"a repeated element: the last one", []u16{5, 1, 5, 1}, wire(u8(46), u8(0)), values{flow.IPTOS: 0}},
		{"milliseconds", []u16{152, 8, 153, 8}, wire(u64(exportTime*1000-250), u64(exportTime*1000)), values{flow.TimeFlowStartNs: exportTime*second - 250*ms, flow.TimeFlowEndNs: exportTime * second}},
		{"NTP time in nanoseconds", []u16{156, 8}, wire(u32(exportTime-1+2208988800), u32(1<<31)), values{flow.TimeFlowStartNs: exportTime*second - 500*ms}},
		{"microseconds before the export", []u16{158, 4}, wire(u32(1500)), values{flow.TimeFlowStartNs: exportTime*second - 1500*1000}},
		{"start and duration", []u16{152, 8, 161, 4}, wire(u64(exportTime*1000-250), u32(100)), values{flow.TimeFlowEndNs: exportTime*second - 150*ms}},
		{"ICMP type and code in one", []u16{4, 1, 139, 2}, wire(u8(58), u16(0x8701)), values{flow.ICMPType: 135, flow.ICMPCode: 1}},
		{"VLAN", []u16{243, 2}, wire(u16(12)), values{flow.VLANID: 12, flow.SrcVLAN: 12}},
		{"MAC address", []u16{56, 6}, wire([6]byte{2, 0, 0, 0, 0, 9}), values{flow.SrcMAC: 0x020000000009}},
		{"no time is the export time", []u16{2, 1}, wire(u8(1)), values{flow.TimeFlowEndNs: exportTime * second, flow.Quality: int(flow.TimeFromReceipt | flow.SamplingUnknown)}},
		{"a time in 1970 is replaced", []u16{150, 4}, wire(u32(12)), values{flow.TimeFlowStartNs: receivedNs, flow.Quality: int(flow.TimeSkewed | flow.SamplingUnknown)}},
		{"a time two days ahead is replaced", []u16{150, 4}, wire(u32(exportTime + 2*86400)), values{flow.TimeFlowStartNs: receivedNs}},
		{"variable length", []u16{82, 65535, 10, 4}, wire(u8(3), []byte("ge0"), u32(5)), values{flow.InIf: 5}},
		{"variable length, long form", []u16{82, 65535, 10, 4}, wire(u8(255), u16(3), []byte("ge0"), u32(5)), values{flow.InIf: 5}},
		{"NAT", []u16{225, 4, 282, 16, 227, 2, 228, 2, 230, 1}, wire([4]byte{192, 0, 2, 9}, [16]byte{0x20, 15: 9}, u16(7), u16(8), u8(4)), values{flow.PostNATSrcAddr: "192.0.2.9", flow.PostNATDstAddr: "2000::9", flow.PostNATSrcPort: 7, flow.PostNATDstPort: 8, flow.NATEvent: 4, flow.EType: 0}},
		{"the other direction", []u16{231, 4, 232, 4, 298, 4, 299, 4, 239, 1}, wire(u32(10), u32(20), u32(1), u32(2), u8(1)), values{flow.Bytes: 10, flow.ResponderBytes: 20, flow.Packets: 1, flow.ResponderPackets: 2, flow.BiflowDirection: 1}},
		{"VXLAN network identifier", []u16{351, 8}, wire(u64(1<<56 | 5000)), values{flow.SegmentID: 5000}},
		{"end reason, firewall, application, physical interfaces", []u16{136, 1, 233, 1, 95, 4, 252, 4, 253, 4, 245, 2}, wire(u8(3), u8(5), u32(0x0d000001), u32(11), u32(12), u16(13)), values{flow.FlowEndReason: 3, flow.FirewallEvent: 5, flow.ApplicationID: 0x0d000001, flow.InPhysicalIf: 11, flow.OutPhysicalIf: 12, flow.CustomerVLANID: 13}},
		{"an address of a wrong length is left out", []u16{8, 6, 10, 4}, wire([6]byte{1}, u32(5)), values{flow.SrcAddr: "::", flow.InIf: 5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := New(testLimits)
			b := feed(d, ipfixMessage(5, 3, templateSet(false, 300, tt.specifiers...)), ipfixMessage(5, 3, set(300, tt.record)))
			if b.Rows() != 1 {
				t.Fatalf("%d rows, want 1", b.Rows())
			}
			checkRow(t, b, 0, values{flow.Type: 4, flow.SequenceNum: 5, flow.ObservationDomainID: 3})
			checkRow(t, b, 0, tt.want)
			checkRefused(t, d, nil)
		})
	}
}

func TestMPLSLabels(t *testing.T) {
	t.Parallel()
	record := wire([3]byte{0, 0x64, 0x11}, [3]byte{0, 0x32, 0x10}, [3]byte{}, [4]byte{192, 0, 2, 9})
	b := feed(New(testLimits), ipfixMessage(0, 0, templateSet(false, 300, 71, 3, 70, 3, 72, 3, 47, 4), set(300, record)))
	if got := flow.AppendListNumbers[uint32](nil, b, flow.MPLSLabel); len(got) != 2 || got[0] != 0x321 || got[1] != 0x641 {
		t.Errorf("labels %x, want 321 641: top of the stack first, without the empty section", got)
	}
	if got := flow.AppendListAddresses(nil, b, flow.MPLSIP); len(got) != 1 {
		t.Errorf("%d addresses, want 1", len(got))
	}
}

func TestSampling(t *testing.T) {
	t.Parallel()
	options := func(scopes u16, specifiers ...u16) []byte {
		return set(3, u16(400), u16(len(specifiers)/2), scopes, specifiers)
	}
	for _, tt := range []struct {
		name    string
		options []byte // options template
		data    []byte // options data
		want    int
	}{
		{"1 in N", options(1, 149, 4, 34, 4), set(400, u32(0), u32(100)), 100},
		{"packet interval and space", options(1, 149, 4, 305, 4, 306, 4), set(400, u32(0), u32(1), u32(999)), 1000},
		{"n out of N", options(1, 149, 4, 305, 4, 309, 4, 310, 4), set(400, u32(0), u32(1), u32(1), u32(256)), 256},
		{"reduced sizes", options(1, 149, 4, 305, 2), set(400, u32(0), u16(64)), 64},
		{"the record's own selector", options(1, 302, 4, 305, 4), set(400, wire(u32(9), u32(4000)), wire(u32(8), u32(2000))), 4000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := New(testLimits)
			data := set(300, u32(9), u32(1))
			b := feed(d, ipfixMessage(0, 3, templateSet(false, 300, 302, 4, 2, 4), tt.options, tt.data, data), ipfixMessage(0, 4, templateSet(false, 300, 302, 4, 2, 4), data))
			checkRow(t, b, 0, values{flow.SamplingRate: tt.want})
			checkRow(t, b, 1, values{flow.SamplingRate: 0}) // another domain
			checkRefused(t, d, nil)
		})
	}
	t.Run("the enterprise bit is no part of an element, in options templates too", func(t *testing.T) {
		t.Parallel()
		opt := set(3, u16(400), u16(3), u16(1), u16(149), u16(4), u16(0x8000|34), u16(4), u32(2636), u16(305), u16(4))
		b := feed(New(testLimits), ipfixMessage(0, 3, opt, set(400, u32(0), u32(7), u32(80)), templateSet(false, 300, 2, 1), set(300, u8(1))))
		checkRow(t, b, 0, values{flow.SamplingRate: 80})
	})
	t.Run("configured intervals", func(t *testing.T) {
		t.Parallel()
		record := v5Record([4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, 6, 443)
		network := netip.MustParsePrefix("192.0.2.0/24")
		other := SamplingRule{Exporters: netip.MustParsePrefix("198.51.100.0/24"), Sampling: row.Sampling{Override: 9}}
		d := New(testLimits, other, SamplingRule{Exporters: network, Sampling: row.Sampling{Default: 500}})
		b := feed(d, v5(1, 0, record), v5(1, 100, record))
		checkRow(t, b, 0, values{flow.SamplingRate: 500, flow.Quality: int(flow.SamplingAssumed)})
		checkRow(t, b, 1, values{flow.SamplingRate: 100, flow.Quality: 0})
		d = New(testLimits, SamplingRule{Exporters: network, Sampling: row.Sampling{Override: 7}})
		checkRow(t, feed(d, v5(1, 100, record)), 0, values{flow.SamplingRate: 7, flow.Quality: 0})
	})
	t.Run("NetFlow v9: scope fields are no elements", func(t *testing.T) {
		t.Parallel()
		d := New(testLimits)
		// Scope 1 is the system; element 1 would be octets. 48, 34 in 1 and 2 octets.
		opt := set(1, u16(400), u16(4), u16(8), []u16{1, 4, 48, 1, 34, 2})
		b := feed(d, v9(1, 0, opt, set(400, u32(5), u8(2), u16(50)), templateSet(true, 300, 48, 1, 2, 1), set(300, u8(2), u8(1))))
		checkRow(t, b, 0, values{flow.SamplingRate: 50})
	})
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	t.Run("the source port is no part of the scope", func(t *testing.T) {
		t.Parallel()
		b := feed(New(testLimits), v9(1, 7, templateSet(true, 256, specifiers...)), v9(2, 7, set(256, dataRecord)))
		checkRow(t, b, 0, dataWant)
	})
	t.Run("another domain or version has its own", func(t *testing.T) {
		t.Parallel()
		d := New(testLimits)
		feed(d, v9(1, 7, templateSet(true, 256, specifiers...)))
		if b := feed(d, v9(1, 8, set(256, dataRecord)), ipfixMessage(1, 7, set(256, dataRecord))); b.Rows() != 0 {
			t.Errorf("%d rows, want none", b.Rows())
		}
		checkRefused(t, d, map[refusal.Reason]uint64{refusal.TemplateUnknown: 2})
	})
	t.Run("a set without template costs only itself", func(t *testing.T) {
		t.Parallel()
		d := New(testLimits)
		b := feed(d, v9(1, 7, templateSet(true, 256, specifiers...), set(257, u32(1)), set(256, dataRecord)))
		checkRow(t, b, 0, dataWant)
		checkRefused(t, d, map[refusal.Reason]uint64{refusal.TemplateUnknown: 1})
	})
	t.Run("a redefinition holds from its place on", func(t *testing.T) {
		t.Parallel()
		b := feed(New(testLimits), v9(1, 7, templateSet(true, 256, 1, 4), set(256, u32(5)), templateSet(true, 256, 2, 4), set(256, u32(6))))
		checkRow(t, b, 0, values{flow.Bytes: 5, flow.Packets: 0})
		checkRow(t, b, 1, values{flow.Bytes: 0, flow.Packets: 6})
	})
	t.Run("a withdrawal over UDP is ignored", func(t *testing.T) {
		t.Parallel()
		d := New(testLimits)
		withdrawal := set(2, u16(256), u16(0))
		b := feed(d, ipfixMessage(1, 7, templateSet(false, 256, specifiers...)), ipfixMessage(1, 7, withdrawal), ipfixMessage(1, 7, set(256, dataRecord)))
		checkRow(t, b, 0, dataWant)
		checkRefused(t, d, map[refusal.Reason]uint64{refusal.TemplateWithdrawn: 1})
	})
	t.Run("enterprise elements are passed over", func(t *testing.T) {
		t.Parallel()
		tmpl := set(2, u16(256), u16(2), u16(0x8000|1), u16(4), u32(9), u16(2), u16(4))
		checkRow(t, feed(New(testLimits), ipfixMessage(1, 7, tmpl, set(256, u32(5), u32(6)))), 0, values{flow.Bytes: 0, flow.Packets: 6})
	})
	t.Run("two messages in a datagram", func(t *testing.T) {
		t.Parallel()
		d := New(testLimits)
		first, second := ipfixMessage(1, 7, templateSet(false, 256, specifiers...), set(256, dataRecord)), ipfixMessage(2, 7, set(256, dataRecord))
		b := feed(d, append(first, second...))
		checkRow(t, b, 1, values{flow.SequenceNum: 2, flow.Bytes: 4000})
		checkRefused(t, d, nil)
	})
}

// What an exporter told survives the decoder: that is how a worker takes a partition over.
func TestStateRoundTrip(t *testing.T) {
	t.Parallel()
	d := New(testLimits)
	options := set(3, u16(400), u16(3), u16(1), []u16{302, 4, 305, 4, 160, 8})
	init := u64(exportTime*1000 - uptime)
	feed(d, ipfixMessage(1, 7, options, set(400, u32(1), u32(10), init), set(400, u32(2), u32(20), init), templateSet(false, 256, append(specifiers, 302, 4)...)))
	if len(d.changed) != 1 {
		t.Fatalf("%d exporters changed, want 1", len(d.changed))
	}
	next := New(testLimits)
	for a, x := range d.changed {
		if err := next.Restore(a, x.Append(nil)); err != nil {
			t.Fatal(err)
		}
	}
	b := feed(next, ipfixMessage(2, 7, set(256, dataRecord, u32(1))))
	checkRow(t, b, 0, dataWant)
	checkRow(t, b, 0, values{flow.SamplingRate: 10, flow.TimeFlowStartNs: exportTime*second - 3*second})
	if len(next.changed) != 0 {
		t.Error("loading counts as a change")
	}
	feed(d, ipfixMessage(3, 7, templateSet(false, 256, append(specifiers, 302, 4)...)))
	clear(d.changed)
	if feed(d, ipfixMessage(3, 7, templateSet(false, 256, append(specifiers, 302, 4)...))); len(d.changed) != 0 {
		t.Error("a template that comes again counts as a change")
	}
}
