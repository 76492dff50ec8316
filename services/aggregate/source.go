// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math"
	"math/bits"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/flow/rollup"
)

// source is a table that flows are added to, and the rollups that are made of it: itself,
// and what has fewer keys or longer windows.
type source struct {
	layout
	measures []rollup.Measure
	filter   *filter
	calendar calendar
	table    table
	views    []*view

	// Of the batch in hand.
	packed  []uint64 // the keys of all rows
	values  [][]uint64
	rates   []uint64
	rows    []int // in one window
	hashes  []uint64
	slots   []uint64
	spent   []uint64 // of a flow that is spread, by measure
	touched uint64   // keeps the compiler from leaving out the loads of touch
}

// ahead is how many keys are looked up at once.
const ahead = 256

// add adds the flows of a batch, whose times are t.
func (s *source) add(in *input, t *times, full func() bool) error {
	wanted, err := s.filter.rows(in)
	if err != nil {
		return err
	}
	s.read(in)
	s.rows = s.rows[:0]
	for row := range in.rows {
		if wanted != nil && !wanted[row] {
			continue
		}
		first, _ := s.calendar.window(t.ends[row])
		if t.starts[row] < first {
			s.spread(in, row, t.starts[row], t.ends[row], full)
			continue
		}
		s.packed[row*s.words] = first / 1e9
		s.rows = append(s.rows, row)
	}
	for at := 0; at < len(s.rows); at += ahead {
		s.addWhole(s.rows[at:min(at+ahead, len(s.rows))])
	}
	return nil
}

// read takes the columns that matter from a batch.
func (s *source) read(in *input) {
	s.packed = zeros(s.packed, s.words*in.rows)
	for i, k := range s.keys {
		in.pack(s.packed, s.words, k, s.places[i])
	}
	s.values = s.values[:0]
	for _, m := range s.measures {
		s.values = append(s.values, in.measure(m))
	}
	s.rates = in.number(int(flow.SamplingRate))
}

// addWhole adds flows that are in one window each.
func (s *source) addWhole(rows []int) {
	s.hashes = s.hashes[:0]
	for _, row := range rows {
		s.hashes = append(s.hashes, s.table.hash(s.key(row)))
	}
	s.slots = zeros(s.slots, len(rows))
	s.touched += s.table.touch(s.hashes, s.slots)
	for i, row := range rows {
		sums := s.table.hashed(s.key(row), s.hashes[i])
		for m := range s.measures {
			combine(&sums[m], s.values[m][row], s.measures[m].Of)
		}
	}
}

func (s *source) key(row int) []uint64 { return s.packed[row*s.words : (row+1)*s.words] }

// spread adds a flow to the sums of all windows that it overlaps. It covers the instants
// start to end, both included, and each window has its part by the number of instants: what
// was due up to the end of the window, rounded down, less what went before. So the parts
// are integers, and their sum is the flow.
//
//	│     ├──┼──────┼────┤ │      end - start + 1 instants
//	└──────┴──────┴──────┴─┘
//
// The flow itself is counted in its last window. What is scaled is each part times the
// sampling interval. The ends of long windows are also ends of short ones, so that the parts
// of a long window are the same whether it is made of short ones or not.
func (s *source) spread(in *input, row int, start, end uint64, full func() bool) {
	key := s.key(row)
	last, _ := s.calendar.window(end)
	if full() {
		start = last
	}
	clear(s.spent)
	for at := start; at < last; {
		first, next := s.calendar.window(at)
		key[0] = first / 1e9
		s.addPart(in, row, key, next-start, end-start+1)
		at = next
	}
	key[0] = last / 1e9
	sums := s.table.sums(key)
	for i, m := range s.measures {
		v := s.values[i][row]
		switch m.Of {
		case rollup.Sum:
			v -= s.spent[i]
		case rollup.Scaled:
			v = in.times(in.numbers[m.Field][row]-s.spent[i], s.rates[row])
		default:
		}
		combine(&sums[i], v, m.Of)
	}
}

// addPart adds what is due to the window of key after elapsed of total instants. A window
// that gets nothing has no sums.
func (s *source) addPart(in *input, row int, key []uint64, elapsed, total uint64) {
	due := [...]uint64{mulDiv(in.number(int(flow.Bytes))[row], elapsed, total), mulDiv(in.number(int(flow.Packets))[row], elapsed, total)}
	var sums []uint64
	for i, m := range s.measures {
		if m.Of != rollup.Sum && m.Of != rollup.Scaled {
			continue
		}
		d := due[0]
		if m.Field == flow.Packets {
			d = due[1]
		}
		part := d - s.spent[i]
		if part == 0 {
			continue
		}
		s.spent[i] = d
		if sums == nil {
			sums = s.table.sums(key)
		}
		if m.Of == rollup.Scaled {
			part = in.times(part, s.rates[row])
		}
		combine(&sums[i], part, m.Of)
	}
	if sums == nil {
		return
	}
	for i, m := range s.measures {
		if m.Of == rollup.Max || m.Of == rollup.Min {
			combine(&sums[i], s.values[i][row], m.Of)
		}
	}
}

// combine brings a value into a sum, which stops at its greatest value, or an extreme.
func combine(sum *uint64, v uint64, of rollup.Of) {
	switch of {
	case rollup.Max:
		*sum = max(*sum, v)
	case rollup.Min:
		*sum = min(*sum, v)
	default:
		total, carry := bits.Add64(*sum, v, 0)
		if carry != 0 {
			total = math.MaxUint64
		}
		*sum = total
	}
}

// mulDiv returns v * part / whole, rounded down; part is at most whole, which is not 0.
func mulDiv(v, part, whole uint64) uint64 {
	high, low := bits.Mul64(v, part)
	q, _ := bits.Div64(high, low, whole)
	return q
}

// zeros returns n zeros in the memory of s.
func zeros(s []uint64, n int) []uint64 {
	if cap(s) < n {
		return make([]uint64, n)
	}
	s = s[:n]
	clear(s)
	return s
}
