// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math"
	"math/bits"

	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// windows holds the sums of one rollup over one partition since the last flush, by window
// and key. Time is what the flows say. It is not safe for concurrent use.
type windows struct {
	rollup rollup
	length uint64 // of a window, ns
	limits limits
	places []place
	table  table
	counts counts

	greatest uint64 // event time seen, ns
	// closed is the number (start / length) of the first window that is not known to be
	// closed: the last flush told that those before it are.
	closed uint64

	// One value a row of the batch in hand; keys has a word for the window and those of places.
	keys                          []uint64
	starts, ends, received, rates []uint64
	values                        [][]uint64 // by measure
	scratch                       []uint64
	spent                         []uint64 // of a flow that is spread, by measure
}

// limits keep hostile times and keys from costing more than they should.
type limits struct {
	keys   int    // beyond it the windows are full
	skew   uint64 // of an end ahead of its receipt, ns
	spread uint64 // windows of one flow
}

// counts are events since they were last taken.
type counts struct {
	late      int // flows that end in a window that was closed
	skewed    int // flows whose end was ahead of their receipt
	cut       int // flows that overlap more windows than they may be spread over
	unspread  int // flows that were not spread, for want of memory
	saturated int // sums that would have passed 2^64 and stopped before it
}

func newWindows(r rollup, l limits) *windows {
	list, words := places(r.keys)
	return &windows{
		rollup: r, length: uint64(r.window), limits: l, //nolint:gosec // positive
		places: list, table: newTable(words, len(r.measures)),
		values: make([][]uint64, len(r.measures)), spent: make([]uint64, len(r.measures)),
	}
}

// watermark is the event time, ns, before which nothing more is expected.
func (w *windows) watermark() uint64 {
	return w.greatest - min(w.greatest, uint64(w.rollup.lateness)) //nolint:gosec // not negative
}

// open is the number of the first window that the watermark has not passed.
func (w *windows) open() uint64 { return w.watermark() / w.length }

// closing tells whether the watermark has passed a window since the last flush.
func (w *windows) closing() bool { return w.open() > w.closed }

// full tells whether the memory bound is reached.
func (w *windows) full() bool { return w.table.len() >= w.limits.keys }

// add sums a batch up.
func (w *windows) add(b *flow.Batch) {
	w.read(b)
	words := w.table.keyWords
	for row := range w.ends {
		start, end := w.interval(row)
		w.greatest = max(w.greatest, end)
		first, last := start/w.length, end/w.length
		if last < w.closed {
			w.counts.late++
		}
		key := w.keys[row*words : (row+1)*words]
		if first == last {
			key[0] = last
			w.addWhole(row, key)
			continue
		}
		w.addSpread(row, key, start, end)
	}
}

// read takes the columns that matter from a batch.
func (w *windows) read(b *flow.Batch) {
	w.starts = flow.AppendNumbers(w.starts[:0], b, flow.TimeFlowStartNs)
	w.ends = flow.AppendNumbers(w.ends[:0], b, flow.TimeFlowEndNs)
	w.received = flow.AppendNumbers(w.received[:0], b, flow.TimeReceivedNs)
	w.rates = flow.AppendNumbers(w.rates[:0], b, flow.SamplingRate)
	for i, m := range w.rollup.measures {
		if m.kind != countFlows {
			w.values[i] = flow.AppendNumbers(w.values[i][:0], b, m.field)
		}
	}
	words := w.table.keyWords
	w.keys = zeros(w.keys, words*b.Rows())
	for _, p := range w.places {
		w.scratch = flow.AppendNumbers(w.scratch[:0], b, p.field)
		at := p.word
		for _, v := range w.scratch {
			w.keys[at] |= (v & p.mask) << p.shift
			at += words
		}
	}
}

// interval returns the first and the last instant of a flow, ns, as it is counted.
func (w *windows) interval(row int) (start, end uint64) {
	start, end = w.starts[row], w.ends[row]
	received := w.received[row]
	if end == 0 {
		end = received
	}
	if received != 0 && end > received && end-received > w.limits.skew {
		end = received
		w.counts.skewed++
	}
	if start == 0 || start > end {
		start = end
	}
	return start, end
}

// addWhole adds a flow to the sums of one window.
func (w *windows) addWhole(row int, key []uint64) {
	sums := w.table.sums(key)
	for i, m := range w.rollup.measures {
		v := uint64(1)
		if m.kind != countFlows {
			v = w.values[i][row]
		}
		w.accumulate(&sums[i], v, m.kind, row)
	}
}

// accumulate adds v, or what it stands for, to a sum, which stops at its greatest value.
func (w *windows) accumulate(sum *uint64, v uint64, k kind, row int) {
	high := uint64(0)
	if k == sumScaled && w.rates[row] > 1 {
		high, v = bits.Mul64(v, w.rates[row])
	}
	total, carry := bits.Add64(*sum, v, 0)
	if high|carry != 0 {
		total = math.MaxUint64
		w.counts.saturated++
	}
	*sum = total
}

// flush moves the sums to out, with what the watermark says of their windows.
func (w *windows) flush(out *weirv1.RollupBatch) flushed {
	open := w.open()
	r := &weirv1.Rollup{Name: w.rollup.name, WindowSeconds: uint32(w.rollup.window.Seconds())}
	f := w.writeRows(r, open)
	if open > w.closed {
		r.Closed = []int64{int64(w.startOf(open - 1))} //nolint:gosec // s
		w.closed = open
	}
	if r.GetRows() > 0 || len(r.GetClosed()) > 0 {
		out.Rollups = append(out.Rollups, r)
	}
	w.table.clear()
	return f
}

// startOf returns the start of a window, Unix s.
func (w *windows) startOf(window uint64) uint64 { return window * w.length / 1e9 }

// zeros returns n zeros in the memory of s.
func zeros(s []uint64, n int) []uint64 {
	if cap(s) < n {
		return make([]uint64, n)
	}
	s = s[:n]
	clear(s)
	return s
}
