// SPDX-License-Identifier: Apache-2.0

package template

import (
	"encoding/binary"
	"slices"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/ie"
)

// code says how an op is executed. The plain ones are what most fields of most records
// are; the others go by op.how.
type code uint8

const (
	special code = iota
	plain1
	plain2
	plain4
	plain8
	plainN
)

// op writes one field of a record into a flow.
type op struct {
	code  code
	how   ie.How
	field flow.Field
	keep  bool   // a zero does not replace what is there
	off   uint16 // from the start of its segment
	size  uint16 // Variable: told by the record
	// segment counts the fields of variable length before; where segments start differs
	// from record to record.
	segment uint16
	// rank and place order the ops.
	rank uint8
}

// Plan is a compiled template.
type Plan struct {
	ops []op
	// fixed has the octets of each segment without the variable field that ends it.
	fixed []int
}

// Length returns the octets of every record, 0 where they differ.
func (p *Plan) Length() int {
	if len(p.fixed) == 1 {
		return p.fixed[0]
	}
	return 0
}

// Compile makes the plan of a template.
func Compile(fields []Field) *Plan {
	p := &Plan{}
	off := 0
	for i, f := range fields {
		if !shadowed(fields, i) {
			p.add(f, off)
		}
		if f.Length == Variable {
			p.fixed = append(p.fixed, off)
			off = 0
		} else {
			off += int(f.Length)
		}
	}
	p.fixed = append(p.fixed, off)
	slices.SortStableFunc(p.ops, func(a, b op) int { return int(a.rank) - int(b.rank) })
	p.settle()
	return p
}

// shadowed tells whether the same element comes again: RFC 7011 §8 has repeated elements
// in the order of the packet's treatment, so that the last one is the innermost. Lists take all.
func shadowed(fields []Field, i int) bool {
	for _, f := range fields[i+1:] {
		if f.Element == fields[i].Element && f.Length != 0 {
			return true
		}
	}
	return false
}

// add appends the ops of a field, unless its length makes no sense.
func (p *Plan) add(f Field, off int) {
	for _, u := range ie.Uses(f.Element) {
		if !fits(u.How, f.Length) {
			continue
		}
		p.ops = append(p.ops, op{
			how: u.How, field: u.Field, rank: u.Rank,
			off: uint16(off), size: f.Length, segment: uint16(len(p.fixed)), //nolint:gosec // a record is shorter than a datagram
		})
	}
}

// fits tells whether a field of this length can be what it should be.
func fits(how ie.How, length uint16) bool {
	if length == Variable {
		return true
	}
	switch how {
	case ie.AddressV4, ie.ListV4:
		return length == 4
	case ie.AddressV6, ie.ListV6:
		return length == 16
	case ie.NTPMicro, ie.NTPNano:
		return length == 8
	case ie.MPLSLabelSection:
		return length == 3
	case ie.Frame, ie.IPPacket:
		return length > 0
	default: // numbers; RFC 7011 §6.2 lets them be shorter
		return length >= 1 && length <= 8
	}
}

// settle decides which ops yield to what is there already, and which are plain.
func (p *Plan) settle() {
	var filled [256]bool
	section := false
	for i := range p.ops {
		o := &p.ops[i]
		o.keep = section || filled[o.field]
		filled[o.field] = true
		switch o.how {
		case ie.Frame, ie.IPPacket:
			section = true
		case ie.ICMPTypeCode:
			filled[flow.ICMPCode] = true
		case ie.AddressV4, ie.AddressV6:
			filled[flow.EType] = true
		}
		if o.how == ie.Number && !o.keep && o.size != Variable {
			o.code = plainCode(o.size)
		}
	}
}

func plainCode(size uint16) code {
	switch size {
	case 1:
		return plain1
	case 2:
		return plain2
	case 4:
		return plain4
	case 8:
		return plain8
	default:
		return plainN
	}
}

// number reads a big-endian number of up to 8 octets.
func number(b []byte) (v uint64) {
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}

// Decode writes one record, of which data begins, into r and returns its octets; 0 when
// data ends before the record does. A record of fixed length must be there as a whole.
func (p *Plan) Decode(data []byte, r *flow.Record, c *Context) int {
	length := p.fixed[0]
	if len(p.fixed) > 1 {
		if length = p.segments(data, c); length == 0 {
			return 0
		}
	}
	c.start()
	for i := range p.ops {
		o := &p.ops[i]
		b := data[o.off:]
		if o.segment != 0 {
			b = data[int(c.starts[o.segment])+int(o.off):]
		}
		switch o.code {
		case plain1:
			r.SetNumber(o.field, uint64(b[0]))
		case plain2:
			r.SetNumber(o.field, uint64(binary.BigEndian.Uint16(b)))
		case plain4:
			r.SetNumber(o.field, uint64(binary.BigEndian.Uint32(b)))
		case plain8:
			r.SetNumber(o.field, binary.BigEndian.Uint64(b))
		case plainN:
			r.SetNumber(o.field, number(b[:o.size]))
		default:
			p.special(o, o.octets(b), r, c)
		}
	}
	c.finish(r)
	return length
}

// octets returns the field's own octets, with which b starts.
func (o *op) octets(b []byte) []byte {
	if o.size != Variable {
		return b[:o.size]
	}
	head, size := variable(b, 0)
	b = b[head:][:size]
	if !fits(o.how, uint16(size)) { //nolint:gosec // within a datagram
		return nil
	}
	return b
}

// segments finds where the segments of a record with variable lengths start, and returns
// the record's octets, 0 when data is too short.
func (p *Plan) segments(data []byte, c *Context) int {
	at := 0
	for i, n := range p.fixed {
		c.starts[i] = uint16(at) //nolint:gosec // within a datagram
		at += n
		if i == len(p.fixed)-1 {
			break
		}
		head, size := variable(data, at)
		at += head + size
		if head == 0 || at > len(data) {
			return 0
		}
	}
	if at > len(data) {
		return 0
	}
	return at
}

// variable reads the length of a field of variable length at data[at:], and says how many
// octets that took; 0 when data is too short (RFC 7011 §7).
func variable(data []byte, at int) (head, size int) {
	if at >= len(data) {
		return 0, 0
	}
	if size = int(data[at]); size < 255 {
		return 1, size
	}
	if at+3 > len(data) {
		return 0, 0
	}
	return 3, int(binary.BigEndian.Uint16(data[at+1:]))
}
