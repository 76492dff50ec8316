// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// encoder writes the entries of a table as columns.
type encoder struct {
	texts     *dictionary[string]
	exporters *dictionary[[16]byte]
	columns   [][]uint64 // of the table in hand: keys, then measures
	starts    []uint64
	partials  []uint64
	remap     []uint64 // by number of a text: its number in the column
	arena     []byte   // of the columns of a flush
}

const leastArena = 64 << 10

// octets returns n octets that stay until the next flush. They are not cleared.
func (e *encoder) octets(n int) []byte {
	if len(e.arena)+n > cap(e.arena) { // the old one lives on in the columns that are made
		e.arena = make([]byte, 0, max(2*cap(e.arena), n, leastArena))
	}
	at := len(e.arena)
	e.arena = e.arena[:at+n]
	return e.arena[at : at+n : at+n]
}

// write fills r with the entries of t, which has the layout of v. Windows that start before
// closed had been closed before, and those before open are with this flush.
func (e *encoder) write(r *weirv1.Rollup, v *view, t *table, open uint64) (rows [4]int) {
	n := t.len()
	e.starts, e.partials = slices.Grow(e.starts[:0], n)[:n], slices.Grow(e.partials[:0], n)[:n]
	for i := range n {
		start := t.entries[i*t.stride]
		partial := weirv1.Partial_PARTIAL_EARLY
		switch {
		case start < v.closed:
			partial = weirv1.Partial_PARTIAL_LATE
		case start < open:
			partial = weirv1.Partial_PARTIAL_CLOSING
		}
		e.starts[i], e.partials[i] = start, uint64(partial) //nolint:gosec // small
		rows[partial]++
	}
	r.Rows = uint32(n) //nolint:gosec // a few times the limit
	r.WindowStart, r.Partial = e.fixedWidth(e.starts), e.fixedWidth(e.partials)
	e.gather(v, t)
	for i, k := range v.keys {
		c := &weirv1.RollupColumn{Name: k.Name}
		e.writeKey(c, t, v.places[i], k.Kind, e.columns[i])
		r.Keys = append(r.Keys, c)
	}
	for i, m := range v.measures {
		r.Sums = append(r.Sums, &weirv1.RollupColumn{Name: m.Name, Values: e.fixedWidth(e.columns[len(v.keys)+i]), Combine: m.Combine()})
	}
	return rows
}

// writeKey fills the column of a key.
func (e *encoder) writeKey(c *weirv1.RollupColumn, t *table, p place, kind flow.Kind, values []uint64) {
	switch {
	case p.wide:
		c.Values = e.octets(16 * t.len())[:0]
		for at := p.word; at < len(t.entries); at += t.stride {
			c.Values = binary.BigEndian.AppendUint64(c.Values, t.entries[at])
			c.Values = binary.BigEndian.AppendUint64(c.Values, t.entries[at+1])
		}
	case kind == flow.Address:
		c.Values = e.octets(16 * t.len())[:0]
		for _, n := range values {
			a := e.exporters.value(n)
			c.Values = append(c.Values, a[:]...)
		}
	case kind == flow.Text:
		c.Text = e.text(values)
	default:
		c.Values = e.fixedWidth(values)
	}
}

// text makes a column of numbers, with a dictionary of those that are there.
func (e *encoder) text(numbers []uint64) *weirv1.TextColumn {
	c := &weirv1.TextColumn{}
	e.remap = zeros(e.remap, len(e.texts.values)+1)
	for i, n := range numbers {
		if n == 0 {
			continue
		}
		if e.remap[n] == 0 {
			c.Values = append(c.Values, e.texts.value(n))
			e.remap[n] = uint64(len(c.Values))
		}
		numbers[i] = e.remap[n]
	}
	c.Indexes = e.fixedWidth(numbers)
	return c
}

// gather takes the entries apart, each in one go.
func (e *encoder) gather(v *view, t *table) {
	n, width := t.len(), len(v.keys)+len(v.measures)
	for len(e.columns) < width {
		e.columns = append(e.columns, nil)
	}
	for c := range width {
		e.columns[c] = slices.Grow(e.columns[c][:0], n)[:n]
	}
	for i := range n {
		entry := t.entries[i*t.stride : (i+1)*t.stride]
		for c, p := range v.places {
			e.columns[c][i] = entry[p.word] >> p.shift & p.mask
		}
		for c, sum := range entry[t.keyWords : t.keyWords+len(v.measures)] {
			e.columns[len(v.keys)+c][i] = sum
		}
	}
}

// fixedWidth returns values as a column of the least width that holds them all.
func (e *encoder) fixedWidth(values []uint64) []byte {
	used := uint64(0)
	for _, v := range values {
		used |= v
	}
	switch n := bits.Len64(used); {
	case n <= 8:
		column := e.octets(len(values))
		for i, v := range values {
			column[i] = byte(v)
		}
		return column
	case n <= 16:
		column := e.octets(2 * len(values))
		for i, v := range values {
			binary.LittleEndian.PutUint16(column[2*i:], uint16(v)) //nolint:gosec // 16 bits
		}
		return column
	case n <= 32:
		column := e.octets(4 * len(values))
		for i, v := range values {
			binary.LittleEndian.PutUint32(column[4*i:], uint32(v)) //nolint:gosec // 32 bits
		}
		return column
	default:
		column := e.octets(8 * len(values))
		for i, v := range values {
			binary.LittleEndian.PutUint64(column[8*i:], v)
		}
		return column
	}
}
