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
	layout
	measures []rollup.Measure
	calendar calendar
	sides    []side // one, or two for input and output interface
	sameKeys bool   // as the source has
	table    table  // of other keys
	own      []int  // its measures
	key      []uint64
	from, to []int // places of sums, of the source and of table
	top      *top  // nil for all

	// closed is the start, s, of the first window that is not known to be closed: the last
	// flush told that those before it are. 0 before the first flush.
	closed uint64
}

// side says how sums of the source become those of the view.
type side struct {
	keys     []move
	measures []int // of the source, by measure of the view
}

// move takes a key from its place in the source to that in the view.
type move struct {
	from, to place
	constant uint64 // where from has no mask
}

// fill makes r the rows that come of the source.
func (v *view) fill(s *source, r *rows) {
	if v.sameKeys {
		r.collect(&s.table, v.measures, v.sides[0].measures, v.windowOf)
	} else {
		v.table.clear()
		for first := 0; first < len(s.table.records); first += chunkRows {
			v.project(&s.table, s.table.records[first:min(first+chunkRows, len(s.table.records))])
		}
		r.collect(&v.table, v.measures, v.own, func(window uint64) uint64 { return window })
	}
	if v.top != nil {
		v.top.fold(r, v.closed)
	}
}

func (v *view) windowOf(start uint64) uint64 {
	first, _ := v.calendar.window(start * 1e9)
	return first / 1e9
}

// project adds the sums of some records of the source to those of the view: first it finds
// where they go, then it adds them, measure by measure.
func (v *view) project(t *table, records []uint32) {
	for i := range v.sides {
		side := &v.sides[i]
		v.from, v.to = v.from[:0], v.to[:0]
		for _, at := range records {
			next, window, key, _ := t.record(at)
			v.rekey(side, key)
			v.from = append(v.from, int(at)+header+t.keyWords)
			v.to = append(v.to, v.place(window))
			for ; next != 0; next = t.words[next] {
				v.from = append(v.from, int(next)+header) //nolint:gosec // a place
				v.to = append(v.to, v.place(t.words[next+1]))
			}
		}
		for m, of := range side.measures {
			addColumn(v.table.words, v.to, m, v.measures[m].Of, t.words, v.from, of)
		}
	}
}

// rekey makes the key of the view of one of the source.
func (v *view) rekey(s *side, key []uint64) {
	clear(v.key)
	for _, m := range s.keys {
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

// place is where the sums of the key in hand stand for the window that holds one of the source.
func (v *view) place(window uint64) int {
	window = v.windowOf(window)
	return v.table.place(v.key, v.table.hash(v.key, window), window)
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
