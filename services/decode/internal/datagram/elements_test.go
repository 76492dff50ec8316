// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"slices"
	"testing"

	"github.com/weirflow/weir/flow"
)

// elementCases are one element each, in a record of its own: number, octets and what it is to fill.
// Numbers and types are of IANA's registry, but for those of Cisco from 33000 on.
var elementCases = []struct {
	id    u16
	value []byte
	want  values
	texts texts
}{
	{3, wire(u64(7)), values{flow.FlowCount: 7}, nil},
	{9, wire(u8(24)), values{flow.SrcNet: 24}, nil},
	{13, wire(u8(25)), values{flow.DstNet: 25}, nil},
	{15, wire([4]byte{192, 0, 2, 1}), values{flow.NextHop: "192.0.2.1", flow.EType: 0}, nil},
	{16, wire(u16(64500)), values{flow.SrcAS: 64500}, nil},
	{17, wire(u32(4200000000)), values{flow.DstAS: 4200000000}, nil},
	{18, wire([4]byte{192, 0, 2, 2}), values{flow.BGPNextHop: "192.0.2.2"}, nil},
	{19, wire(u64(8)), values{flow.MulticastPackets: 8, flow.Packets: 0}, nil},
	{20, wire(u64(9)), values{flow.MulticastBytes: 9, flow.Bytes: 0}, nil},
	{24, wire(u64(9)), values{flow.Packets: 9}, nil},
	{29, wire(u8(64)), values{flow.SrcNet: 64}, nil},
	{30, wire(u8(65)), values{flow.DstNet: 65}, nil},
	{31, wire(u32(0xabcde)), values{flow.IPv6FlowLabel: 0xabcde}, nil},
	{32, wire(u16(0x0304)), values{flow.ICMPType: 3, flow.ICMPCode: 4}, nil},
	{34, wire(u32(100)), values{flow.SamplingRate: 100}, nil},
	{35, wire(u8(2)), values{flow.SamplingAlgorithm: 2}, nil},
	{44, wire([4]byte{192, 0, 2, 0}), values{flow.SrcAddr: "192.0.2.0", flow.EType: 0x800}, nil},
	{45, wire([4]byte{192, 0, 2, 0}), values{flow.DstAddr: "192.0.2.0"}, nil},
	{46, wire(u8(4)), values{flow.MPLSTopLabelType: 4}, nil},
	{49, wire(u8(1)), values{flow.SamplingAlgorithm: 1}, nil},
	{50, wire(u32(200)), values{flow.SamplingRate: 200}, nil},
	{52, wire(u8(63)), values{flow.IPTTL: 63}, nil},
	{54, wire(u32(0x1234)), values{flow.FragmentID: 0x1234}, nil},
	{55, wire(u8(0xb8)), values{flow.PostIPTOS: 0xb8, flow.IPTOS: 0}, nil},
	{57, wire([6]byte{2, 0, 0, 0, 0, 9}), values{flow.DstMAC: 0x020000000009}, nil},
	{58, wire(u16(5)), values{flow.SrcVLAN: 5, flow.VLANID: 5}, nil},
	{59, wire(u16(6)), values{flow.DstVLAN: 6}, nil},
	{60, wire(u8(6)), values{flow.EType: 0x86dd}, nil},
	{61, wire(u8(1)), values{flow.FlowDirection: 1}, nil},
	{62, wire([16]byte{0x20, 15: 3}), values{flow.NextHop: "2000::3"}, nil},
	{63, wire([16]byte{0x20, 15: 4}), values{flow.BGPNextHop: "2000::4"}, nil},
	{80, wire([6]byte{2, 0, 0, 0, 0, 9}), values{flow.DstMAC: 0x020000000009}, nil},
	{81, wire([6]byte{2, 0, 0, 0, 0, 9}), values{flow.SrcMAC: 0x020000000009}, nil},
	{88, wire(u16(185)), values{flow.FragmentOffset: 185}, nil},
	{89, wire(u8(0x82)), values{flow.ForwardingStatus: 0x82}, nil}, // dropped, by an access list
	{90, wire(u16(0), u16(64500), u32(77)), values{flow.MPLSVPNRD: 64500<<32 | 77}, nil},
	{128, wire(u32(64500)), values{flow.DstPeerAS: 64500}, nil},
	{129, wire(u32(64501)), values{flow.SrcPeerAS: 64501}, nil},
	{130, wire([4]byte{192, 0, 2, 8}), values{flow.ExporterAddress: "192.0.2.8"}, nil},
	{131, wire([16]byte{0x20, 15: 8}), values{flow.ExporterAddress: "2000::8"}, nil},
	{132, wire(u64(10)), values{flow.DroppedBytes: 10, flow.Bytes: 0}, nil},
	{133, wire(u64(11)), values{flow.DroppedPackets: 11, flow.Packets: 0}, nil},
	{134, wire(u64(12)), values{flow.DroppedBytes: 12}, nil},
	{135, wire(u64(13)), values{flow.DroppedPackets: 13}, nil},
	{138, wire(u64(1 << 40)), values{flow.ObservationPointID: 1 << 40}, nil},
	{146, wire(u8(11)), values{flow.WLANChannel: 11}, nil},
	{147, []byte("guests\x00\x00"), nil, texts{flow.WLANSSID: "guests"}},
	{148, wire(u64(1 << 33)), values{flow.FlowID: 1 << 33}, nil},
	{151, wire(u32(exportTime - 1)), values{flow.TimeFlowEndNs: exportTime*second - second}, nil},
	{154, wire(u32(exportTime-1+2208988800), u32(1<<31)), values{flow.TimeFlowStartNs: exportTime*second - 500*ms}, nil},
	{155, wire(u32(exportTime-2+2208988800), u32(1<<31)), values{flow.TimeFlowEndNs: exportTime*second - 1500*ms}, nil},
	{157, wire(u32(exportTime-2+2208988800), u32(1<<30)), values{flow.TimeFlowEndNs: exportTime*second - 1750*ms}, nil},
	{159, wire(u32(2500)), values{flow.TimeFlowEndNs: exportTime*second - 2500*1000}, nil},
	{169, wire([16]byte{0x20, 1, 15: 0}), values{flow.DstAddr: "2001::", flow.EType: 0x86dd}, nil},
	{170, wire([16]byte{0x20, 1, 15: 0}), values{flow.SrcAddr: "2001::"}, nil},
	{176, wire(u8(8)), values{flow.ICMPType: 8}, nil},
	{177, wire(u8(1)), values{flow.ICMPCode: 1}, nil},
	{178, wire(u8(135)), values{flow.ICMPType: 135}, nil},
	{179, wire(u8(2)), values{flow.ICMPCode: 2}, nil},
	{180, wire(u16(53)), values{flow.SrcPort: 53}, nil},
	{181, wire(u16(54)), values{flow.DstPort: 54}, nil},
	{182, wire(u16(80)), values{flow.SrcPort: 80}, nil},
	{183, wire(u16(81)), values{flow.DstPort: 81}, nil},
	{192, wire(u8(62)), values{flow.IPTTL: 62}, nil},
	{193, wire(u8(58)), values{flow.Proto: 58}, nil},
	{195, wire(u8(46)), values{flow.IPTOS: 0xb8}, nil}, // EF
	{196, wire(u8(5)), values{flow.IPTOS: 0xa0}, nil},
	{197, wire(u8(2)), values{flow.IPFlags: 2}, nil},
	{226, wire([4]byte{192, 0, 2, 3}), values{flow.PostNATDstAddr: "192.0.2.3", flow.EType: 0}, nil},
	{234, wire(u32(100)), values{flow.IngressVRFID: 100}, nil},
	{235, wire(u32(101)), values{flow.EgressVRFID: 101}, nil},
	{244, wire(u8(5)), values{flow.VLANPriority: 5}, nil},
	{246, wire(u8(6)), values{flow.CustomerVLANPriority: 6}, nil},
	{249, wire(u32(4711)), values{flow.PseudowireID: 4711}, nil},
	{254, wire(u16(7)), values{flow.DstVLAN: 7}, nil},
	{255, wire(u16(8)), values{flow.PostCustomerVLANID: 8}, nil},
	{256, wire(u16(0x806)), values{flow.EType: 0x806}, nil},
	{281, wire([16]byte{0x20, 15: 5}), values{flow.PostNATSrcAddr: "2000::5"}, nil},
	{283, wire(u32(3)), values{flow.NATPoolID: 3}, nil},
	{322, wire(u32(exportTime - 3)), values{flow.TimeFlowStartNs: exportTime*second - 3*second, flow.TimeFlowEndNs: exportTime*second - 3*second}, nil},
	{323, wire(u64(exportTime*1000 - 250)), values{flow.TimeFlowStartNs: exportTime*second - 250*ms, flow.TimeFlowEndNs: exportTime*second - 250*ms}, nil},
	{324, wire(u32(exportTime-1+2208988800), u32(1<<31)), values{flow.TimeFlowEndNs: exportTime*second - 500*ms}, nil},
	{325, wire(u32(exportTime-1+2208988800), u32(1<<31)), values{flow.TimeFlowStartNs: exportTime*second - 500*ms}, nil},
	{352, wire(u64(1518)), values{flow.Layer2Bytes: 1518, flow.Bytes: 0}, nil},
	{353, wire(u64(1519)), values{flow.Layer2Bytes: 1519}, nil},
	{361, wire(u16(1024)), values{flow.PortRangeStart: 1024}, nil},
	{362, wire(u16(2047)), values{flow.PortRangeEnd: 2047}, nil},
	{365, wire([6]byte{2, 0, 0, 0, 0, 9}), values{flow.StationMAC: 0x020000000009}, nil},
	{366, wire([4]byte{10, 0, 0, 9}), values{flow.StationAddress: "10.0.0.9", flow.SrcAddr: "::"}, nil},
	{367, wire([6]byte{2, 0, 0, 0, 0, 9}), values{flow.AccessPointMAC: 0x020000000009}, nil},
	{371, []byte("alice"), nil, texts{flow.SrcUser: "alice"}},
	{498, wire(u8(2)), values{flow.IPv6RoutingHeaderSegLeft: 2}, nil},
	{600, wire(u32(10)), values{flow.PathDelayMeanUs: 10}, nil},
	{601, wire(u32(11)), values{flow.PathDelayMinUs: 11}, nil},
	{602, wire(u32(12)), values{flow.PathDelayMaxUs: 12}, nil},
	{603, wire(u64(13)), values{flow.PathDelaySumUs: 13}, nil},
	{33000, wire(u32(0xa1b2c3d4), u32(1), u32(0)), nil, texts{flow.IngressACL: "a1b2c3d4-00000001-00000000"}},
	{33001, make([]byte, 12), nil, texts{flow.EgressACL: ""}},
	{33002, wire(u16(1001)), values{flow.FirewallExtendedEvent: 1001}, nil},
	{40000, append([]byte("bob"), make([]byte, 17)...), nil, texts{flow.SrcUser: "bob"}},
	{40001, wire([4]byte{192, 0, 2, 4}), values{flow.PostNATSrcAddr: "192.0.2.4"}, nil},
	{40002, wire([4]byte{192, 0, 2, 5}), values{flow.PostNATDstAddr: "192.0.2.5"}, nil},
	{40003, wire(u16(7)), values{flow.PostNATSrcPort: 7}, nil},
	{40004, wire(u16(8)), values{flow.PostNATDstPort: 8}, nil},
	{40005, wire(u8(2)), values{flow.FirewallEvent: 2}, nil},
	{56701, append([]byte("web-browsing"), make([]byte, 20)...), nil, texts{flow.ApplicationName: "web-browsing"}},
}

func TestEveryElementFillsItsColumn(t *testing.T) {
	t.Parallel()
	for _, tt := range elementCases {
		d := New(testLimits)
		b := feed(d, v9(1, 7, templateSet(true, 300, tt.id, u16(len(tt.value))), set(300, tt.value)))
		if b.Rows() == 0 {
			t.Errorf("element %d: no row", tt.id)
			continue
		}
		checkRow(t, b, 0, tt.want)
		checkTexts(t, b, 0, tt.texts)
		checkRefused(t, d, nil)
		if t.Failed() {
			t.Fatalf("element %d", tt.id)
		}
	}
}

func TestElementsOfLists(t *testing.T) {
	t.Parallel()
	segments := []u64{1, 2}
	srh := wire(u8(6), u8(4), u8(4), u8(1), u8(1), u8(0), u16(0), [16]byte{0x20, 1, 15: 1}, [16]byte{0x20, 1, 15: 2})
	basic := func(element, size u16, values ...any) []byte {
		return wire(u8(255), element, size, wire(values...)) // semantics: undefined
	}
	for _, tt := range []struct {
		name  string
		id    u16
		value []byte
		field flow.Field
		want  []u64
	}{
		{"community", 483, wire(u32(64500<<16 | 1)), flow.BGPCommunities, []u64{64500<<16 | 1}},
		{"communities of the source", 484, basic(483, 4, u32(1), u32(2)), flow.BGPCommunities, []u64{1, 2}},
		{"communities of the destination", 485, basic(483, 4, u32(3)), flow.BGPCommunities, []u64{3}},
		{"extended communities", 487, basic(486, 8, u64(0x0002fbf400000064)), flow.BGPExtCommunities, []u64{0x0002fbf400000064}},
		{"large communities", 491, basic(489, 12, u32(64500), u32(1), u32(2), u32(64500), u32(3), u32(4)), flow.BGPLargeCommunities, []u64{64500, 1, 2, 64500, 3, 4}},
		{"sections of the label stack", 79, wire(u8(0), u8(0x64), u8(0x11)), flow.MPLSLabel, []u64{0x641}},
		{"a section in the middle", 74, wire(u8(0), u8(0x64), u8(0x1b)), flow.MPLSEXP, []u64{5}},
		{"TTL of the top label", 200, wire(u8(63)), flow.MPLSTTL, []u64{63}},
	} {
		b := feed(New(testLimits), ipfixMessage(1, 7, templateSet(false, 300, tt.id, u16(len(tt.value))), set(300, tt.value)))
		if got := flow.AppendListNumbers[u64](nil, b, tt.field); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %s is %v, want %v", tt.name, tt.field, got, tt.want)
		}
	}
	b := feed(New(testLimits), ipfixMessage(1, 7, templateSet(false, 300, 499, u16(len(srh))), set(300, srh)))
	checkRow(t, b, 0, values{flow.IPv6RoutingHeaderSegLeft: 1})
	if got := flow.AppendListAddresses(nil, b, flow.IPv6RoutingHeaderAddresses); len(got) != len(segments) || got[0][15] != 1 || got[1][15] != 2 {
		t.Errorf("segments %v", got)
	}
}

// A record with a section of a packet: what the headers say, from Ethernet (104, 315) or IP (313) on.
// Its length is the section's unless the record says it (312).
func TestSectionsOfPackets(t *testing.T) {
	t.Parallel()
	packet := ipv4(6, 0, tcp)
	frame := ethernet(0x8100, u16(0xa005), u16(0x800), packet)
	for _, tt := range []struct {
		name   string
		ids    []u16
		record []byte
		want   values
	}{
		{"104", []u16{104, u16(len(frame))}, frame, values{flow.VLANID: 5, flow.VLANPriority: 5, flow.Bytes: len(frame), flow.SrcMAC: 0x020000000001}},
		{"315 and 312", []u16{312, 2, 315, 65535}, wire(u16(1500), u8(len(frame)), frame), values{flow.VLANID: 5, flow.Bytes: 1500}},
		{"313", []u16{313, u16(len(packet))}, packet, values{flow.SrcMAC: 0}},
	} {
		d := New(testLimits)
		b := feed(d, ipfixMessage(1, 7, templateSet(false, 300, tt.ids...), set(300, tt.record)))
		checkRow(t, b, 0, ipv4Row)
		checkRow(t, b, 0, tcpRow)
		checkRow(t, b, 0, values{flow.Packets: 1})
		checkRow(t, b, 0, tt.want)
		checkRefused(t, d, nil)
		if t.Failed() {
			t.Fatalf("element %s", tt.name)
		}
	}
}

// The type of service octet wins over its parts, and a header's own addresses over its prefixes.
func TestTheWholeWinsOverItsParts(t *testing.T) {
	t.Parallel()
	record := wire(u8(46), u8(0x10), [4]byte{10, 0, 0, 0}, [4]byte{10, 0, 0, 1}, u64(1000), u64(1400))
	b := feed(New(testLimits), ipfixMessage(1, 7, templateSet(false, 300, 195, 1, 5, 1, 44, 4, 8, 4, 1, 8, 352, 8), set(300, record)))
	checkRow(t, b, 0, values{flow.IPTOS: 0x10, flow.SrcAddr: "10.0.0.1", flow.Bytes: 1000, flow.Layer2Bytes: 1400})
}

// The records of NetFlow v8, field by field as Cisco's "NetFlow Export Datagram Format" has them.
func TestNetFlow8Schemes(t *testing.T) {
	t.Parallel()
	sums := wire(u32(3), u32(5), u32(600), u32(uptime-2000), u32(uptime-1000)) // flows, packets, octets, first, last
	own := sums[4:]                                                            // of the schemes of Catalyst, which don't count flows
	src, dst := [4]byte{10, 1, 0, 0}, [4]byte{10, 2, 0, 0}
	router := wire(u8(0), u8(0)) // marked_tos, extra_packets and the like
	for scheme, tt := range map[u8]struct {
		record []byte
		want   values
	}{
		1:  {wire(sums, u16(64500), u16(64501), u16(7), u16(8)), values{flow.SrcAS: 64500, flow.DstAS: 64501, flow.InIf: 7, flow.OutIf: 8}},
		2:  {wire(sums, u8(17), u8(0), u16(0), u16(53), u16(1053)), values{flow.Proto: 17, flow.SrcPort: 53, flow.DstPort: 1053}},
		3:  {wire(sums, src, u8(16), u8(0), u16(64500), u16(7), u16(0)), values{flow.SrcAddr: "10.1.0.0", flow.SrcNet: 16, flow.SrcAS: 64500, flow.InIf: 7}},
		4:  {wire(sums, dst, u8(17), u8(0), u16(64501), u16(8), u16(0)), values{flow.DstAddr: "10.2.0.0", flow.DstNet: 17, flow.DstAS: 64501, flow.OutIf: 8}},
		5:  {wire(sums, src, dst, u8(16), u8(17), u16(0), u16(64500), u16(64501), u16(7), u16(8)), values{flow.SrcAddr: "10.1.0.0", flow.DstAddr: "10.2.0.0", flow.SrcNet: 16, flow.DstNet: 17, flow.DstAS: 64501, flow.OutIf: 8}},
		6:  {wire(dst, own, u16(8), u8(4), u8(0), router, u16(0), u32(0)), values{flow.DstAddr: "10.2.0.0", flow.OutIf: 8, flow.IPTOS: 4}},
		7:  {wire(dst, src, own, u16(8), u16(7), u8(4), u8(0), router, u32(0), u32(0)), values{flow.DstAddr: "10.2.0.0", flow.SrcAddr: "10.1.0.0", flow.OutIf: 8, flow.InIf: 7, flow.IPTOS: 4}},
		8:  {wire(dst, src, u16(1053), u16(53), own, u16(8), u16(7), u8(4), u8(17), router, u32(0), u32(0)), values{flow.DstPort: 1053, flow.SrcPort: 53, flow.Proto: 17, flow.IPTOS: 4, flow.InIf: 7}},
		9:  {wire(sums, u16(64500), u16(64501), u16(7), u16(8), u8(4), [3]byte{}), values{flow.SrcAS: 64500, flow.OutIf: 8, flow.IPTOS: 4}},
		10: {wire(sums, u8(17), u8(4), u16(0), u16(53), u16(1053), u16(7), u16(8)), values{flow.Proto: 17, flow.IPTOS: 4, flow.DstPort: 1053, flow.OutIf: 8}},
		11: {wire(sums, src, u8(16), u8(4), u16(64500), u16(7), u16(0)), values{flow.SrcAddr: "10.1.0.0", flow.IPTOS: 4, flow.SrcAS: 64500, flow.InIf: 7}},
		12: {wire(sums, dst, u8(17), u8(4), u16(64501), u16(8), u16(0)), values{flow.DstAddr: "10.2.0.0", flow.IPTOS: 4, flow.DstAS: 64501, flow.OutIf: 8}},
		13: {wire(sums, src, dst, u8(16), u8(17), u8(4), u8(0), u16(64500), u16(64501), u16(7), u16(8)), values{flow.DstNet: 17, flow.IPTOS: 4, flow.SrcAS: 64500, flow.OutIf: 8}},
		14: {wire(sums, src, dst, u8(16), u8(17), u8(4), u8(17), u16(53), u16(1053), u16(7), u16(8)), values{flow.IPTOS: 4, flow.Proto: 17, flow.SrcPort: 53, flow.DstPort: 1053, flow.OutIf: 8}},
	} {
		header := wire(u16(8), u16(2), u32(uptime), u32(exportTime), u32(0), u32(9), u8(0), u8(0), scheme, u8(2), u32(0))
		d := New(testLimits)
		b := feed(d, wire(header, tt.record, tt.record))
		if b.Rows() != 2 {
			t.Fatalf("scheme %d: %d rows, want 2", scheme, b.Rows())
		}
		count := 3
		if scheme >= 6 && scheme <= 8 {
			count = 0
		}
		checkRow(t, b, 1, tt.want)
		checkRow(t, b, 1, values{
			flow.Type: 108, flow.Packets: 5, flow.Bytes: 600, flow.FlowCount: count, flow.SequenceNum: 9,
			flow.TimeFlowStartNs: exportTime*second - 2*second, flow.TimeFlowEndNs: exportTime*second - second,
		})
		checkRefused(t, d, nil)
		if t.Failed() {
			t.Fatalf("scheme %d", scheme)
		}
	}
}
