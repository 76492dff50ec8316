// SPDX-License-Identifier: Apache-2.0

package netflow5

import (
	"encoding/binary"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/row"
	"github.com/weirflow/weir/services/decode/internal/sequence"
	"github.com/weirflow/weir/services/decode/internal/template"
)

const (
	etherIPv4 = 0x0800
	icmp      = 1

	// Offsets in the records of versions 1, 5 and 7.
	dstPortAt = 34
	protoAt   = 38
)

// Decoder decodes datagrams. It is not safe for concurrent use.
type Decoder struct {
	w   *row.Writer
	ctx template.Context
	// interval is the sampling interval of the datagram, 1 in N, 0 unknown; mode how packets are
	// selected.
	interval, mode uint64
}

// New returns a decoder that writes to w.
func New(w *row.Writer) *Decoder { return &Decoder{w: w} }

// Decode decodes a datagram. Where x is nil its exporter has no account.
func (d *Decoder) Decode(x *template.Exporter, p []byte) {
	version := binary.BigEndian.Uint16(p)
	f, reason := formatOf(version, p)
	if f == nil {
		d.w.Refuse(reason)
		return
	}
	d.ctx.UptimeMs, d.ctx.HasUptime = binary.BigEndian.Uint32(p[4:]), true
	d.ctx.ExportNs = uint64(binary.BigEndian.Uint32(p[8:]))*1e9 + uint64(binary.BigEndian.Uint32(p[12:]))
	var number, engine uint32
	if version != 1 {
		number, engine = binary.BigEndian.Uint32(p[16:]), uint32(binary.BigEndian.Uint16(p[20:]))
	}
	if d.interval, d.mode = 0, 0; version == 5 {
		// The two highest bits are the sampling mode.
		sampling := uint64(binary.BigEndian.Uint16(p[22:]))
		d.interval, d.mode = sampling&0x3fff, sampling>>14
	}
	d.w.Header(number, 0, d.ctx.ExportNs)
	n := d.records(f, version, int(binary.BigEndian.Uint16(p[2:])), p[f.header:])
	d.follow(x, version, engine, number, n, len(p))
}

// formatOf returns the format of a datagram whose header is there as a whole.
func formatOf(version uint16, p []byte) (*format, refusal.Reason) {
	f := formats[version]
	if version == 8 && len(p) >= headerV8 {
		if f = schemes[p[22]]; f == nil {
			return nil, refusal.AggregationUnknown
		}
	}
	if f == nil || len(p) < f.header {
		return nil, refusal.HeaderTruncated
	}
	return f, 0
}

// records decodes the records and returns how many there are. What a wrong count promises
// beyond the datagram is not there.
func (d *Decoder) records(f *format, version uint16, count int, p []byte) uint32 {
	size := f.record
	if version == 1 && count > 0 && len(p)/count >= size {
		size = len(p) / count
	}
	if len(p) != count*size {
		d.w.Refuse(refusal.LengthMismatch)
		count = min(count, len(p)/size)
	}
	n := d.w.Room(count)
	for i := range n {
		r := d.w.Next()
		record := p[i*size:][:size]
		f.plan.Decode(record, r, &d.ctx)
		d.settle(version, record, r)
		d.w.Commit()
	}
	f.plan.Columns(d.w.Batch(), d.w.Batch().Rows()-n, n, p, size)
	if n < count {
		d.w.Refuse(refusal.RecordLimit)
	}
	return uint32(count) //nolint:gosec // of 16 bits
}

// settle sets what the record's fields do not say themselves.
func (d *Decoder) settle(version uint16, record []byte, r *flow.Record) {
	r.SetNumber(flow.EType, etherIPv4)
	r.SetNumber(flow.SamplingRate, d.interval)
	if d.mode != 0 {
		r.SetNumber(flow.SamplingAlgorithm, d.mode)
	}
	// Exporters put the type and code of ICMP where other protocols have their port. What
	// version 8 sums up has no single type.
	if version != 8 && record[protoAt] == icmp {
		r.SetNumber(flow.ICMPType, uint64(record[dstPortAt]))
		r.SetNumber(flow.ICMPCode, uint64(record[dstPortAt+1]))
	}
}

// follow accounts for an engine's datagram. Its sequence counts flows; version 1 has none.
func (d *Decoder) follow(x *template.Exporter, version uint16, engine, number, n uint32, octets int) {
	if x == nil {
		return
	}
	domain := x.Domain(version, engine)
	if domain == nil {
		return
	}
	var v sequence.Verdict
	if version != 1 {
		v = domain.Account.Sequence.Advance(number, n, sequence.ReachRecords)
	}
	d.w.Tell(&domain.Account, engine, octets, int(n), v)
}
