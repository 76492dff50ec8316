// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"time"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/flow/rollup"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// windows holds the sums of all rollups over one partition since the last flush. Time is
// what the flows say, and what idle is told. It is not safe for concurrent use.
type windows struct {
	sources []*source
	views   []*view // of all sources
	limits  limits
	counts  counts
	late    []int // flows that ended in a window that was closed, by view
	in      input
	times   times
	encoder encoder
	out     rows // of one rollup
	beside  int  // octets of what a flush needs beside the sums

	greatest uint64 // event time seen, ns
}

func newWindows(rollups []rollup.Rollup, allowed time.Duration, l limits) (*windows, error) {
	sources, err := plan(rollups, allowed)
	if err != nil {
		return nil, err
	}
	w := &windows{sources: sources, limits: l}
	for _, s := range sources {
		w.views = append(w.views, s.views...)
	}
	w.late = make([]int, len(w.views))
	w.encoder = encoder{texts: &w.in.texts, exporters: &w.in.exporters}
	return w, nil
}

// closing tells whether the watermark has passed a window since the last flush.
func (w *windows) closing() bool {
	for _, v := range w.views {
		if v.open(w.greatest) > v.closed {
			return true
		}
	}
	return false
}

// rows is how many rows a flush may have, but for rollups that are made of others and have
// fewer keys.
func (w *windows) rows() int {
	n := 0
	for _, s := range w.sources {
		for _, v := range s.views {
			switch {
			case v.top != nil:
				n += min(s.table.len(), v.top.keep)
			case v.sameKeys || len(s.views) == 1:
				n += v.sides * s.table.len()
			}
		}
	}
	return n
}

// full tells whether a bound is reached.
func (w *windows) full() bool {
	return w.rows() >= w.limits.rows || w.octets() >= w.limits.octets()
}

// octets is the memory of the sums, and of what the last flush needed beside them.
func (w *windows) octets() int {
	n := w.beside
	for _, s := range w.sources {
		n += s.table.octets()
	}
	return n
}

// release gives the memory back that is beyond the bound.
func (w *windows) release() {
	w.beside = w.out.octets() + w.encoder.octets()
	for _, v := range w.views {
		w.beside += v.octets()
	}
	if w.octets() < w.limits.octets() {
		return
	}
	w.beside, w.out, w.encoder = 0, rows{}, encoder{texts: &w.in.texts, exporters: &w.in.exporters}
	for _, s := range w.sources {
		s.table.release()
		for _, v := range s.views {
			v.release()
		}
	}
}

// fullForSpread is full, counted.
func (w *windows) fullForSpread() bool {
	if !w.full() {
		return false
	}
	w.counts.unspread++
	return true
}

// add sums a batch up.
func (w *windows) add(b *flow.Batch) {
	w.in.reset(b)
	w.times.read(&w.in, w.limits, &w.counts)
	w.countLate()
	for _, s := range w.sources {
		s.add(&w.in, &w.times, &w.counts, w.fullForSpread)
	}
	for _, end := range w.times.ends {
		w.greatest = max(w.greatest, end)
	}
	w.counts.saturated += w.in.saturated
}

// countLate counts the flows that end in windows that were closed.
func (w *windows) countLate() {
	for i, v := range w.views {
		closed := v.closed * 1e9
		for _, end := range w.times.ends {
			if end < closed {
				w.late[i]++
			}
		}
	}
}

// idle says that nothing has come for so long that event time must be past ns by now.
func (w *windows) idle(ns uint64) { w.greatest = max(w.greatest, ns) }

// closes returns the event time, ns, that closes the next window.
func (w *windows) closes() uint64 {
	next := ^uint64(0)
	for _, v := range w.views {
		next = min(next, v.closes())
	}
	return next
}

// rowCount is how many rows of a rollup a flush has.
type rowCount struct {
	name string
	rows [4]int // by weirv1.Partial
}

// flush moves the sums to out, with what the watermark says of their windows. What out has
// of it is valid until the next flush.
func (w *windows) flush(out *weirv1.RollupBatch) []rowCount {
	var f []rowCount
	w.encoder.arena = w.encoder.arena[:0]
	for _, s := range w.sources {
		columns := w.encoder.keys(&s.table, s.layout)
		for _, v := range s.views {
			r := &weirv1.Rollup{Name: v.rollup.Name, WindowSeconds: uint32(v.rollup.Window.Seconds())}
			open := v.open(w.greatest)
			n := rowCount{name: v.rollup.Name}
			if s.table.len() > 0 {
				v.fill(s, &w.out)
				n.rows = w.encoder.write(r, v, &w.out, columns, open)
			}
			f = append(f, n)
			if open > v.closed {
				r.Closed = []int64{v.lastClosed(open)}
				v.closed = open
			}
			if r.GetRows() > 0 || len(r.GetClosed()) > 0 {
				out.Rollups = append(out.Rollups, r)
			}
		}
		s.table.clear()
	}
	w.in.texts.forget()
	w.in.exporters.forget()
	w.release()
	return f
}
