// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"encoding/binary"
	"errors"
)

// dictionary is the distinct values of a text column in one insert, the empty text first.
type dictionary struct {
	places map[string]int
	values []byte // each with its length before it
	remap  []int  // place of each value of the batch that is being added
	width  int    // octets of a place
}

// LowCardinality on the wire: flags and the width of the places, the dictionary, the places.
const (
	ownDictionary    = 1 << 9  // HasAdditionalKeysBit
	updateDictionary = 1 << 10 // NeedUpdateDictionary
)

var errTextIndex = errors.New("a text index lies beyond its dictionary")

// beginText starts a text column.
func (c *encoded) beginText() {
	d := &c.text
	if d.places == nil {
		d.places = map[string]int{}
	}
	clear(d.places)
	d.places[""] = 0
	d.values = append(d.values[:0], 0)
	d.width = 1
}

// addText appends rows texts, given as indexes into values: 0 is the empty text, n is
// values[n-1]. Rows that indexes lacks are empty.
func (c *encoded) addText(values []string, indexes []byte, width, rows int) error {
	d := &c.text
	d.remap = append(d.remap[:0], 0)
	for _, v := range values {
		place, ok := d.places[v]
		if !ok {
			place = len(d.places)
			d.places[v] = place
			d.values = append(binary.AppendUvarint(d.values, uint64(len(v))), v...)
		}
		d.remap = append(d.remap, place)
	}
	if w := placeWidth(len(d.places)); w > d.width {
		c.body = appendWidened(nil, c.body, d.width, w, len(c.body)/d.width)
		d.width = w
	}
	start := len(c.body)
	c.body = append(c.body, make([]byte, rows*d.width)...)
	out := c.body[start:]
	for i := range rows {
		index := at(indexes, width, i)
		if index >= uint64(len(d.remap)) {
			return errTextIndex
		}
		place := d.remap[index]
		for n := range d.width {
			out[i*d.width+n] = byte(place >> (8 * n))
		}
	}
	return nil
}

// endText completes a text column of rows rows.
func (c *encoded) endText(rows int) {
	d := &c.text
	flags := uint64(ownDictionary | updateDictionary)
	for w := d.width; w > 1; w /= 2 {
		flags++ // 0 is 1 octet, 1 is 2, 2 is 4
	}
	c.head = binary.LittleEndian.AppendUint64(c.head, flags)
	c.head = binary.LittleEndian.AppendUint64(c.head, uint64(len(d.places)))
	c.head = append(c.head, d.values...)
	c.head = binary.LittleEndian.AppendUint64(c.head, uint64(rows)) //nolint:gosec // a length
}

// placeWidth is how many octets a place among n needs.
func placeWidth(n int) int {
	switch {
	case n <= 1<<8:
		return 1
	case n <= 1<<16:
		return 2
	default:
		return 4
	}
}
