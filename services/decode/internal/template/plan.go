// SPDX-License-Identifier: Apache-2.0

package template

import (
	"encoding/binary"

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
	plainIPv4
	plainIPv6
	uptime4       // ie.Uptime
	milliseconds8 // ie.Milliseconds
)

// op writes one field of a record into a flow.
type op struct {
	code  code
	how   ie.How
	field flow.Field
	keep  bool   // a zero does not replace what is there
	inner bool   // an address that it replaces is one of the outer header
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
	// columns are the ops that Columns executes, for all records of a set at once.
	columns []op
	// etherType is that of all records, 0 where the template does not tell.
	etherType uint64
	// ports are the ops of the interfaces, input first.
	ports []op
	// lists says that records have lists of RFC 6313.
	lists bool
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

// number reads a big-endian number of up to 8 octets.
func number(b []byte) (v uint64) {
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}

// Columns writes what Decode leaves to it, of n records that are the rows from row on: the first
// one begins data, the others follow stride octets apart.
func (p *Plan) Columns(b *flow.Batch, row, n int, data []byte, stride int) {
	if n == 0 {
		return
	}
	for i := range p.columns {
		o := &p.columns[i]
		switch from := data[o.off:]; o.code {
		case plainIPv4:
			b.PutStridedIPv4(o.field, row, n, from, stride)
		case plainIPv6:
			b.PutStridedIPv6(o.field, row, n, from, stride)
		default:
			b.PutStrided(o.field, row, n, from, stride, int(o.size))
		}
	}
}

// Decode writes one record, with which data begins, into r and returns its octets; 0 when
// data ends before the record does. A record of fixed length must be there as a whole, and
// Columns writes the rest of its fields.
func (p *Plan) Decode(data []byte, r *flow.Record, c *Context) int {
	length := p.fixed[0]
	if len(p.fixed) > 1 {
		if length = p.segments(data, c); length == 0 {
			return 0
		}
	}
	c.start()
	if p.etherType != 0 {
		r.SetNumber(flow.EType, p.etherType)
	}
	for i := range p.ops {
		o := &p.ops[i]
		b := o.at(data, c)
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
		case plainIPv4:
			r.SetIPv4(o.field, binary.BigEndian.Uint32(b))
		case plainIPv6:
			r.SetAddress(o.field, [16]byte(b))
		case uptime4:
			o.stamp(c.uptime(binary.BigEndian.Uint32(b)), r)
		case milliseconds8:
			o.stamp(binary.BigEndian.Uint64(b)*millisecond, r)
		default:
			o.execute(o.octets(b), r, c)
		}
	}
	p.finish(data, r, c)
	return length
}

// at returns the record from where the field is.
func (o *op) at(data []byte, c *Context) []byte {
	if o.segment != 0 {
		return data[int(c.starts[o.segment])+int(o.off):]
	}
	return data[o.off:]
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
