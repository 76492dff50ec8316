// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"cmp"
	"maps"
	"math"
	"math/bits"
	"slices"
	"time"

	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// Finals makes exact sums of the partial sums in ROLLUPS: it adds them up by window and key,
// and when the markers say that every partition has closed a window, its sums are final. It
// is not safe for concurrent use.
type Finals struct {
	partitions int
	since      int64 // windows that start before it lack something
	rollups    map[string]*open
}

// Window is the rows of a window.
type Window struct {
	Rollup  string
	Start   time.Time
	Seconds uint32 // its length, as configured
	// Late tells that the window was final before: the rows are what is to be added to it.
	Late bool
	Rows []Row
}

// open is what is known of one rollup.
type open struct {
	closed  map[int]int64 // start of the last closed window, by partition
	final   int64         // and by all of them
	windows map[int64]map[string]*Row
	seconds uint32
}

// NewFinals makes a Finals for a stream with that many partitions.
func NewFinals(partitions int) *Finals {
	return &Finals{partitions: partitions, rollups: map[string]*open{}}
}

// Incomplete says that partial sums of windows that start before t were not read. These
// windows are left out.
func (f *Finals) Incomplete(t time.Time) {
	f.since = max(f.since, t.Unix())
	for _, o := range f.rollups {
		maps.DeleteFunc(o.windows, func(start int64, _ map[string]*Row) bool { return start < f.since })
	}
}

// Add takes a message of a partition; those of a partition come in order. It returns the
// windows that have become final with it, and corrections of those that were.
func (f *Finals) Add(partition int, m *weirv1.RollupBatch) []Window {
	var list []Window
	for _, r := range m.GetRollups() {
		o := f.rollups[r.GetName()]
		if o == nil {
			o = &open{closed: map[int]int64{}, final: math.MinInt64, windows: map[int64]map[string]*Row{}}
			f.rollups[r.GetName()] = o
		}
		o.seconds = r.GetWindowSeconds()
		late := f.addRows(o, r)
		list = append(list, o.take(r.GetName(), late, true)...)
		for _, start := range r.GetClosed() {
			o.closed[partition] = max(o.closed[partition], start)
		}
		if len(o.closed) < f.partitions {
			continue
		}
		o.final = slices.Min(slices.Collect(maps.Values(o.closed)))
		done := map[int64]map[string]*Row{}
		for start, rows := range o.windows {
			if start <= o.final {
				done[start] = rows
				delete(o.windows, start)
			}
		}
		list = append(list, o.take(r.GetName(), done, false)...)
	}
	return list
}

// addRows adds the rows of a partial sum and returns those of final windows.
func (f *Finals) addRows(o *open, r *weirv1.Rollup) map[int64]map[string]*Row {
	late := map[int64]map[string]*Row{}
	for i := range int(r.GetRows()) {
		start := int64(number(r.GetWindowStart(), int(r.GetRows()), i)) //nolint:gosec // s
		if start < f.since {
			continue
		}
		into := o.windows
		if start <= o.final {
			into = late
		}
		if into[start] == nil {
			into[start] = map[string]*Row{}
		}
		row := rowOf(r, i)
		if there := into[start][row.id]; there != nil {
			there.merge(row, r.GetSums())
		} else {
			into[start][row.id] = row
		}
	}
	return late
}

// take makes windows in order of time, their rows in order of their keys.
func (o *open) take(name string, windows map[int64]map[string]*Row, late bool) []Window {
	var list []Window
	for _, start := range slices.Sorted(maps.Keys(windows)) {
		w := Window{Rollup: name, Start: time.Unix(start, 0).UTC(), Seconds: o.seconds, Late: late}
		for _, row := range windows[start] {
			w.Rows = append(w.Rows, *row)
		}
		slices.SortFunc(w.Rows, func(a, b Row) int { return cmp.Compare(a.id, b.id) })
		list = append(list, w)
	}
	return list
}

// merge brings the measures of another row with the same key in.
func (r *Row) merge(other *Row, columns []*weirv1.RollupColumn) {
	for i, c := range columns {
		a, b := &r.Measures[i].Number, other.Measures[i].Number
		switch c.GetCombine() {
		case weirv1.Combine_COMBINE_MAX:
			*a = max(*a, b)
		case weirv1.Combine_COMBINE_MIN:
			*a = min(*a, b)
		default:
			sum, carry := bits.Add64(*a, b, 0)
			if carry != 0 {
				sum = math.MaxUint64
			}
			*a = sum
		}
	}
}
