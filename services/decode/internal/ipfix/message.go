// SPDX-License-Identifier: Apache-2.0

package ipfix

import (
	"encoding/binary"

	"github.com/weirflow/weir/services/decode/internal/packet"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/row"
	"github.com/weirflow/weir/services/decode/internal/sequence"
	"github.com/weirflow/weir/services/decode/internal/template"
)

const (
	versionV9    = 9
	versionIPFIX = 10

	headerV9    = 20 // octets
	headerIPFIX = 16

	second = 1_000_000_000 // ns
)

// Decoder decodes messages. It is not safe for concurrent use.
type Decoder struct {
	// Learned counts the templates that were new or changed.
	Learned uint64
	// Unknown, where it is set, gets each data set that lacks its template: the header of its
	// message, its id and what follows its own header. They are valid during the call.
	Unknown func(header []byte, id uint16, set []byte)

	// Known, where it is set, gets each template that comes and is known then, also if it was
	// before, with the header of its message.
	Known func(header []byte, t *template.Template)

	Statistics Statistics

	header  []byte
	w       *row.Writer
	x       *template.Exporter
	domain  *template.Domain
	ctx     template.Context
	version uint16
	// records counts the data records of a message, of options too, for IPFIX's sequence;
	// uncounted says that some could not be.
	records   uint32
	uncounted bool
	learned   uint64 // templates before the message
	fields    []template.Field
}

// New returns a decoder that writes to w, and reads lists in lists to a depth of maxNesting.
func New(w *row.Writer, packets packet.Limits, maxNesting int) *Decoder {
	return &Decoder{w: w, ctx: template.Context{Packets: packets, MaxNesting: maxNesting, Refused: &w.Refused}}
}

// Decode decodes a datagram: a NetFlow v9 packet, or IPFIX messages on end.
func (d *Decoder) Decode(x *template.Exporter, p []byte) {
	d.x = x
	if d.version = binary.BigEndian.Uint16(p); d.version == versionV9 {
		d.packet(p)
		return
	}
	for len(p) > 0 {
		n := d.message(p)
		p = p[n:]
		if len(p) < 2 || binary.BigEndian.Uint16(p) != versionIPFIX {
			if len(p) > 0 {
				d.w.Refuse(refusal.LengthMismatch)
			}
			break
		}
	}
}

// packet decodes a NetFlow v9 packet. Its count is not looked at: exporters disagree on what
// they count, so the sets are walked to the end (RFC 3954 §5.1).
func (d *Decoder) packet(p []byte) {
	if len(p) < headerV9 {
		d.w.Refuse(refusal.HeaderTruncated)
		return
	}
	uptime, seconds := binary.BigEndian.Uint32(p[4:]), binary.BigEndian.Uint32(p[8:])
	number, id := binary.BigEndian.Uint32(p[12:]), binary.BigEndian.Uint32(p[16:])
	if !d.begin(number, id, seconds) {
		return
	}
	d.ctx.UptimeMs, d.ctx.HasUptime = uptime, true
	d.header = p[:headerV9]
	d.sets(p[headerV9:])
	d.tell(id, len(p), d.domain.Account.Sequence.Advance(number, 1, sequence.ReachDatagrams))
}

// tell adds a message to its domain's account.
func (d *Decoder) tell(id uint32, octets int, v sequence.Verdict) {
	s := d.w.Tell(&d.domain.Account, id, octets, int(d.records), v)
	s.Templates += d.Learned - d.learned
}

// message decodes the IPFIX message with which p begins and returns its octets.
func (d *Decoder) message(p []byte) int {
	if len(p) < headerIPFIX {
		d.w.Refuse(refusal.HeaderTruncated)
		return len(p)
	}
	length := int(binary.BigEndian.Uint16(p[2:]))
	if length < headerIPFIX || length > len(p) {
		d.w.Refuse(refusal.LengthMismatch)
		length = len(p)
	}
	number, id := binary.BigEndian.Uint32(p[8:]), binary.BigEndian.Uint32(p[12:])
	if !d.begin(number, id, binary.BigEndian.Uint32(p[4:])) {
		return length
	}
	d.ctx.HasUptime = false
	d.header = p[:headerIPFIX]
	d.sets(p[headerIPFIX:length])
	d.tell(id, length, d.domain.Account.Sequence.Advance(number, d.records, sequence.ReachRecords))
	if d.uncounted {
		d.domain.Account.Sequence.Lose()
	}
	return length
}

// begin prepares for the sets of a message; false says that its domain is beyond the limit.
func (d *Decoder) begin(number, id, exportSeconds uint32) bool {
	if d.domain = d.x.Domain(d.version, id); d.domain == nil {
		d.w.Refuse(refusal.ExporterLimit)
		return false
	}
	d.ctx.Batch = d.w.Batch()
	d.ctx.Domain, d.ctx.ExportNs = d.domain, uint64(exportSeconds)*second
	d.records, d.uncounted, d.learned = 0, false, d.Learned
	d.Statistics.begin()
	d.w.Header(number, id, d.ctx.ExportNs)
	return true
}

// Late decodes what follows the header of a data set by a template that came after it, with
// the header of its message. Sequences take no notice of it.
func (d *Decoder) Late(x *template.Exporter, t *template.Template, header, p []byte) {
	d.x = x
	d.version = binary.BigEndian.Uint16(header)
	exportSeconds, number := binary.BigEndian.Uint32(header[4:]), binary.BigEndian.Uint32(header[8:])
	if d.ctx.HasUptime = d.version == versionV9; d.ctx.HasUptime {
		d.ctx.UptimeMs = exportSeconds
		exportSeconds, number = number, binary.BigEndian.Uint32(header[12:])
	}
	id := binary.BigEndian.Uint32(header[len(header)-4:])
	switch {
	case !d.begin(number, id, exportSeconds):
	case t.Options:
		d.options(t, p)
	default:
		d.flows(t, p)
	}
}
