// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"slices"
	"testing"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/refusal"
)

// texts are what a row should have in fields of kind Text.
type texts map[flow.Field]string

func checkTexts(t *testing.T, b *flow.Batch, row int, want texts) {
	t.Helper()
	for f, v := range want {
		if got := b.Text(f, row); got != v {
			t.Errorf("row %d: %s is %q, want %q", row, f, got, v)
		}
	}
}

// str is a string of XDR: length, octets, padding to a multiple of 4.
func str(s string) []byte {
	return wire(u32(len(s)), []byte(s), make([]byte, -len(s)&3))
}

// Records of sFlow that few devices send, by the structures of sFlow v5, section 5.4.
func TestSFlowExtendedRecords(t *testing.T) {
	t.Parallel()
	nextHop := wire(u32(1), [4]byte{192, 0, 2, 7})
	outerIPv4 := wire(u32(120), u32(47), [4]byte{198, 51, 100, 1}, [4]byte{198, 51, 100, 2}, u32(0), u32(0), u32(0), u32(0))
	outerIPv6 := wire(u32(120), u32(47), [16]byte{0x20, 1, 15: 7}, [16]byte{0x20, 1, 15: 8}, u32(0), u32(0), u32(0), u32(0))
	for _, tt := range []struct {
		name   string
		record []byte
		want   values
		texts  texts
	}{
		{"1001 switch: priorities", flowRecord(1001, u32(10), u32(5), u32(20), u32(6)), values{flow.VLANPriority: 5, flow.PostVLANPriority: 6}, nil},
		{"1001 switch: priorities unknown", flowRecord(1001, u32(10), u32(0xffffffff), u32(20), u32(0xffffffff)), values{flow.SrcVLAN: 10, flow.VLANPriority: 0}, nil},
		{"1004 user", flowRecord(1004, u32(106), str("alice"), u32(106), str("bob")), nil, texts{flow.SrcUser: "alice", flow.DstUser: "bob"}},
		{"1005 URL", flowRecord(1005, u32(2), str("/index.html?a=b"), str("www.example.org")), values{flow.URLDirection: 2}, texts{flow.URL: "/index.html?a=b", flow.URLHost: "www.example.org"}},
		{"1006 MPLS", flowRecord(1006, nextHop, u32(0), u32(1), u32(77<<12|0x1ff)), values{flow.NextHop: "192.0.2.7"}, nil},
		{"1008 MPLS tunnel", flowRecord(1008, str("lsp"), u32(77), u32(0)), values{flow.TunnelID: 77}, texts{flow.MPLSTunnelName: "lsp"}},
		{"1009 MPLS virtual circuit", flowRecord(1009, str("vc-1"), u32(78), u32(0)), values{flow.SegmentID: 78}, texts{flow.MPLSVCName: "vc-1"}},
		{"1010 MPLS FTN", flowRecord(1010, str("to core"), u32(0x1f)), values{flow.MPLSFTNMask: 0x1f}, texts{flow.MPLSFTNDescription: "to core"}},
		{"1011 MPLS LDP FEC", flowRecord(1011, u32(24)), values{flow.MPLSFECPrefixLength: 24}, nil},
		{"1014 802.11", flowRecord(1014, str("guests"), [8]byte{2, 5: 9}, u32(4), u32(11), u64(54_000_000), u32(0), u32(0), u32(0)), values{flow.AccessPointMAC: 0x020000000009, flow.WLANChannel: 11}, texts{flow.WLANSSID: "guests"}},
		{"1024 IPv4 tunnel", flowRecord(1024, outerIPv4), values{flow.TunnelSrcAddr: "198.51.100.1", flow.TunnelDstAddr: "198.51.100.2", flow.SrcAddr: "::"}, nil},
		{"1025 IPv6 tunnel", flowRecord(1025, outerIPv6), values{flow.TunnelSrcAddr: "2001::7", flow.TunnelDstAddr: "2001::8"}, nil},
		{"1036 egress queue", flowRecord(1036, u32(7)), values{flow.EgressQueue: 7}, nil},
		{"1037 access list", flowRecord(1037, u32(99), str("block"), u32(1)), values{flow.ACLNumber: 99, flow.ACLDirection: 1}, texts{flow.ACLName: "block"}},
		{"1038 function", flowRecord(1038, str("ip_rcv_core")), nil, texts{flow.FunctionName: "ip_rcv_core"}},
		{"1039 transit delay", flowRecord(1039, u32(1500)), values{flow.TransitDelayNs: 1500}, nil},
		{"1040 queue depth", flowRecord(1040, u32(64000)), values{flow.QueueDepth: 64000}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := New(testLimits)
			b := feed(d, sflowDatagram(1, flowSample(1, tt.record)))
			checkRow(t, b, 0, tt.want)
			checkTexts(t, b, 0, tt.texts)
			checkRefused(t, d, nil)

			// The same, cut within its first field, and with a string that claims more than there is.
			cut := slices.Clone(tt.record[:10])
			copy(cut[4:], wire(u32(2)))
			d = New(testLimits)
			feed(d, sflowDatagram(1, flowSample(1, cut)))
			checkRefused(t, d, map[refusal.Reason]uint64{refusal.RecordMalformed: 1})
		})
	}
}

func TestSFlowMPLSLabelsInAndOut(t *testing.T) {
	t.Parallel()
	record := flowRecord(1006, u32(1), [4]byte{192, 0, 2, 7}, u32(2), u32(100<<12|3<<9|63), u32(101<<12|0x100|62), u32(1), u32(200<<12|0x100|61))
	b := feed(New(testLimits), sflowDatagram(1, flowSample(1, record)))
	for f, want := range map[flow.Field][]u64{
		flow.MPLSLabel: {100, 101}, flow.MPLSEXP: {3, 0}, flow.MPLSTTL: {63, 62}, flow.MPLSOutLabel: {200},
	} {
		if got := flow.AppendListNumbers[u64](nil, b, f); !slices.Equal(got, want) {
			t.Errorf("%s is %v, want %v", f, got, want)
		}
	}
}

// TestDiscardedPacketsAreNoTraffic: a notification of a discarded packet, with its reason, its queue
// and who dropped it, adds nothing to the sums of bytes and packets.
func TestDiscardedPacketsAreNoTraffic(t *testing.T) {
	t.Parallel()
	record := header(11, ipv4(6, 0, tcp))
	discard := wire(u32(1), u32(0), u32(3), u32(0), u32(3), u32(0), u32(289), u32(4), record,
		flowRecord(1036, u32(2)), flowRecord(1037, u32(1), str("in"), u32(1)), flowRecord(1038, str("nft_do_chain")))
	d := New(testLimits)
	b := feed(d, sflowDatagram(2, u32(5), u32(len(discard)), discard, flowSample(1, record)))
	var bytes, packets u64
	for row := range b.Rows() {
		bytes += b.Number(flow.Bytes, row)
		packets += b.Number(flow.Packets, row)
	}
	if b.Rows() != 2 || bytes != 1000 || packets != 1 {
		t.Errorf("%d rows of %d octets and %d packets, want 2 of 1000 and 1: the sample's", b.Rows(), bytes, packets)
	}
	checkRow(t, b, 0, ipv4Row)
	checkRow(t, b, 0, values{flow.DropReason: 289, flow.DroppedBytes: 1000, flow.DroppedPackets: 1, flow.EgressQueue: 2, flow.ACLNumber: 1})
	checkTexts(t, b, 0, texts{flow.ACLName: "in", flow.FunctionName: "nft_do_chain"})
	checkRefused(t, d, nil)
}
