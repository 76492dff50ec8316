// SPDX-License-Identifier: Apache-2.0

package netflow5

import (
	"encoding/binary"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/row"
	"github.com/weirflow/weir/services/decode/internal/template"
)

const (
	version = 5

	header = 24 // octets
	record = 48

	etherIPv4 = 0x0800
)

// Decoder decodes datagrams. It is not safe for concurrent use.
type Decoder struct {
	w *row.Writer
}

// New returns a decoder that writes to w.
func New(w *row.Writer) *Decoder { return &Decoder{w} }

// head is what a header tells all records.
type head struct {
	uptimeMs uint32
	exportNs uint64
	interval uint64 // 1 in N, 0 unknown
}

// Decode decodes a datagram. It returns how many gaps in the sequence it showed; x may be
// nil, then sequences are not followed.
func (d *Decoder) Decode(x *template.Exporter, p []byte) (gaps uint64) {
	if len(p) < header {
		d.w.Refuse(refusal.HeaderTruncated)
		return 0
	}
	h := head{
		uptimeMs: binary.BigEndian.Uint32(p[4:]),
		exportNs: uint64(binary.BigEndian.Uint32(p[8:]))*1e9 + uint64(binary.BigEndian.Uint32(p[12:])),
		// The two highest bits are the sampling mode.
		interval: uint64(binary.BigEndian.Uint16(p[22:]) & 0x3fff),
	}
	number, engine := binary.BigEndian.Uint32(p[16:]), binary.BigEndian.Uint16(p[20:])
	count, whole := int(binary.BigEndian.Uint16(p[2:])), (len(p)-header)/record
	if len(p) != header+count*record {
		d.w.Refuse(refusal.LengthMismatch)
	}
	d.w.Header(number, 0, h.exportNs)
	// What a wrong count promises beyond the datagram is not there.
	count = min(count, whole)
	for p, left := p[header:], count; left > 0; p, left = p[record:], left-1 {
		r := d.w.Next()
		if r == nil {
			d.w.Refuse(refusal.RecordLimit)
			break
		}
		h.record(p[:record], r)
		d.w.Commit()
	}
	return follow(x, engine, number, uint32(count)) //nolint:gosec // of 16 bits
}

// follow looks for gaps in an engine's sequence, which counts flows.
func follow(x *template.Exporter, engine uint16, number, count uint32) uint64 {
	if x == nil {
		return 0
	}
	if domain := x.Domain(version, uint32(engine)); domain != nil && domain.Sequence.Advance(number, count) {
		return 1
	}
	return 0
}

func (h *head) record(p []byte, r *flow.Record) {
	u32 := func(at int) uint64 { return uint64(binary.BigEndian.Uint32(p[at:])) }
	u16 := func(at int) uint64 { return uint64(binary.BigEndian.Uint16(p[at:])) }
	r.SetNumber(flow.EType, etherIPv4)
	r.SetIPv4(flow.SrcAddr, uint32(u32(0)))
	r.SetIPv4(flow.DstAddr, uint32(u32(4)))
	r.SetIPv4(flow.NextHop, uint32(u32(8)))
	r.SetNumber(flow.InIf, u16(12))
	r.SetNumber(flow.OutIf, u16(14))
	r.SetNumber(flow.Packets, u32(16))
	r.SetNumber(flow.Bytes, u32(20))
	r.SetNumber(flow.TimeFlowStartNs, template.UptimeToNs(uint32(u32(24)), h.uptimeMs, h.exportNs))
	r.SetNumber(flow.TimeFlowEndNs, template.UptimeToNs(uint32(u32(28)), h.uptimeMs, h.exportNs))
	r.SetNumber(flow.SrcPort, u16(32))
	r.SetNumber(flow.DstPort, u16(34))
	r.SetNumber(flow.TCPFlags, uint64(p[37]))
	r.SetNumber(flow.Proto, uint64(p[38]))
	r.SetNumber(flow.IPTOS, uint64(p[39]))
	r.SetNumber(flow.SrcAS, u16(40))
	r.SetNumber(flow.DstAS, u16(42))
	r.SetNumber(flow.SrcNet, uint64(p[44]))
	r.SetNumber(flow.DstNet, uint64(p[45]))
	r.SetNumber(flow.SamplingRate, h.interval)
	template.ICMPFromPort(r)
}
