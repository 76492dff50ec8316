// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/flow/rollup"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// encoder writes rows as columns.
type encoder struct {
	texts     *dictionary[string]
	exporters *dictionary[[16]byte]
	columns   [][]uint64 // of the keys of a table
	partials  []uint64
	remap     []uint64 // by number of a text: its number in the column
	arena     []byte   // of the columns of a flush
}

// keyColumn is a key of all records of a table, a value each.
type keyColumn struct {
	values []byte
	width  int
	texts  []string // that the values are numbers of, from 1 on
}

const leastArena = 64 << 10

// octets is the memory of the encoder.
func (e *encoder) octets() int {
	n := cap(e.arena) + 8*(cap(e.partials)+cap(e.remap))
	for _, column := range e.columns {
		n += 8 * cap(column)
	}
	return n
}

// room returns n octets that stay until the next flush. They are not cleared.
func (e *encoder) room(n int) []byte {
	if len(e.arena)+n > cap(e.arena) { // the old one lives on in the columns that are made
		e.arena = make([]byte, 0, max(2*cap(e.arena), n, leastArena))
	}
	at := len(e.arena)
	e.arena = e.arena[:at+n]
	return e.arena[at : at+n : at+n]
}

// write fills out with the rows of v. columns are the keys of its source, which are its own where
// they are the same. Windows that start before closed had been closed before, and those before
// open are with this flush.
func (e *encoder) write(out *weirv1.Rollup, v *view, r *rows, columns []keyColumn, open uint64) (counts [4]int) {
	if !v.sameKeys {
		columns = e.keys(&v.table, v.layout)
	}
	n := r.len()
	e.partials = slices.Grow(e.partials[:0], n)[:n]
	for i, start := range r.windows {
		partial := weirv1.Partial_PARTIAL_EARLY
		switch {
		case start < v.closed:
			partial = weirv1.Partial_PARTIAL_LATE
		case start < open:
			partial = weirv1.Partial_PARTIAL_CLOSING
		}
		e.partials[i] = uint64(partial) //nolint:gosec // small
		counts[partial]++
	}
	out.Rows = uint32(n) //nolint:gosec // a few times the limit
	out.WindowStart, out.Partial = e.fixedWidth(r.windows), e.fixedWidth(e.partials)
	for i, k := range v.keys {
		c := &weirv1.RollupColumn{Name: k.Name}
		if k.Kind == flow.Text {
			c.Text = &weirv1.TextColumn{Values: columns[i].texts, Indexes: e.take(columns[i], r)}
		} else {
			c.Values = e.take(columns[i], r)
		}
		out.Keys = append(out.Keys, c)
	}
	if v.top != nil {
		out.Keys = append(out.Keys, &weirv1.RollupColumn{Name: rollup.OtherColumn, Values: e.other(r)})
	}
	for m, measure := range v.measures {
		out.Sums = append(out.Sums, &weirv1.RollupColumn{Name: measure.Name, Values: e.fixedWidth(r.sums[m]), Combine: measure.Combine()})
	}
	return counts
}

// take returns a key of the rows.
func (e *encoder) take(c keyColumn, r *rows) []byte {
	column := e.room(r.len() * c.width)
	at := copy(column, c.values[:r.plain*c.width])
	for _, record := range r.more {
		if record == folded {
			clear(column[at : at+c.width])
		} else {
			copy(column[at:], c.values[int(record)*c.width:][:c.width])
		}
		at += c.width
	}
	return column
}

// other tells folded rows apart.
func (e *encoder) other(r *rows) []byte {
	column := e.room(r.len())
	for row := range column {
		column[row] = 0
		if r.record(row) == folded {
			column[row] = 1
		}
	}
	return column
}

// keys returns the columns of the keys of a table with a layout.
func (e *encoder) keys(t *table, l layout) []keyColumn {
	e.gather(t, l)
	columns := make([]keyColumn, len(l.keys))
	for i, k := range l.keys {
		c := &columns[i]
		switch p := l.places[i]; {
		case p.wide:
			c.values = e.room(16 * len(t.records))[:0]
			for _, at := range t.records {
				_, _, key, _ := t.record(at)
				c.values = binary.BigEndian.AppendUint64(c.values, key[p.word])
				c.values = binary.BigEndian.AppendUint64(c.values, key[p.word+1])
			}
		case isExporter(k):
			c.values = e.room(16 * len(t.records))[:0]
			for _, n := range e.columns[i] {
				a := e.exporters.value(n)
				c.values = append(c.values, a[:]...)
			}
		case k.Kind == flow.Text:
			c.texts = e.text(e.columns[i])
			c.values = e.fixedWidth(e.columns[i])
		default:
			c.values = e.fixedWidth(e.columns[i])
		}
		c.width = len(c.values) / max(len(t.records), 1)
	}
	return columns
}

// gather takes the keys apart, each record in one go.
func (e *encoder) gather(t *table, l layout) {
	n := len(t.records)
	for len(e.columns) < len(l.keys) {
		e.columns = append(e.columns, nil)
	}
	for c := range l.keys {
		e.columns[c] = slices.Grow(e.columns[c][:0], n)[:n]
	}
	for first := 0; first < n; first += chunkRows {
		places := t.records[first:min(first+chunkRows, n)]
		for c, p := range l.places {
			column := e.columns[c][first:]
			for i, at := range places {
				column[i] = t.words[int(at)+header+p.word] >> p.shift & p.mask
			}
		}
	}
}

// text changes the numbers of texts to those in the list of the texts that are there.
func (e *encoder) text(numbers []uint64) (texts []string) {
	e.remap = zeros(e.remap, len(e.texts.values)+1)
	for i, n := range numbers {
		if n == 0 {
			continue
		}
		if e.remap[n] == 0 {
			texts = append(texts, e.texts.value(n))
			e.remap[n] = uint64(len(texts))
		}
		numbers[i] = e.remap[n]
	}
	return texts
}

// fixedWidth returns values as a column of the least width that holds them all.
func (e *encoder) fixedWidth(values []uint64) []byte {
	used := uint64(0)
	for _, v := range values {
		used |= v
	}
	switch n := bits.Len64(used); {
	case n <= 8:
		column := e.room(len(values))
		for i, v := range values {
			column[i] = byte(v)
		}
		return column
	case n <= 16:
		column := e.room(2 * len(values))
		for i, v := range values {
			binary.LittleEndian.PutUint16(column[2*i:], uint16(v)) //nolint:gosec // 16 bits
		}
		return column
	case n <= 32:
		column := e.room(4 * len(values))
		for i, v := range values {
			binary.LittleEndian.PutUint32(column[4*i:], uint32(v)) //nolint:gosec // 32 bits
		}
		return column
	default:
		column := e.room(8 * len(values))
		for i, v := range values {
			binary.LittleEndian.PutUint64(column[8*i:], v)
		}
		return column
	}
}
