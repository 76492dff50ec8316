// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math"
	"slices"
	"time"

	"github.com/weirflow/weir/flow/rollup"
)

// view makes the rows of a rollup of the entries of its source: as they are, or added up
// under fewer keys and in longer windows.
type view struct {
	rollup   rollup.Rollup
	lateness uint64 // ns
	layout
	measures []rollup.Measure
	calendar calendar
	sides    []side // one, or two for input and output interface
	sameKeys bool   // keys and measures are those of the source, in the same places
	direct   bool   // and the windows, too
	top      int
	table    table
	folded   table // the top of table
	key      []uint64

	// closed is the start, s, of the first window that is not known to be closed: the last
	// flush told that those before it are. 0 before the first flush.
	closed uint64
}

// side says how an entry of the source becomes one of the view.
type side struct {
	keys     []move
	measures []int // of the source, by measure of the view
}

// move takes a key from its place in the source to that in the view.
type move struct {
	from, to place
	constant uint64 // where from has no mask
}

// entries returns the table that has the rows of the view.
func (v *view) entries(s *source) *table {
	switch {
	case v.direct && v.top == 0:
		return &s.table
	case v.direct:
		v.folded.clear()
		v.fold(&s.table)
		return &v.folded
	}
	v.table.clear()
	for i := range s.table.len() {
		key, sums := s.table.entry(i)
		window := v.windowOf(key[0])
		if v.sameKeys {
			copy(v.key, key)
			v.key[0] = window
			v.merge(&v.table, v.key, sums)
			continue
		}
		for _, side := range v.sides {
			v.project(side, window, key, sums)
		}
	}
	if v.top == 0 {
		return &v.table
	}
	v.folded.clear()
	v.fold(&v.table)
	return &v.folded
}

// merge adds sums that are those of the view to a key.
func (v *view) merge(t *table, key, sums []uint64) {
	to := t.sums(key)
	for i := range v.measures {
		combine(&to[i], sums[i], v.measures[i].Of)
	}
}

func (v *view) windowOf(start uint64) uint64 {
	first, _ := v.calendar.window(start * 1e9)
	return first / 1e9
}

// project adds an entry of the source to the view.
func (v *view) project(s side, window uint64, key, sums []uint64) {
	clear(v.key)
	v.key[0] = window
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
	to := v.table.sums(v.key)
	for i, m := range v.measures {
		combine(&to[i], sums[s.measures[i]], m.Of)
	}
}

// fold keeps the entries with the most bytes of each window and adds the others up in one
// entry without keys.
func (v *view) fold(all *table) {
	bytes := all.keyWords + slices.IndexFunc(v.measures, func(m rollup.Measure) bool { return m.Name == "bytes" })
	values := map[uint64][]uint64{}
	for at := 0; at < len(all.entries); at += all.stride {
		window := all.entries[at]
		values[window] = append(values[window], all.entries[at+bytes])
	}
	type bound struct{ least, room uint64 } // keep what is greater, and so many that are equal
	bounds := map[uint64]bound{}
	for window, list := range values {
		if len(list) > v.top {
			slices.Sort(list)
			least := list[len(list)-v.top]
			greater, _ := slices.BinarySearch(list, least+1)
			bounds[window] = bound{least, uint64(v.top - (len(list) - greater))} //nolint:gosec // not negative
		}
	}
	place := v.places[len(v.places)-1]
	for i := range all.len() {
		key, sums := all.entry(i)
		clear(v.key)
		copy(v.key, key)
		b, folds := bounds[key[0]]
		switch value := all.entries[i*all.stride+bytes]; {
		case !folds || value > b.least:
		case value == b.least && b.room > 0:
			b.room--
			bounds[key[0]] = b
		default:
			clear(v.key[1:])
			place.put(v.key, 1)
		}
		v.merge(&v.folded, v.key, sums)
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
