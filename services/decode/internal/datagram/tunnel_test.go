// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"slices"
	"testing"

	"github.com/weirflow/weir/flow"
)

func udpTo(port u16, payload ...any) []byte {
	b := wire(payload...)
	return wire(u16(50000), port, u16(8+len(b)), u16(0), b)
}

// Packets in tunnels of UDP, GRE and others: outer and inner tuple are both kept.
func TestTunnels(t *testing.T) {
	t.Parallel()
	in := ipv4(6, 0, tcp)
	copy(in[12:], []byte{172, 16, 0, 1, 172, 16, 0, 2})
	frame := ethernet(0x8100, u16(7), u16(0x800), in)
	inIPv4 := values{
		flow.InnerEType: 0x800, flow.InnerSrcAddr: "172.16.0.1", flow.InnerDstAddr: "172.16.0.2", flow.InnerProto: 6,
		flow.InnerSrcPort: 443, flow.InnerDstPort: 50000, flow.InnerTCPFlags: 0x18, flow.InnerIPTOS: 8, flow.InnerIPTTL: 61,
	}
	inFrame := values{flow.InnerSrcMAC: 0x020000000001, flow.InnerDstMAC: 0x020000000002, flow.InnerVLANID: 7, flow.VLANID: 0, flow.SrcMAC: 0}
	overUDP := func(port u16, payload ...any) []byte { return ipv4(17, 0, udpTo(port, payload...)) }
	none := values{flow.InnerSrcAddr: "::", flow.InnerProto: 0, flow.TunnelID: 0, flow.SegmentID: 0}

	for _, tt := range []struct {
		name   string
		packet []byte
		want   []values
		layers []u64
		sizes  []u64
	}{
		{"VXLAN", overUDP(4789, u32(0x08000000), u32(5000<<8), frame), []values{inIPv4, inFrame, {flow.SegmentID: 5000, flow.DstPort: 4789, flow.Proto: 17}}, []u64{1, 4, 99, 0, 6, 1, 3}, []u64{20, 8, 8, 14, 4, 20, 20}},
		{"VXLAN without its flag is none", overUDP(4789, u32(0), u32(5000<<8), frame), []values{none}, []u64{1, 4}, []u64{20, 8}},
		{"GENEVE with options", overUDP(6081, u8(2), u8(0), u16(0x6558), u32(77<<8), u64(0), frame), []values{inIPv4, inFrame, {flow.SegmentID: 77}}, []u64{1, 4, 12, 0, 6, 1, 3}, []u64{20, 8, 16, 14, 4, 20, 20}},
		{"GTP-U", overUDP(2152, u8(0x30), u8(255), u16(len(in)), u32(0xabcd), in), []values{inIPv4, {flow.TunnelID: 0xabcd}}, []u64{1, 4, 99, 1, 3}, []u64{20, 8, 8, 20, 20}},
		{"GTP-U with extension headers", overUDP(2152, u8(0x34), u8(255), u16(0), u32(0xabcd), u16(0), u8(0), u8(0x85), u8(1), u16(0), u8(0x40), u8(1), u16(0), u8(0), in), []values{inIPv4}, []u64{1, 4, 99, 1, 3}, []u64{20, 8, 20, 20, 20}},
		{"GTP-U signalling carries nothing", overUDP(2152, u8(0x32), u8(1), u16(4), u32(0), u32(0)), []values{none}, []u64{1, 4}, []u64{20, 8}},
		{"L2TP with length, sequence and offset", overUDP(1701, u16(0x4a02), u16(0), u16(3), u16(4), u32(0), u16(2), u16(0), u8(0xff), u8(3), u16(0x21), in), []values{inIPv4, {flow.TunnelID: 3<<16 | 4}}, []u64{1, 4, 99, 99, 1, 3}, []u64{20, 8, 16, 4, 20, 20}},
		{"L2TPv3 in IP, with a cookie", ipv4(115, 0, u32(0xabcd), u32(0x11223344), frame), []values{inIPv4, inFrame, {flow.TunnelID: 0xabcd, flow.Proto: 115}}, []u64{1, 99, 0, 6, 1, 3}, []u64{20, 4, 14, 4, 20, 20}},
		{"L2TPv3 in UDP", overUDP(1701, u32(3<<16), u32(0xabcd), frame), []values{inIPv4, inFrame, {flow.TunnelID: 0xabcd}}, []u64{1, 4, 99, 99, 0, 6, 1, 3}, []u64{20, 8, 4, 4, 14, 4, 20, 20}},
		{"L2TPv3 control", ipv4(115, 0, u32(0), frame), []values{none}, []u64{1}, []u64{20}},
		{"ICMP in IP in IP", ipv4(4, 0, ipv4(1, 0, u8(3), u8(4), [6]byte{})), []values{{flow.InnerICMPType: 3, flow.InnerICMPCode: 4, flow.ICMPType: 0, flow.Proto: 4, flow.InnerProto: 1}}, []u64{1, 1, 7}, []u64{20, 20, 8}},
		{"Teredo", overUDP(3544, ipv6(17, udp)), []values{{flow.InnerSrcAddr: "2001::1", flow.InnerSrcPort: 53}}, []u64{1, 4, 13, 2, 4}, []u64{20, 8, 0, 40, 8}},
		{"GRE in UDP", overUDP(4754, u16(0), u16(0x800), in), []values{inIPv4}, []u64{1, 4, 9, 1, 3}, []u64{20, 8, 4, 20, 20}},
		{"GRE with checksum, key and sequence number", ipv4(47, 0, u16(0xb000), u16(0x800), u32(0), u32(99), u32(1), in), []values{inIPv4, {flow.TunnelID: 99, flow.Proto: 47}}, []u64{1, 9, 1, 3}, []u64{20, 16, 20, 20}},
		{"GRE with routing", ipv4(47, 0, u16(0x4000), u16(0x800), u32(0), u16(0x800), u8(0), u8(4), u32(1), u32(0), in), []values{inIPv4}, []u64{1, 9, 1, 3}, []u64{20, 20, 20, 20}},
		{"NVGRE", ipv4(47, 0, u16(0x2000), u16(0x6558), u32(6000<<8|1), frame), []values{inIPv4, inFrame, {flow.SegmentID: 6000, flow.TunnelID: 0}}, []u64{1, 9, 0, 6, 1, 3}, []u64{20, 8, 14, 4, 20, 20}},
		{"PPTP", ipv4(47, 0, u16(0x3081), u16(0x880b), u16(0), u16(9), u32(1), u32(2), u8(0x21), in), []values{inIPv4, {flow.TunnelID: 9}}, []u64{1, 9, 99, 1, 3}, []u64{20, 16, 1, 20, 20}},
		{"ERSPAN", ipv4(47, 0, u16(0x1000), u16(0x88be), u32(1), u64(0), frame), []values{inIPv4, inFrame}, []u64{1, 9, 99, 0, 6, 1, 3}, []u64{20, 8, 8, 14, 4, 20, 20}},
		{"6in4", ipv4(41, 0, ipv6(17, udp)), []values{{flow.InnerSrcAddr: "2001::1", flow.InnerEType: 0x86dd, flow.EType: 0x800}}, []u64{1, 2, 4}, []u64{20, 40, 8}},
		{"a tunnel in a tunnel: the outer one's packet", ipv4(4, 0, ipv4(47, 0, u16(0x2000), u16(0x800), u32(9), in)), []values{{flow.InnerProto: 47, flow.InnerSrcPort: 0, flow.TunnelID: 0}}, []u64{1, 1, 9, 1, 3}, []u64{20, 20, 8, 20, 20}},
		{"MPLS in UDP", overUDP(6635, u32(100<<12|0x100|63), in), []values{inIPv4}, []u64{1, 4, 5, 1, 3}, []u64{20, 8, 4, 20, 20}},
		{"Ethernet in IP", ipv4(97, 0, u16(0x3000), frame), []values{inIPv4, inFrame}, []u64{1, 99, 0, 6, 1, 3}, []u64{20, 2, 14, 4, 20, 20}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := New(testLimits)
			b := feed(d, sflowDatagram(1, flowSample(1, header(11, tt.packet))))
			checkRow(t, b, 0, ipv4Row)
			for _, want := range tt.want {
				checkRow(t, b, 0, want)
			}
			checkRow(t, b, 0, values{flow.Quality: int(flow.TimeFromReceipt)})
			if got := flow.AppendListNumbers[u64](nil, b, flow.LayerStack); !slices.Equal(got, tt.layers) {
				t.Errorf("layers %v, want %v", got, tt.layers)
			}
			if got := flow.AppendListNumbers[u64](nil, b, flow.LayerSize); !slices.Equal(got, tt.sizes) {
				t.Errorf("sizes %v, want %v", got, tt.sizes)
			}
			checkRefused(t, d, nil)
		})
	}
}

func TestPPPoEIsPartOfTheFlow(t *testing.T) {
	t.Parallel()
	b := feed(New(testLimits), sflowDatagram(1, flowSample(1, header(1, ethernet(0x8864, u16(0x1100), u16(33), u16(42), u16(0x21), ipv4(6, 0, tcp))))))
	checkRow(t, b, 0, ipv4Row)
	checkRow(t, b, 0, tcpRow)
	checkRow(t, b, 0, values{flow.TunnelID: 33, flow.InnerSrcAddr: "::"})
}

func TestMPLSStackOfAPacket(t *testing.T) {
	t.Parallel()
	b := feed(New(testLimits), sflowDatagram(1, flowSample(1, header(13, wire(u32(100<<12|5<<9|63), u32(200<<12|0x100|62), ipv4(6, 0, tcp))))))
	for f, want := range map[flow.Field][]u64{flow.MPLSLabel: {100, 200}, flow.MPLSEXP: {5, 0}, flow.MPLSTTL: {63, 62}} {
		if got := flow.AppendListNumbers[u64](nil, b, f); !slices.Equal(got, want) {
			t.Errorf("%s is %v, want %v", f, got, want)
		}
	}
}
