// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"slices"

	"github.com/weirflow/weir/flow/rollup"
)

// rows are the rows of a rollup that a flush has, in columns. They have their keys of the
// records of a table: the first plain of them of one each, in order, the others as more says.
type rows struct {
	keys     *table
	plain    int
	more     []uint32   // numbers of records, or folded
	windows  []uint64   // starts, s
	sums     [][]uint64 // by measure
	measures []rollup.Measure
}

// folded is the number of the record of a row that stands for many keys and has none.
const folded = ^uint32(0)

func (r *rows) len() int { return len(r.windows) }

// octets is the memory of the rows.
func (r *rows) octets() int {
	n := 4*cap(r.more) + 8*cap(r.windows)
	for _, column := range r.sums {
		n += 8 * cap(column)
	}
	return n
}

// record is the number of the record that has the key of a row.
func (r *rows) record(row int) uint32 {
	if row < r.plain {
		return uint32(row) //nolint:gosec // places of records have 32 bits
	}
	return r.more[row-r.plain]
}

// collect makes the rows of all sums in t: one for each record, and one more for each further
// window. windowOf gives the window that holds one of t's, and from says which sums are those
// of the measures; both are nil where t is as the rows are to be.
func (r *rows) collect(t *table, measures []rollup.Measure, from []int, windowOf func(uint64) uint64) {
	if windowOf == nil {
		windowOf, from = func(window uint64) uint64 { return window }, first(len(measures))
	}
	n := len(t.records)
	r.keys, r.plain, r.more, r.measures = t, n, r.more[:0], measures
	r.windows = slices.Grow(r.windows[:0], t.len())[:n]
	for len(r.sums) < len(measures) {
		r.sums = append(r.sums, nil)
	}
	for m := range measures {
		r.sums[m] = slices.Grow(r.sums[m][:0], t.len())[:n]
	}
	for at := 0; at < n; at += chunkRows {
		places := t.records[at:min(at+chunkRows, n)]
		for i, place := range places {
			r.windows[at+i] = windowOf(t.words[place+1])
		}
		for m, of := range from {
			sums, offset := r.sums[m][at:], header+t.keyWords+of
			for i, place := range places {
				sums[i] = t.words[int(place)+offset]
			}
		}
	}
	r.collectCells(t, from, windowOf)
}

func (r *rows) collectCells(t *table, from []int, windowOf func(uint64) uint64) {
	for _, i := range t.lists {
		first := r.len() // of the further rows of this record
		for next := t.words[t.records[i]] & half; next != 0; next = t.words[next] {
			window, sums := windowOf(t.words[next+1]), t.words[int(next)+header:] //nolint:gosec // a place
			if row, ok := r.find(int(i), first, window); ok {
				for m, of := range from {
					combine(&r.sums[m][row], sums[of], r.measures[m].Of)
				}
				continue
			}
			r.more = append(r.more, i)
			r.windows = append(r.windows, window)
			for m, of := range from {
				r.sums[m] = append(r.sums[m], sums[of])
			}
		}
	}
}

// find returns the row of a window among that of a record and those from first on.
func (r *rows) find(record, first int, window uint64) (row int, ok bool) {
	if r.windows[record] == window {
		return record, true
	}
	i := slices.Index(r.windows[first:], window)
	return first + i, i >= 0
}

// first returns the numbers below n.
func first(n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}
