// SPDX-License-Identifier: Apache-2.0

package ipfix

import (
	"encoding/binary"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// Set ids (RFC 3954 §5.2, RFC 7011 §3.3.2).
const (
	templatesV9    = 0
	optionsV9      = 1
	templatesIPFIX = 2
	optionsIPFIX   = 3
	firstData      = 256
)

const setHeader = 4 // octets

// sets walks the sets of a message.
func (d *Decoder) sets(p []byte) {
	for len(p) >= setHeader {
		id, length := binary.BigEndian.Uint16(p), int(binary.BigEndian.Uint16(p[2:]))
		if id == 0 && length == 0 {
			return // padding to the end
		}
		if length < setHeader {
			d.w.Refuse(refusal.SetMalformed)
			d.uncounted = true
			return
		}
		if length > len(p) {
			d.w.Refuse(refusal.SetTruncated)
			d.uncounted = true
			length = len(p)
		}
		d.set(id, p[setHeader:length])
		p = p[length:]
	}
}

func (d *Decoder) set(id uint16, p []byte) {
	v9 := d.version == versionV9
	switch {
	case id >= firstData:
		d.data(id, p)
	case v9 && id == templatesV9, !v9 && id == templatesIPFIX:
		d.templates(p)
	case v9 && id == optionsV9:
		d.optionsV9(p)
	case !v9 && id == optionsIPFIX:
		d.optionsIPFIX(p)
	default:
		d.w.Refuse(refusal.SetReserved)
	}
}

// data decodes the records of a data set. What is left and shorter than a record is padding,
// whatever its octets are.
func (d *Decoder) data(id uint16, p []byte) {
	t := d.x.Template(d.domain, id, &d.w.Refused)
	switch {
	case t == nil:
		d.w.Refuse(refusal.TemplateUnknown)
		d.uncounted = true
		if d.Unknown != nil {
			d.Unknown(d.header, id, p)
		}
	case t.Options:
		d.options(t, p)
	default:
		d.flows(t, p)
	}
}

// flows decodes the records of a data set of flows.
func (d *Decoder) flows(t *template.Template, p []byte) {
	row := d.w.Batch().Rows()
	if t.Plan.Length() != 0 {
		d.fixed(t.Plan, p)
	} else {
		d.variable(t, p)
	}
	if t.Reverse != nil {
		d.reverse(t, p)
	}
	d.x.Name(d.w.Batch(), row, d.w.Batch().Rows()-row)
}

// reverse decodes the other direction of biflows into rows of their own, behind those of the set.
// A flow that nothing answered has none.
func (d *Decoder) reverse(t *template.Template, p []byte) {
	for least := template.MinLength(t.Fields); len(p) >= least; {
		r := d.w.Next()
		if r == nil {
			d.w.Refuse(refusal.RecordLimit)
			return
		}
		n := t.Reverse.Decode(p, r, &d.ctx)
		if n == 0 {
			return // counted before
		}
		if r.Number(flow.Bytes)|r.Number(flow.Packets) != 0 {
			d.w.Commit()
		}
		p = p[n:]
	}
}

// fixed decodes records that all have the same length.
func (d *Decoder) fixed(plan *template.Plan, p []byte) {
	length := plan.Length()
	n := d.w.Room(len(p) / length)
	for i := range n {
		r := d.w.Next()
		plan.Decode(p[i*length:][:length], r, &d.ctx)
		d.w.Commit()
	}
	plan.Columns(d.w.Batch(), d.w.Batch().Rows()-n, n, p, length)
	d.records += uint32(n) //nolint:gosec // of a datagram
	if n < len(p)/length {
		d.refuseRest()
	}
}

// variable decodes records with fields of variable length.
func (d *Decoder) variable(t *template.Template, p []byte) {
	least := template.MinLength(t.Fields)
	for len(p) >= least {
		r := d.w.Next()
		if r == nil {
			d.refuseRest()
			return
		}
		n := t.Plan.Decode(p, r, &d.ctx)
		if n == 0 {
			d.w.Refuse(refusal.RecordMalformed)
			return
		}
		d.w.Commit()
		d.records++
		p = p[n:]
	}
}

func (d *Decoder) refuseRest() {
	d.w.Refuse(refusal.RecordLimit)
	d.uncounted = true
}

// options reads the records of an options data set.
func (d *Decoder) options(t *template.Template, p []byte) {
	for least := template.MinLength(t.Fields); len(p) >= least; {
		n := d.x.Options(d.domain, t, p, &d.w.Refused)
		if n == 0 {
			d.w.Refuse(refusal.RecordMalformed)
			return
		}
		d.Statistics.count(d.w, t, p)
		d.records++
		p = p[n:]
	}
}
