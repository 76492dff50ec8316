// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/weirflow/weir/flow/rollup"
)

// top keeps the rows of the keys with the most bytes in a window and folds the others into one.
//
// It goes by what the keys have had in the window so far, as this process remembers it. A key
// that is among the first keeps its rows from then on, so what it lacks in the end is what it
// had before: no more than the last of the keys that are kept has. The memory is a guess, no
// state: whoever takes the partition over begins without, and no byte depends on it.
type top struct {
	keep   int // keys of a window
	bytes  int // the measure
	seen   table
	closed uint64 // windows that start before it, s, are not in seen

	totals []uint64 // by row: its key's bytes so far
	groups []group
	index  map[uint64]int // of groups, by window
	kept   []int          // rows
}

// group is a window of the rows in hand.
type group struct {
	window uint64
	totals []uint64 // of all keys
	least  uint64   // keys with more are kept,
	room   int      // and so many that have as much
	rest   int      // row that stands for the others, -1 while there is none
}

const (
	// overSelection is how many keys are kept for one that is asked for.
	overSelection = 2
	// memory is how many keys are remembered for one that is kept.
	memory = 16
)

func newTop(keep, keyWords int, measures []rollup.Measure, seconds uint64) *top {
	return &top{
		keep:  overSelection * keep,
		bytes: slices.IndexFunc(measures, func(m rollup.Measure) bool { return m.Name == "bytes" }),
		seen:  newTable(keyWords, []uint64{0}, seconds), index: map[uint64]int{},
	}
}

// octets is the memory that it takes to choose.
func (t *top) octets() int {
	n := t.seen.octets() + 8*(cap(t.totals)+cap(t.kept))
	for _, g := range t.groups[:cap(t.groups)] {
		n += 8 * cap(g.totals)
	}
	return n
}

// release gives that memory back, with what was seen.
func (t *top) release() {
	t.seen.release()
	t.groups, t.totals, t.kept = nil, nil, nil
}

// fold folds r. Windows that start before open are closed; of them nothing is remembered.
func (t *top) fold(r *rows, open uint64) {
	if open > t.closed || t.seen.len() > memory*t.keep {
		t.forget(open)
	}
	t.count(r, open)
	for i := range t.groups {
		t.groups[i].bound(t.keep)
	}
	t.kept = t.kept[:0]
	for row, window := range r.windows {
		g := t.group(window)
		switch total := t.totals[row]; {
		case total > g.least:
		case total == g.least && g.room > 0:
			g.room--
		case g.rest < 0:
			g.rest = row
		default:
			for m := range r.measures {
				combine(&r.sums[m][g.rest], r.sums[m][row], r.measures[m].Of)
			}
			continue
		}
		t.kept = append(t.kept, row)
	}
	t.pick(r)
}

// count adds the rows to what was seen, and groups what all keys have had.
func (t *top) count(r *rows, open uint64) {
	t.groups = t.groups[:0]
	clear(t.index)
	t.totals = slices.Grow(t.totals[:0], r.len())[:r.len()]
	for row, window := range r.windows {
		t.totals[row] = r.sums[t.bytes][row]
		g := t.group(window)
		if window < open {
			g.totals = append(g.totals, t.totals[row])
			continue
		}
		_, _, key, _ := r.keys.record(r.keys.records[r.record(row)])
		sums := t.seen.sums(key, window)
		combine(&sums[0], t.totals[row], rollup.Sum)
		t.totals[row] = sums[0]
	}
	t.seen.each(func(_ []uint64, window uint64, sums []uint64) {
		if i, ok := t.index[window]; ok {
			t.groups[i].totals = append(t.groups[i].totals, sums[0])
		}
	})
}

// group returns that of a window, most often the one that was asked for last.
func (t *top) group(window uint64) *group {
	if n := len(t.groups); n > 0 && t.groups[n-1].window == window {
		return &t.groups[n-1]
	}
	i, ok := t.index[window]
	if !ok {
		i = len(t.groups)
		t.index[window] = i
		t.groups = append(t.groups, group{window: window, rest: -1})
	}
	return &t.groups[i]
}

// bound finds what a key must have to be kept.
func (g *group) bound(keep int) {
	if len(g.totals) <= keep {
		g.least, g.room = 0, math.MaxInt
		return
	}
	g.least, g.room = greatest(g.totals, keep), keep
	for _, total := range g.totals {
		if total > g.least {
			g.room--
		}
	}
}

// pick leaves the kept rows.
func (t *top) pick(r *rows) {
	more := make([]uint32, len(t.kept))
	for i, row := range t.kept {
		more[i] = r.record(row)
		if t.group(r.windows[row]).rest == row {
			more[i] = folded
		}
	}
	for i, row := range t.kept {
		r.windows[i] = r.windows[row]
		for m := range r.measures {
			r.sums[m][i] = r.sums[m][row]
		}
	}
	n := len(t.kept)
	r.plain, r.more, r.windows = 0, more, r.windows[:n]
	for m := range r.measures {
		r.sums[m] = r.sums[m][:n]
	}
}

// forget keeps of what was seen the open windows, and where there are too many keys the first
// quarter of those that there is memory for.
func (t *top) forget(open uint64) {
	var totals []uint64
	t.seen.each(func(_ []uint64, window uint64, sums []uint64) {
		if window >= open {
			totals = append(totals, sums[0])
		}
	})
	least := uint64(0)
	if len(totals) > memory*t.keep {
		least = greatest(totals, memory*t.keep/4)
	}
	seen := t.seen
	seen.release()
	t.seen.each(func(key []uint64, window uint64, sums []uint64) {
		if window >= open && sums[0] > least {
			seen.sums(key, window)[0] = sums[0]
		}
	})
	t.seen, t.closed = seen, open
}

// greatest returns the nth greatest of values, n from 1 on, and changes their order. The
// pivots are random, so that nobody outside can make it slow.
func greatest(values []uint64, n int) uint64 {
	for {
		pivot := values[rand.IntN(len(values))] //nolint:gosec // no secret
		greater, equal := 0, 0                  // values [:greater] are greater, those up to equal are pivot
		for i, v := range values {
			switch {
			case v > pivot:
				values[i] = values[equal]
				values[equal] = values[greater]
				values[greater] = v
				greater++
				equal++
			case v == pivot:
				values[i] = values[equal]
				values[equal] = v
				equal++
			}
		}
		switch {
		case n <= greater:
			values = values[:greater]
		case n <= equal:
			return pivot
		default:
			values, n = values[equal:], n-equal
		}
	}
}
