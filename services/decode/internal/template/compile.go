// SPDX-License-Identifier: Apache-2.0

package template

import (
	"slices"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/ie"
)

// Compile makes the plan of a template.
func Compile(fields []Field, added ie.Mapping) *Plan {
	p := compile(fields, added)
	if len(p.fixed) == 1 && !p.lists {
		p.columns = slices.Collect(p.independent)
		p.ops = slices.DeleteFunc(p.ops, func(o op) bool { return slices.Contains(p.columns, o) })
	}
	return p
}

func compile(fields []Field, added ie.Mapping) *Plan {
	p := &Plan{}
	off := 0
	for i, f := range fields {
		if shadowed(fields, i) {
			p.addOuter(f, off)
		} else {
			p.add(f, off, added)
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
	p.settleFamily()
	p.settle()
	for _, f := range []flow.Field{flow.InIf, flow.OutIf} {
		if i := slices.IndexFunc(p.ops, func(o op) bool { return o.field == f }); i >= 0 {
			p.ports = append(p.ports, p.ops[i])
		}
	}
	return p
}

// independent yields the ops that nothing else in the record has to do with: a plain number, in
// no more octets than its field has, that no other op fills too and no rule looks at.
func (p *Plan) independent(yield func(op) bool) {
	var fills [256]int
	for _, o := range p.ops {
		fills[o.field]++
	}
	for _, o := range p.ops {
		alone := o.code >= plain1 && o.code <= plainIPv6 && fills[o.field] == 1 && int(o.size) <= o.field.Info().Width
		if alone && o.field != flow.EType && o.field != flow.ICMPCode && o.field != flow.ExporterAddress && !yield(o) {
			return
		}
	}
}

// settleFamily looks whether all records are of one address family. Then what is true of one
// family only is plain, or is not there, and only the addresses tell the EtherType.
func (p *Plan) settleFamily() {
	p.etherType = family(p.ops)
	if p.etherType == 0 {
		return
	}
	mine, other := ie.NumberV4, ie.NumberV6
	if p.etherType == etherIPv6 {
		mine, other = other, mine
	}
	p.ops = slices.DeleteFunc(p.ops, func(o op) bool { return o.how == other || o.field == flow.EType })
	for i := range p.ops {
		if p.ops[i].how == mine {
			p.ops[i].how = ie.Number
		}
	}
}

// family returns the EtherType of all flow addresses, 0 where they differ, or where a record may
// have others in a section of a packet.
func family(ops []op) (etherType uint64) {
	for _, o := range ops {
		t := uint64(etherIPv6)
		switch {
		case o.how == ie.Frame || o.how == ie.IPPacket || o.size == Variable:
			return 0
		case !o.tellsEType():
			continue
		case o.how == ie.AddressV4:
			t = etherIPv4
		}
		if etherType != 0 && etherType != t {
			return 0
		}
		etherType = t
	}
	return etherType
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
func (p *Plan) add(f Field, off int, added ie.Mapping) {
	for _, u := range added.Uses(f.Element) {
		if !fits(u.How, f.Length) {
			continue
		}
		p.lists = p.lists || isList(u.How)
		p.ops = append(p.ops, op{
			how: u.How, field: u.Field, rank: u.Rank,
			off: uint16(off), size: f.Length, segment: uint16(len(p.fixed)), //nolint:gosec // a record is shorter than a datagram
		})
	}
}

// addOuter appends the op of an address that comes again: it is that of the outermost header.
func (p *Plan) addOuter(f Field, off int) {
	for _, u := range ie.Uses(f.Element) {
		if outer, ok := outerOf(u.Field); ok && fits(u.How, f.Length) {
			p.ops = append(p.ops, op{
				how: u.How, field: outer, rank: u.Rank,
				off: uint16(off), size: f.Length, segment: uint16(len(p.fixed)), //nolint:gosec // as in add
			})
		}
	}
}

// outerOf returns the field of an address of the outer header of a tunnel.
func outerOf(f flow.Field) (outer flow.Field, ok bool) {
	switch f {
	case flow.SrcAddr:
		return flow.TunnelSrcAddr, true
	case flow.DstAddr:
		return flow.TunnelDstAddr, true
	}
	return 0, false
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
	case ie.SegmentsV6:
		return length >= 16 && length%16 == 0
	case ie.ListWords, ie.Words:
		return length >= 4 && length%4 == 0
	case ie.Frame, ie.IPPacket, ie.RoutingHeader, ie.Text, ie.BasicList, ie.SubTemplateList, ie.SubTemplateMultiList:
		return length > 0
	default: // numbers; RFC 7011 §6.2 lets them be shorter
		return length >= 1 && length <= 8
	}
}

// settle decides which ops yield to what is there already, and which are plain.
func (p *Plan) settle() {
	var filled [256]bool
	var before [256]uint8 // rank of the last address op of a field, and 1
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
			o.inner = before[o.field] == o.rank+1
			before[o.field] = o.rank + 1
		}
		if !o.keep && o.size != Variable {
			o.code = p.plainCode(o)
		}
	}
}

func (p *Plan) plainCode(o *op) code {
	tellsEType := p.etherType == 0 && o.tellsEType()
	switch {
	case o.how == ie.Number:
		return numberCode(o.size)
	case o.how == ie.AddressV4 && !tellsEType:
		return plainIPv4
	case o.how == ie.AddressV6 && !tellsEType:
		return plainIPv6
	case o.how == ie.Uptime && o.size == 4:
		return uptime4
	case o.how == ie.Milliseconds && o.size == 8:
		return milliseconds8
	}
	return special
}

func numberCode(size uint16) code {
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
