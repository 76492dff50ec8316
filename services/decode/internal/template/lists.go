// SPDX-License-Identifier: Apache-2.0

package template

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/ie"
	"github.com/weirflow/weir/services/decode/internal/refusal"
)

func isList(how ie.How) bool {
	return how == ie.BasicList || how == ie.SubTemplateList || how == ie.SubTemplateMultiList
}

// collection executes an op that fills a text, a list, or whatever the elements of a list of
// RFC 6313 fill.
func (o *op) collection(b []byte, r *flow.Record, c *Context) {
	switch o.how {
	case ie.NumberLittle:
		var v uint64
		for i, octet := range b {
			v |= uint64(octet) << (8 * i)
		}
		o.number(v, r)
	case ie.ListNumber:
		r.AddNumber(o.field, number(b))
	case ie.ListWords:
		for ; len(b) >= 4; b = b[4:] {
			r.AddNumber(o.field, number(b[:4]))
		}
	case ie.Words:
		o.words(b, r, c)
	case ie.Text:
		if i := bytes.IndexByte(b, 0); i >= 0 {
			b = b[:i]
		}
		r.SetNumber(o.field, c.Batch.InternBytes(o.field, b[:min(len(b), maxText)]))
	default:
		c.list(o.how, b, r, 1)
	}
}

// words sets a text of numbers in hexadecimal, but not of zeros alone.
func (o *op) words(b []byte, r *flow.Record, c *Context) {
	var room [64]byte
	text, any := room[:0], false
	for ; len(b) >= 4 && len(text) < 40; b = b[4:] {
		if len(text) != 0 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, b[:4])
		any = any || binary.BigEndian.Uint32(b) != 0
	}
	if any {
		r.SetNumber(o.field, c.Batch.InternBytes(o.field, text))
	}
}

// list walks a list of RFC 6313 §4.5. Of its elements the record takes what it has not yet.
func (c *Context) list(how ie.How, b []byte, r *flow.Record, depth int) {
	if depth > c.MaxNesting {
		c.Refused.Add(refusal.NestingLimit)
		return
	}
	whole := false
	switch b = b[1:]; how { // behind the octet of semantics
	case ie.BasicList:
		whole = c.basicList(b, r, depth)
	case ie.SubTemplateList:
		whole = len(b) >= 2 && c.records(binary.BigEndian.Uint16(b), b[2:], r, depth)
	default:
		whole = c.multiList(b, r, depth)
	}
	if !whole {
		c.Refused.Add(refusal.ListMalformed)
	}
}

// basicList walks values of one element (§4.5.1).
func (c *Context) basicList(b []byte, r *flow.Record, depth int) bool {
	if len(b) < 4 {
		return false
	}
	f := Field{Element: ie.Element{ID: binary.BigEndian.Uint16(b)}, Length: binary.BigEndian.Uint16(b[2:])}
	b = b[4:]
	if f.ID&enterpriseBit != 0 {
		if len(b) < 4 {
			return false
		}
		f.ID &^= enterpriseBit
		f.PEN = binary.BigEndian.Uint32(b)
		b = b[4:]
	}
	if f.Length == 0 {
		return len(b) == 0
	}
	for len(b) > 0 {
		n := c.value(f, b, r, depth)
		if n == 0 {
			return false
		}
		b = b[n:]
	}
	return true
}

const enterpriseBit = 0x8000

// multiList walks records of several templates (§4.5.3).
func (c *Context) multiList(b []byte, r *flow.Record, depth int) bool {
	const head = 4
	for len(b) >= head {
		id, length := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if length < head || length > len(b) || !c.records(id, b[head:length], r, depth) {
			return false
		}
		b = b[length:]
	}
	return len(b) == 0
}

// records walks records of a template (§4.5.2).
func (c *Context) records(id uint16, b []byte, r *flow.Record, depth int) bool {
	t := c.Domain.Template(id)
	if t == nil {
		c.Refused.Add(refusal.TemplateUnknown)
		return true
	}
	for least := MinLength(t.Fields); len(b) >= least; {
		for _, f := range t.Fields {
			n := c.value(f, b, r, depth)
			if n == 0 && f.Length != 0 {
				return false
			}
			b = b[n:]
		}
	}
	return true
}

// value takes the value of an element, with which b begins, and returns its octets, 0 when b ends
// before it does.
func (c *Context) value(f Field, b []byte, r *flow.Record, depth int) int {
	head, size := 0, int(f.Length)
	if f.Length == Variable {
		if head, size = variable(b, 0); head == 0 {
			return 0
		}
	}
	if head+size > len(b) {
		return 0
	}
	octets := b[head : head+size]
	for _, u := range ie.Uses(f.Element) {
		switch {
		case !fits(u.How, uint16(size)) || u.How == ie.Frame || u.How == ie.IPPacket: //nolint:gosec // within a datagram
		case isList(u.How):
			c.list(u.How, octets, r, depth+1)
		case !r.Has(u.Field) || u.Field.Info().Kind >= flow.Numbers:
			o := op{how: u.How, field: u.Field}
			o.execute(octets, r, c)
		}
	}
	return head + size
}
