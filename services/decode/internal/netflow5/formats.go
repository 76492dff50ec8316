// SPDX-License-Identifier: Apache-2.0

package netflow5

import (
	"github.com/weirflow/weir/services/decode/internal/ie"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// Elements that the records are made of.
const (
	bytes    = 1
	packets  = 2
	flows    = 3
	proto    = 4
	tos      = 5
	tcpFlags = 6
	srcPort  = 7
	srcAddr  = 8
	srcMask  = 9
	inIf     = 10
	dstPort  = 11
	dstAddr  = 12
	dstMask  = 13
	outIf    = 14
	nextHop  = 15
	srcAS    = 16
	dstAS    = 17
	last     = 21
	first    = 22
	padding  = 210
)

// column is a field of a record: element and octets.
type column struct {
	id, length uint16
}

// columns that begin several records.
var (
	tuple  = []column{{srcAddr, 4}, {dstAddr, 4}, {nextHop, 4}, {inIf, 2}, {outIf, 2}}
	counts = []column{{packets, 4}, {bytes, 4}, {first, 4}, {last, 4}}
	summed = append([]column{{flows, 4}}, counts...)
)

// format is how the datagrams of a version, or of a scheme of version 8, look.
type format struct {
	header int // octets
	record int
	fields []template.Field
	plan   *template.Plan
}

func newFormat(header int, parts ...[]column) *format {
	f := &format{header: header}
	for _, part := range parts {
		for _, c := range part {
			f.fields = append(f.fields, template.Field{Element: ie.Element{ID: c.id}, Length: c.length})
			f.record += int(c.length)
		}
	}
	f.plan = template.Compile(f.fields, nil)
	return f
}

// formats by version. Records of version 1 are of 48 octets or more: its count says how long.
var formats = map[uint16]*format{
	1: newFormat(16, tuple, counts, []column{
		{srcPort, 2}, {dstPort, 2}, {padding, 2}, {proto, 1}, {tos, 1}, {tcpFlags, 1}, {padding, 7},
	}),
	5: newFormat(24, tuple, counts, []column{
		{srcPort, 2},
		{dstPort, 2},
		{padding, 1},
		{tcpFlags, 1},
		{proto, 1},
		{tos, 1},
		{srcAS, 2},
		{dstAS, 2},
		{srcMask, 1},
		{dstMask, 1},
		{padding, 2},
	}),
	7: newFormat(24, tuple, counts, []column{
		{srcPort, 2},
		{dstPort, 2},
		{padding, 1},
		{tcpFlags, 1},
		{proto, 1},
		{tos, 1},
		{srcAS, 2},
		{dstAS, 2},
		{srcMask, 1},
		{dstMask, 1},
		{padding, 6},
	}),
}

const headerV8 = 28

// schemes of version 8, by number.
var schemes = map[byte]*format{
	1: newFormat(headerV8, summed, []column{{srcAS, 2}, {dstAS, 2}, {inIf, 2}, {outIf, 2}}),
	2: newFormat(headerV8, summed, []column{{proto, 1}, {padding, 3}, {srcPort, 2}, {dstPort, 2}}),
	3: newFormat(headerV8, summed, []column{{srcAddr, 4}, {srcMask, 1}, {padding, 1}, {srcAS, 2}, {inIf, 2}, {padding, 2}}),
	4: newFormat(headerV8, summed, []column{{dstAddr, 4}, {dstMask, 1}, {padding, 1}, {dstAS, 2}, {outIf, 2}, {padding, 2}}),
	5: newFormat(headerV8, summed, []column{
		{srcAddr, 4}, {dstAddr, 4}, {srcMask, 1}, {dstMask, 1}, {padding, 2}, {srcAS, 2}, {dstAS, 2}, {inIf, 2}, {outIf, 2},
	}),
	6: newFormat(headerV8, []column{{dstAddr, 4}}, counts, []column{{outIf, 2}, {tos, 1}, {padding, 9}}),
	7: newFormat(headerV8, []column{{dstAddr, 4}, {srcAddr, 4}}, counts, []column{
		{outIf, 2}, {inIf, 2}, {tos, 1}, {padding, 11},
	}),
	8: newFormat(headerV8, []column{{dstAddr, 4}, {srcAddr, 4}, {dstPort, 2}, {srcPort, 2}}, counts, []column{
		{outIf, 2}, {inIf, 2}, {tos, 1}, {proto, 1}, {padding, 10},
	}),
	9:  newFormat(headerV8, summed, []column{{srcAS, 2}, {dstAS, 2}, {inIf, 2}, {outIf, 2}, {tos, 1}, {padding, 3}}),
	10: newFormat(headerV8, summed, []column{{proto, 1}, {tos, 1}, {padding, 2}, {srcPort, 2}, {dstPort, 2}, {inIf, 2}, {outIf, 2}}),
	11: newFormat(headerV8, summed, []column{{srcAddr, 4}, {srcMask, 1}, {tos, 1}, {srcAS, 2}, {inIf, 2}, {padding, 2}}),
	12: newFormat(headerV8, summed, []column{{dstAddr, 4}, {dstMask, 1}, {tos, 1}, {dstAS, 2}, {outIf, 2}, {padding, 2}}),
	13: newFormat(headerV8, summed, []column{
		{srcAddr, 4},
		{dstAddr, 4},
		{srcMask, 1},
		{dstMask, 1},
		{tos, 1},
		{padding, 1},
		{srcAS, 2},
		{dstAS, 2},
		{inIf, 2},
		{outIf, 2},
	}),
	14: newFormat(headerV8, summed, []column{
		{srcAddr, 4},
		{dstAddr, 4},
		{srcMask, 1},
		{dstMask, 1},
		{tos, 1},
		{proto, 1},
		{srcPort, 2},
		{dstPort, 2},
		{inIf, 2},
		{outIf, 2},
	}),
}
