// SPDX-License-Identifier: Apache-2.0

package aggregate

import "math/bits"

// addSpread adds a flow to the sums of all windows that it overlaps. It covers the
// instants start to end, both included, and each window has its part by the number of
// instants: what was due up to the end of the window, rounded down, less what went before.
// So the parts are integers, and their sum is the flow.
//
//	│     ├──┼──────┼────┤ │      end - start + 1 instants
//	└──────┴──────┴──────┴─┘
//
// The flow itself is counted in its last window. What is scaled is each part times the
// sampling interval.
func (w *windows) addSpread(row int, key []uint64, start, end uint64) {
	first, last := start/w.length, end/w.length
	switch {
	case w.full():
		w.counts.unspread++
		first = last
	case last-first >= w.limits.spread:
		w.counts.cut++
		first = last - w.limits.spread + 1
	}
	start = max(start, first*w.length)
	clear(w.spent)
	for key[0] = first; key[0] < last; key[0]++ {
		w.addPart(row, key, (key[0]+1)*w.length-start, end-start+1)
	}
	w.addRest(row, key)
}

// addPart adds what is due to the window of key after elapsed of total instants. A window
// that gets nothing has no sums.
func (w *windows) addPart(row int, key []uint64, elapsed, total uint64) {
	var sums []uint64
	for i, m := range w.rollup.measures {
		if m.kind == countFlows {
			continue
		}
		due := mulDiv(w.values[i][row], elapsed, total)
		if due == w.spent[i] {
			continue
		}
		if sums == nil {
			sums = w.table.sums(key)
		}
		w.accumulate(&sums[i], due-w.spent[i], m.kind, row)
		w.spent[i] = due
	}
}

// addRest adds what is left, and the flow itself, to the window of key.
func (w *windows) addRest(row int, key []uint64) {
	sums := w.table.sums(key)
	for i, m := range w.rollup.measures {
		if m.kind == countFlows {
			sums[i]++
			continue
		}
		w.accumulate(&sums[i], w.values[i][row]-w.spent[i], m.kind, row)
	}
}

// mulDiv returns v * part / whole, rounded down; part is at most whole, which is not 0.
func mulDiv(v, part, whole uint64) uint64 {
	high, low := bits.Mul64(v, part)
	q, _ := bits.Div64(high, low, whole)
	return q
}
