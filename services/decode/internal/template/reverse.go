// SPDX-License-Identifier: Apache-2.0

package template

import (
	"slices"

	"github.com/weirflow/weir/services/decode/internal/ie"
)

// opposite pairs the elements of one end with those of the other.
var opposite = func() map[uint16]uint16 {
	both := map[uint16]uint16{}
	for _, p := range [][2]uint16{
		{7, 11},
		{8, 12},
		{9, 13},
		{10, 14},
		{16, 17},
		{27, 28},
		{29, 30},
		{56, 80},
		{58, 59},
		{128, 129},
		{180, 181},
		{182, 183},
		{234, 235},
		{243, 254},
		{252, 253},
	} {
		both[p[0]], both[p[1]] = p[1], p[0]
	}
	return both
}()

// common are the elements that hold for both directions, where no reverse element says otherwise:
// protocol, times, sampling, application and the like.
var common = []uint16{
	4, 21, 22, 34, 48, 50, 60, 95, 96, 136, 138, 150, 151, 152, 153, 154, 155, 156, 157, 158, 159,
	160, 161, 162, 239, 245, 256, 302, 305, 322, 323, 324, 325, 351,
}

// compileReverse makes the plan of the other direction of a biflow (RFC 5103 §3): reverse elements
// are its values, and the ends change places. It returns nil where no reverse element is of use.
func compileReverse(fields []Field, added ie.Mapping) *Plan {
	told := func(id uint16) bool {
		return slices.ContainsFunc(fields, func(f Field) bool { return f.Element == ie.Element{PEN: ie.Reverse, ID: id} })
	}
	biflow := false
	turned := slices.Clone(fields)
	for i := range turned {
		e := &turned[i].Element
		id, swapped := opposite[e.ID]
		switch {
		case e.PEN == ie.Reverse:
			e.PEN = 0
			biflow = biflow || len(ie.Uses(*e)) != 0
		case e.PEN == 0 && swapped && !told(id):
			e.ID = id
		case e.PEN == 0 && slices.Contains(common, e.ID) && !told(e.ID):
		default:
			e.PEN = ScopePEN // fills nothing
		}
	}
	if !biflow {
		return nil
	}
	return compile(turned, added)
}
