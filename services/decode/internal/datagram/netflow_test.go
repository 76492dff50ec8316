// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"testing"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/refusal"
)

// Times of the header of v5, ns.
const exportV5 = exportTime*second + 250*ms

func TestNetFlow5(t *testing.T) {
	t.Parallel()
	tcp := v5Record([4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, 6, 443)
	ping := v5Record([4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, 1, 8<<8)

	t.Run("every field of a record", func(t *testing.T) {
		t.Parallel()
		d := New(testLimits)
		checkRow(t, feed(d, v5(1, 0, tcp)), 0, values{
			flow.Type: 2, flow.SrcAddr: "10.0.0.1", flow.DstAddr: "10.0.0.2", flow.NextHop: "192.0.2.254",
			flow.SamplerAddress: "192.0.2.1", flow.InIf: 7, flow.OutIf: 8, flow.Packets: 10, flow.Bytes: 1500,
			flow.TimeFlowStartNs: exportV5 - 2*second, flow.TimeFlowEndNs: exportV5 - second, flow.TimeReceivedNs: receivedNs,
			flow.SrcPort: 4321, flow.DstPort: 443, flow.TCPFlags: 0x1b, flow.Proto: 6, flow.IPTOS: 16, flow.SrcAS: 64500,
			flow.DstAS: 64501, flow.SrcNet: 24, flow.DstNet: 25, flow.EType: 0x800, flow.SequenceNum: 77,
			flow.SamplingRate: 0, flow.Quality: int(flow.SamplingUnknown),
		})
		checkRefused(t, d, nil)
	})
	t.Run("the sampling mode is no part of the interval", func(t *testing.T) {
		t.Parallel()
		checkRow(t, feed(New(testLimits), v5(1, 0x4064, tcp)), 0, values{flow.SamplingRate: 100, flow.Quality: 0})
	})
	t.Run("ICMP type and code stand in the destination port", func(t *testing.T) {
		t.Parallel()
		checkRow(t, feed(New(testLimits), v5(1, 0, ping)), 0, values{flow.ICMPType: 8, flow.ICMPCode: 0, flow.DstPort: 2048})
	})
	t.Run("a count beyond the datagram invents no records", func(t *testing.T) {
		t.Parallel()
		d := New(testLimits)
		if b := feed(d, v5(55582, 0, tcp, ping)); b.Rows() != 2 {
			t.Errorf("%d rows, want 2", b.Rows())
		}
		checkRefused(t, d, map[refusal.Reason]uint64{refusal.LengthMismatch: 1})
	})
	t.Run("a cut record is left out", func(t *testing.T) {
		t.Parallel()
		p := v5(2, 0, tcp, ping)
		if b := feed(New(testLimits), p[:len(p)-1]); b.Rows() != 1 {
			t.Errorf("%d rows, want 1", b.Rows())
		}
	})
	t.Run("a lost datagram shows as a gap", func(t *testing.T) {
		t.Parallel()
		d := New(testLimits)
		p, late := v5(1, 0, tcp), v5(1, 0, tcp)
		late[19] = 80 // 77 + 1 is expected
		feed(d, p, late)
		if s := sumOf(d.Take().Health); s.Gaps != 1 || s.Missing != 2 {
			t.Errorf("%d flows missing in %d gaps, want 2 in 1", s.Missing, s.Gaps)
		}
	})
}

func TestOldVersions(t *testing.T) {
	t.Parallel()
	v1 := wire(u16(1), u16(1), u32(uptime), u32(exportTime), u32(0), [4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, u32(0), u16(1), u16(2),
		u32(5), u32(600), u32(uptime), u32(uptime), u16(53), u16(1053), u16(0), u8(17), u8(4), u8(2), [7]byte{})
	v8 := wire(u16(8), u16(1), u32(uptime), u32(exportTime), u32(0), u32(9), u8(0), u8(0), u8(9), u8(2), u32(0),
		u32(3), u32(5), u32(600), u32(uptime), u32(uptime), u16(64500), u16(64501), u16(1), u16(2), u8(4), [3]byte{})
	v7 := wire(u16(7), u16(1), u32(uptime), u32(exportTime), u32(0), u32(5), u32(0), [4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, [4]byte{192, 0, 2, 1},
		u16(1), u16(2), u32(5), u32(600), u32(uptime), u32(uptime), u16(53), u16(1053), u8(0), u8(2), u8(17), u8(4), u16(64500), u16(64501),
		u8(24), u8(25), u16(3), [4]byte{192, 0, 2, 99}) // flags and the router whose work was done
	unknown := append([]byte(nil), v8...)
	unknown[22] = 99
	d := New(testLimits)
	b := feed(d, v1, v8, unknown, v7)
	checkRow(t, b, 0, values{flow.Type: 101, flow.SrcAddr: "10.0.0.1", flow.Bytes: 600, flow.Proto: 17, flow.IPTOS: 4, flow.TCPFlags: 2, flow.DstPort: 1053})
	checkRow(t, b, 1, values{flow.Type: 108, flow.SrcAS: 64500, flow.DstAS: 64501, flow.Packets: 5, flow.IPTOS: 4, flow.InIf: 1, flow.OutIf: 2})
	checkRow(t, b, 2, values{
		flow.Type: 107, flow.SrcAddr: "10.0.0.1", flow.NextHop: "192.0.2.1", flow.Bytes: 600, flow.Proto: 17, flow.IPTOS: 4, flow.TCPFlags: 2,
		flow.SrcPort: 53, flow.SrcAS: 64500, flow.DstAS: 64501, flow.SrcNet: 24, flow.DstNet: 25, flow.SequenceNum: 5,
	})
	checkRefused(t, d, map[refusal.Reason]uint64{refusal.AggregationUnknown: 1})
}
