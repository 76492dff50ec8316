// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"slices"

	"github.com/weirflow/weir/services/probe/internal/element"
	"github.com/weirflow/weir/services/probe/internal/packet"
)

// Field is an element of a layout.
type Field struct {
	element.Element
	Octets  uint16 // in a record; the most of an element of variable length, see Section
	Key     bool
	Reverse bool // of the other direction (RFC 5103)
}

// Shape is a layout for one IP version: the fields that its packets have. Each shape has a
// template of its own, so that a record of IPv4 has no empty place for IPv6 addresses.
type Shape struct {
	Index  int   // 0: IPv4, 1: IPv6, 2: others
	Family uint8 // 4, 6 or 0
	Fields []ShapeField
	Octets int  // of a record, but for what is of variable length
	Takes  bool // whether packets of the family are measured

	SectionAt int // place in the row of the element of variable length; none: -1

	keys  []Field
	first []Field // that the first packet tells
	key   int     // octets of the keys
	row   int     // octets of keys and first
}

// ShapeField is a field and where its value is.
type ShapeField struct {
	Field
	At int // in the row, if the value is one of packets
}

// Announced is the length that a template tells.
func (f *Field) Announced() uint16 {
	if f.Length == element.Variable {
		return element.Variable
	}
	return f.Octets
}

// shapes makes the shapes of a layout. A packet of an IP version without its addresses is
// not measured by a layout that has those of the other version as keys: its flow would
// be between addresses that are not there.
func shapes(layout []Field) [3]Shape {
	var has [7]bool
	for _, f := range layout {
		if f.Key && f.Family != 0 && f.Length >= 4 {
			has[f.Family] = true
		}
	}
	all := !has[4] && !has[6]
	var s [3]Shape
	for i, family := range []uint8{4, 6, 0} {
		s[i] = shape(layout, family)
		s[i].Index, s[i].Takes = i, all || has[family]
	}
	return s
}

func shape(layout []Field, family uint8) Shape {
	s := Shape{Family: family}
	for _, f := range layout {
		if f.Family != 0 && f.Family != family {
			continue
		}
		s.Fields = append(s.Fields, ShapeField{Field: f})
		if f.Length != element.Variable {
			s.Octets += int(f.Octets)
		}
	}
	s.place(&s.keys, func(f *ShapeField) bool { return f.Key })
	s.key = s.row
	s.place(&s.first, func(f *ShapeField) bool { return !f.Key && f.Length != element.Variable })
	s.SectionAt = -1
	if i := Section(layout); i >= 0 {
		s.SectionAt = s.row
		s.place(&s.first, func(f *ShapeField) bool { return f.Length == element.Variable })
	}
	return s
}

// place gives those of the fields that are properties of packets their places in the row.
func (s *Shape) place(list *[]Field, these func(*ShapeField) bool) {
	for i := range s.Fields {
		if f := &s.Fields[i]; f.Value.OfPacket() && these(f) {
			f.At = s.row
			s.row += int(f.Octets)
			*list = append(*list, f.Field)
		}
	}
}

// Section returns the index of the element of variable length, of which a layout has one at
// most, or -1.
func Section(layout []Field) int {
	return slices.IndexFunc(layout, func(f Field) bool { return f.Length == element.Variable })
}

// appendValues appends the values of some fields.
func appendValues(b []byte, p *packet.Packet, fields []Field) []byte {
	for i := range fields {
		f := &fields[i]
		b = f.Append(b, p, f.Octets)
	}
	return b
}

// Bytes returns the value of an element of r that is one of packets, nil if the layout
// does not have it.
func (r *Record) Bytes(id uint16) []byte {
	for i := range r.Shape.Fields {
		if f := &r.Shape.Fields[i]; f.ID == id && f.Value.OfPacket() {
			return r.Row[f.At : f.At+int(f.Octets)]
		}
	}
	return nil
}

// Uint is Bytes as a number, 0 if the layout does not have it.
func (r *Record) Uint(id uint16) (v uint64) {
	for _, b := range r.Bytes(id) {
		v = v<<8 | uint64(b)
	}
	return v
}
