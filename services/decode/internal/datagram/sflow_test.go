// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"slices"
	"testing"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/refusal"
)

// Headers of packets.
var (
	macs   = wire([6]byte{2, 0, 0, 0, 0, 2}, [6]byte{2, 0, 0, 0, 0, 1})
	tcp    = wire(u16(443), u16(50000), u32(1), u32(2), u8(5<<4), u8(0x18), u16(512), u32(0))
	udp    = wire(u16(53), u16(50001), u16(8), u16(0))
	tcpRow = values{flow.SrcPort: 443, flow.DstPort: 50000, flow.TCPFlags: 0x18, flow.Proto: 6}
)

func ipv4(proto u8, fragment u16, payload ...any) []byte {
	b := wire(payload...)
	return wire(u8(0x45), u8(8), u16(20+len(b)), u16(99), fragment, u8(61), proto, u16(0), [4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, b)
}

func ipv6(next u8, payload ...any) []byte {
	b := wire(payload...)
	return wire(u32(6<<28|8<<20|0x12345), u16(len(b)), next, u8(60), [16]byte{0x20, 1, 15: 1}, [16]byte{0x20, 1, 15: 2}, b)
}

func ethernet(etherType u16, payload ...any) []byte { return wire(macs, etherType, wire(payload...)) }

var ipv4Row = values{
	flow.SrcAddr: "10.0.0.1", flow.DstAddr: "10.0.0.2", flow.EType: 0x800, flow.IPTOS: 8, flow.IPTTL: 61, flow.FragmentID: 99,
}

var ipv6Row = values{
	flow.SrcAddr: "2001::1", flow.DstAddr: "2001::2", flow.EType: 0x86dd, flow.IPTOS: 8, flow.IPTTL: 60, flow.IPv6FlowLabel: 0x12345,
}

func TestSampledPackets(t *testing.T) {
	t.Parallel()
	gre := func(flags u16, optional int, payload []byte) []byte {
		return wire(flags, u16(0x800), make([]byte, optional), payload)
	}
	withOptions := ipv4(6, 0, tcp)
	withOptions = slices.Insert(withOptions, 20, 1, 1, 1, 1)
	withOptions[0], withOptions[3] = 0x46, withOptions[3]+4
	inner := slices.Clone(ipv4(17, 0, udp))
	copy(inner[12:], []byte{172, 16, 0, 1})

	for _, tt := range []struct {
		name   string
		header []byte
		want   []values
		layers []u64
	}{
		{"TCP over IPv4", header(1, ethernet(0x800, ipv4(6, 0, tcp))), []values{ipv4Row, tcpRow, {flow.SrcMAC: 0x020000000001, flow.DstMAC: 0x020000000002}}, []u64{0, 1, 3}},
		{"IPv4 without Ethernet", header(11, ipv4(6, 0, tcp)), []values{ipv4Row, tcpRow}, []u64{1, 3}},
		{"IPv6 without Ethernet", header(12, ipv6(17, udp)), []values{ipv6Row, {flow.SrcPort: 53, flow.Proto: 17}}, []u64{2, 4}},
		{"802.1Q: 12 bits are the VLAN", header(1, ethernet(0x8100, u16(0xe065), u16(0x800), ipv4(6, 0, tcp))), []values{ipv4Row, {flow.VLANID: 101, flow.VLANPriority: 7}}, []u64{0, 6, 1, 3}},
		{"802.1ad: the outer VLAN", header(1, ethernet(0x88a8, u16(0x4007), u16(0x8100), u16(0x6008), u16(0x800), ipv4(6, 0, tcp))), []values{ipv4Row, {flow.VLANID: 7, flow.CustomerVLANID: 8, flow.VLANPriority: 2, flow.CustomerVLANPriority: 3}}, []u64{0, 6, 6, 1, 3}},
		{"QinQ as it was before 802.1ad", header(1, ethernet(0x9100, u16(7), u16(0x9100), u16(8), u16(0x800), ipv4(6, 0, tcp))), []values{ipv4Row, {flow.VLANID: 7, flow.CustomerVLANID: 8}}, []u64{0, 6, 6, 1, 3}},
		{"MPLS ends with the bit for it", header(1, ethernet(0x8847, u32(3<<12|64), u32(100<<12|0x100|63), ipv4(6, 0, tcp))), []values{ipv4Row, tcpRow}, []u64{0, 5, 5, 1, 3}},
		{"MPLS without Ethernet", header(13, wire(u32(100<<12|0x100|63), ipv6(17, udp))), []values{ipv6Row}, []u64{5, 2, 4}},
		{"IPv4 options", header(11, withOptions), []values{ipv4Row, tcpRow}, []u64{1, 3}},
		{"a later fragment has no ports", header(11, ipv4(17, 0x2003, udp)), []values{{flow.SrcPort: 0, flow.FragmentOffset: 3, flow.IPFlags: 1, flow.Proto: 17}}, []u64{1}},
		{"ICMP", header(11, ipv4(1, 0, u8(3), u8(4), [6]byte{})), []values{{flow.ICMPType: 3, flow.ICMPCode: 4}}, []u64{1, 7}},
		{"ICMPv6 behind a hop-by-hop header", header(12, ipv6(0, u8(58), u8(0), [6]byte{5, 2}, u8(143), u8(0), [6]byte{})), []values{{flow.Proto: 58, flow.ICMPType: 143}}, []u64{2, 8}},
		{"an IPv6 fragment", header(12, ipv6(44, u8(17), u8(0), u16(8|1), u32(77), udp)), []values{{flow.Proto: 17, flow.FragmentID: 77, flow.FragmentOffset: 1, flow.SrcPort: 0}}, []u64{2, 11}},
		{"IPv6 destination options and authentication", header(12, ipv6(60, u8(51), u8(0), [6]byte{}, u8(6), u8(1), u16(0), u64(0), tcp)), []values{ipv6Row, tcpRow}, []u64{2, 3}},
		{"segment routing", header(12, ipv6(43, u8(6), u8(2), u8(4), u8(1), u8(0), [3]byte{}, [16]byte{0x20, 1, 15: 9}, tcp)), []values{tcpRow, {flow.IPv6RoutingHeaderSegLeft: 1}}, []u64{2, 10, 3}},
		{"SCTP ports", header(11, ipv4(132, 0, u16(5), u16(6), u32(0), u32(0))), []values{{flow.SrcPort: 5, flow.DstPort: 6, flow.Proto: 132}}, []u64{1}},
		{"GRE with key: the outer header is the flow", header(11, ipv4(47, 0, gre(0x2000, 4, inner))), []values{ipv4Row, {flow.Proto: 47, flow.SrcPort: 0}}, []u64{1, 9, 1, 4}},
		{"IP in IP", header(11, ipv4(4, 0, inner)), []values{ipv4Row, {flow.Proto: 4}}, []u64{1, 1, 4}},
		{"a cut header is flagged", header(11, ipv4(6, 0, tcp[:10])), []values{{flow.SrcPort: 443, flow.TCPFlags: 0, flow.Quality: int(flow.HeaderTruncated | flow.TimeFromReceipt)}}, []u64{1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := New(testLimits)
			b := feed(d, sflowDatagram(1, flowSample(1, tt.header)))
			for _, want := range tt.want {
				checkRow(t, b, 0, want)
			}
			checkRow(t, b, 0, values{
				flow.Type: 1, flow.Bytes: 1000, flow.Packets: 1, flow.SamplingRate: 512, flow.InIf: 3, flow.OutIf: 4,
				flow.SequenceNum: 99, flow.SamplerAddress: "192.0.2.1", flow.TimeFlowStartNs: receivedNs, flow.TimeFlowEndNs: receivedNs,
			})
			if got := flow.AppendListNumbers[u64](nil, b, flow.LayerStack); !slices.Equal(got, tt.layers) {
				t.Errorf("layers %v, want %v", got, tt.layers)
			}
			checkRefused(t, d, nil)
		})
	}
}

func TestSFlowRecords(t *testing.T) {
	t.Parallel()
	nextHop := wire(u32(1), [4]byte{192, 0, 2, 7})
	for _, tt := range []struct {
		name   string
		record []byte
		want   values
	}{
		{"sampled Ethernet", flowRecord(2, u32(64), [8]byte{2, 5: 1}, [8]byte{2, 5: 2}, u32(0x806)), values{flow.Bytes: 64, flow.SrcMAC: 0x020000000001, flow.DstMAC: 0x020000000002, flow.EType: 0x806}},
		{"sampled IPv4", flowRecord(3, u32(84), u32(6), [4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, u32(1), u32(2), u32(0x10), u32(4)), values{flow.Bytes: 84, flow.Proto: 6, flow.DstAddr: "10.0.0.2", flow.DstPort: 2, flow.TCPFlags: 16, flow.IPTOS: 4}},
		{"sampled IPv6", flowRecord(4, u32(84), u32(17), [16]byte{0x20, 15: 1}, [16]byte{0x20, 15: 2}, u32(1), u32(2), u32(0), u32(4)), values{flow.SrcAddr: "2000::1", flow.EType: 0x86dd, flow.SrcPort: 1}},
		{"switch", flowRecord(1001, u32(10), u32(1), u32(20), u32(2)), values{flow.SrcVLAN: 10, flow.DstVLAN: 20}},
		{"router", flowRecord(1002, nextHop, u32(24), u32(25)), values{flow.NextHop: "192.0.2.7", flow.SrcNet: 24, flow.DstNet: 25}},
		{"gateway, two segments", flowRecord(1003, nextHop, u32(64500), u32(64501), u32(0), u32(2), u32(2), u32(2), u32(64510), u32(64511), u32(1), u32(1), u32(64512), u32(1), u32(77), u32(100)), values{flow.BGPNextHop: "192.0.2.7", flow.SrcAS: 64501, flow.DstAS: 64512, flow.NextHopAS: 64510}},
		{"gateway: the peers", flowRecord(1003, nextHop, u32(64500), u32(64501), u32(64502), u32(1), u32(2), u32(1), u32(64510), u32(0), u32(100)), values{flow.SrcPeerAS: 64502, flow.DstPeerAS: 64510}},
		{"MPLS", flowRecord(1006, nextHop, u32(1), u32(100<<12|0x100|63), u32(0)), values{flow.NextHop: "192.0.2.7"}},
		{"NAT", flowRecord(1007, nextHop, u32(2), [16]byte{0x20, 15: 1}), values{flow.PostNATSrcAddr: "192.0.2.7", flow.PostNATDstAddr: "2000::1"}},
		{"ports of NAT", flowRecord(1020, u32(7), u32(8)), values{flow.PostNATSrcPort: 7, flow.PostNATDstPort: 8}},
		{"MPLS tunnel", flowRecord(1008, u32(3), []byte("lsp\x00"), u32(77), u32(0)), values{flow.TunnelID: 77}},
		{"MPLS virtual circuit", flowRecord(1009, u32(4), []byte("vc-1"), u32(78), u32(0), u32(0)), values{flow.SegmentID: 78}},
		{"stripped VLAN tags", flowRecord(1012, u32(2), u32(0x81002005), u32(0x81000006)), values{flow.VLANID: 5, flow.CustomerVLANID: 6}},
		{"VXLAN at the input", flowRecord(1030, u32(5000)), values{flow.SegmentID: 5000}},
		{"gateway to its own AS", flowRecord(1003, nextHop, u32(64500), u32(0), u32(0), u32(0), u32(0), u32(100)), values{flow.SrcAS: 64500, flow.DstAS: 64500}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := New(testLimits)
			checkRow(t, feed(d, sflowDatagram(1, flowSample(1, tt.record))), 0, tt.want)
			checkRefused(t, d, nil)
		})
	}
}

func TestSFlowSamples(t *testing.T) {
	t.Parallel()
	record := header(11, ipv4(6, 0, tcp))
	expandedBody := wire(u32(1), u32(0), u32(3), u32(512), u32(1000), u32(0), u32(0), u32(70000), u32(1), u32(256), u32(1), record)
	expanded := wire(u32(3), u32(len(expandedBody)), expandedBody)
	counters := countersSample(0)
	unknown := wire(u32(9000), u32(8), u64(1))
	d := New(testLimits)
	b := feed(d, sflowDatagram(4, counters, unknown, expanded, flowSample(2, flowRecord(4242, u32(0)), record)))
	if b.Rows() != 2 {
		t.Fatalf("%d rows, want 2", b.Rows())
	}
	checkRow(t, b, 0, values{flow.InIf: 70000, flow.OutIf: 0, flow.DropReason: 256, flow.SamplingRate: 512, flow.SrcAddr: "10.0.0.1"})
	checkRow(t, b, 1, ipv4Row)
	checkRefused(t, d, map[refusal.Reason]uint64{refusal.SampleUnknown: 1})

	dropped := flowSample(1, record)
	copy(dropped[8+24:], wire(u32(1<<30|258)))
	checkRow(t, feed(d, sflowDatagram(1, dropped)), 0, values{flow.OutIf: 0, flow.DropReason: 258})

	discard := wire(u32(1), u32(0), u32(3), u32(0), u32(3), u32(4), u32(257), u32(1), record)
	b = feed(New(testLimits), sflowDatagram(1, u32(5), u32(len(discard)), discard))
	checkRow(t, b, 0, ipv4Row)
	checkRow(t, b, 0, values{ // told of, but no traffic
		flow.DropReason: 257, flow.InIf: 3, flow.OutIf: 4, flow.SamplingRate: 1,
		flow.Packets: 0, flow.Bytes: 0, flow.DroppedPackets: 1, flow.DroppedBytes: 1000,
	})

	old := sflowDatagram(1, flowSample(1, record))
	old[3] = 4
	d = New(testLimits)
	if rows := feed(d, old).Rows(); rows != 0 {
		t.Errorf("sFlow v4: %d rows", rows)
	}
	checkRefused(t, d, map[refusal.Reason]uint64{refusal.SFlowVersion: 1})

	multiple := flowSample(1, record)
	copy(multiple[8+24:], wire(u32(2<<30|5))) // format of the output interface: several
	checkRow(t, feed(d, sflowDatagram(1, multiple)), 0, values{flow.OutIf: 0, flow.OutIfCount: 5, flow.DropReason: 0})
	local := flowSample(1, record)
	copy(local[8+24:], wire(u32(0x3fffffff))) // the device itself
	checkRow(t, feed(d, sflowDatagram(1, local)), 0, values{flow.OutIf: 0x3fffffff})
}
