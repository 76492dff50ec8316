// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math"
	"time"

	"github.com/weirflow/weir/flow/rollup"
)

// view makes the rows of a rollup of the sums of its source: as they are, or added up
// under fewer keys and in longer windows.
type view struct {
	rollup   rollup.Rollup
	lateness uint64 // ns
	grouping        // without a table where the keys are those of the source
	sameKeys bool
	through  *view // that adds up for both ends what this one takes apart, nil for most
	ways     []way // from the source, or from through: one, or one for each side
	key      []uint64
	from, to []int // places of sums
	top      *top  // nil for all

	// closed is the start, s, of the first window that is not known to be closed: the last
	// flush told that those before it are. 0 before the first flush.
	closed uint64
}

// grouping is what sums are by, and the sums.
type grouping struct {
	layout
	sides    int // 2 where each flow is in two rows
	measures []rollup.Measure
	calendar calendar
	table    table
}

// way says how sums of a grouping become those of a view.
type way struct {
	keys     []move
	measures []int // of the grouping, by measure of the view
}

// move takes a key from its place in the source to that in the view.
type move struct {
	from, to place
	constant uint64 // where from has no mask
}

// fill makes r the rows that come of the source.
func (v *view) fill(s *source, r *rows) {
	if v.sameKeys {
		r.collect(&s.table, v.measures, v.ways[0].measures, v.windowOf)
	} else {
		v.sum(&s.grouping)
		r.collect(&v.table, v.measures, nil, nil)
	}
	if v.top != nil {
		v.top.fold(r, v.closed)
	}
}

// sum adds what the source has to the table.
func (v *view) sum(g *grouping) {
	if v.through != nil {
		v.through.sum(g)
		g = &v.through.grouping
	}
	v.table.clear()
	for first := 0; first < len(g.table.records); first += chunkRows {
		for i := range v.ways {
			v.project(&g.table, g.table.records[first:min(first+chunkRows, len(g.table.records))], &v.ways[i])
		}
	}
}

func (v *view) windowOf(start uint64) uint64 {
	first, _ := v.calendar.window(start * 1e9)
	return first / 1e9
}

// project adds the sums of some records to those of the view: first it finds where they go,
// then it adds them, measure by measure.
func (v *view) project(t *table, records []uint32, w *way) {
	v.from, v.to = v.from[:0], v.to[:0]
	for _, at := range records {
		next, window, key, _ := t.record(at)
		v.rekey(w, key)
		v.from = append(v.from, int(at)+header+t.keyWords)
		v.to = append(v.to, v.place(window))
		for ; next != 0; next = t.words[next] {
			v.from = append(v.from, int(next)+header) //nolint:gosec // a place
			v.to = append(v.to, v.place(t.words[next+1]))
		}
	}
	for m, of := range w.measures {
		addColumn(v.table.words, v.to, m, v.measures[m].Of, t.words, v.from, of)
	}
}

// rekey makes the key in hand of one that w comes from.
func (v *view) rekey(w *way, key []uint64) {
	clear(v.key)
	for _, m := range w.keys {
		switch {
		case m.from.wide:
			v.key[m.to.word], v.key[m.to.word+1] = key[m.from.word], key[m.from.word+1]
		case m.from.mask == 0:
			m.to.put(v.key, m.constant)
		default:
			m.to.put(v.key, m.from.get(key))
		}
	}
}

// place is where the sums of the key in hand stand for the window that holds another.
func (v *view) place(window uint64) int {
	window = v.windowOf(window)
	return v.table.place(v.key, v.table.hash(v.key, window), window)
}

// octets is the memory of the view's own sums.
func (v *view) octets() int {
	n := 8 * (cap(v.from) + cap(v.to))
	if !v.sameKeys {
		n += v.table.octets()
	}
	if v.through != nil {
		n += v.through.octets()
	}
	if v.top != nil {
		n += v.top.octets()
	}
	return n
}

// release gives that memory back.
func (v *view) release() {
	v.from, v.to = nil, nil
	if !v.sameKeys {
		v.table.release()
	}
	if v.through != nil {
		v.through.release()
	}
	if v.top != nil {
		v.top.release()
	}
}

// watermark is the event time, ns, before which nothing more is expected.
func (v *view) watermark(greatest uint64) uint64 { return greatest - min(greatest, v.lateness) }

// open is the start, s, of the first window that the watermark has not passed.
func (v *view) open(greatest uint64) uint64 {
	start, _ := v.calendar.window(v.watermark(greatest))
	return start / 1e9
}

// closes returns the event time, ns, that closes another window.
func (v *view) closes() uint64 {
	_, end := v.calendar.window(v.closed * 1e9)
	return end + v.lateness
}

// lastClosed is the start, s, of the window before the one that starts at open.
func (v *view) lastClosed(open uint64) int64 {
	if open == 0 {
		return 0
	}
	start, _ := v.calendar.window(open*1e9 - 1)
	return int64(start / 1e9) //nolint:gosec // s
}

func newCalendar(r rollup.Rollup) (calendar, error) {
	zone, err := r.Location()
	return calendar{length: uint64(r.Window), zone: zone}, err //nolint:gosec // positive
}

func freshSums(measures []rollup.Measure) []uint64 {
	fresh := make([]uint64, len(measures))
	for i, m := range measures {
		if m.Of == rollup.Min {
			fresh[i] = math.MaxUint64
		}
	}
	return fresh
}

// lateness of a rollup that says nothing of it is that of all.
func lateness(r rollup.Rollup, all time.Duration) uint64 {
	if r.AllowedLateness > 0 {
		all = r.AllowedLateness
	}
	return uint64(all) //nolint:gosec // not negative
}
