// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// place is where a key field stands in the words of a key. The first word is the window's.
type place struct {
	field flow.Field
	word  int
	shift int
	mask  uint64
}

// places packs key fields into words: the wide ones first, so that none crosses a word.
// They are returned in the order of fields.
func places(fields []flow.Field) (list []place, words int) {
	widest := slices.Clone(fields)
	slices.SortStableFunc(widest, func(a, b flow.Field) int { return cmp.Compare(b.Info().Width, a.Info().Width) })
	at := 64 // bit; the window is before it
	byField := map[flow.Field]place{}
	for _, f := range widest {
		width := 8 * f.Info().Width
		byField[f] = place{f, at / 64, at % 64, ^uint64(0) >> (64 - width)}
		at += width
	}
	for _, f := range fields {
		list = append(list, byField[f])
	}
	return list, (at + 63) / 64
}

// flushed is what a flush wrote.
type flushed struct {
	rows    map[weirv1.Partial]int
	windows int
}

// writeRows writes all entries to r; the windows before open are closed now or were before.
func (w *windows) writeRows(r *weirv1.Rollup, open uint64) flushed {
	n := w.table.len()
	f := flushed{rows: map[weirv1.Partial]int{}}
	starts, partials := make([]uint64, n), make([]uint64, n)
	seen := map[uint64]bool{}
	for i := range n {
		key, _ := w.table.entry(i)
		partial := weirv1.Partial_PARTIAL_EARLY
		switch {
		case key[0] < w.closed:
			partial = weirv1.Partial_PARTIAL_LATE
		case key[0] < open:
			partial = weirv1.Partial_PARTIAL_CLOSING
		}
		starts[i], partials[i] = w.startOf(key[0]), uint64(partial) //nolint:gosec // small
		f.rows[partial]++
		seen[key[0]] = true
	}
	f.windows = len(seen)
	r.Rows = uint32(n) //nolint:gosec // a few times maxKeys
	r.WindowStart, r.Partial = fixedWidth(starts), fixedWidth(partials)
	for _, p := range w.places {
		r.Keys = append(r.Keys, w.column(p.field.Info().Name, func(key, _ []uint64) uint64 {
			return key[p.word] >> p.shift & p.mask
		}))
	}
	for m := range w.rollup.measures {
		r.Sums = append(r.Sums, w.column(w.rollup.measures[m].name, func(_, sums []uint64) uint64 { return sums[m] }))
	}
	return f
}

// column makes a column of what value takes from each entry.
func (w *windows) column(name string, value func(key, sums []uint64) uint64) *weirv1.RollupColumn {
	w.scratch = w.scratch[:0]
	for i := range w.table.len() {
		w.scratch = append(w.scratch, value(w.table.entry(i)))
	}
	return &weirv1.RollupColumn{Name: name, Values: fixedWidth(w.scratch)}
}

// fixedWidth returns values as a column of the least width that holds them all.
func fixedWidth(values []uint64) []byte {
	used := uint64(0)
	for _, v := range values {
		used |= v
	}
	width := 1
	for bits.Len64(used) > 8*width {
		width *= 2
	}
	column := make([]byte, 0, width*len(values))
	for _, v := range values {
		for n := range width {
			column = append(column, byte(v>>(8*n)))
		}
	}
	return column
}
