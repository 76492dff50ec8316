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
	grouping
	spreads bool // some measure has parts of a flow
	filter  *filter
	views   []*view

	values  [][]uint64 // of the batch in hand, by measure
	chunk   chunk
	touched uint64 // keeps the compiler from leaving out the loads of touch
}

// chunkRows are looked up at once. Their keys fit the fastest cache.
const chunkRows = 256

// chunk is some rows of the batch in hand, for one side.
type chunk struct {
	from, to int // rows
	side     int
	keys     []uint64 // words of each row
	windows  []uint64 // s, of the ends of the flows
	hashes   []uint64
	slots    []uint64
	rows     []int // that are in one window, counted from from
	places   []int // of their sums
}

// add adds the flows of a batch, whose times are t.
func (s *source) add(in *input, t *times, c *counts, full func() bool) {
	wanted := s.filter.rows(in, &c.filter)
	for side := range s.sides {
		s.values = s.values[:0]
		for _, m := range s.measures {
			s.values = append(s.values, in.measure(m, side))
		}
		for from := 0; from < in.rows; from += chunkRows {
			s.read(in, t, from, side)
			s.addChunk(in, t, wanted, full)
		}
	}
}

// read takes the keys of a chunk from a batch.
func (s *source) read(in *input, t *times, from, side int) {
	c := &s.chunk
	c.from, c.to, c.side = from, min(from+chunkRows, in.rows), side
	n := c.to - c.from
	c.windows, c.hashes, c.slots = c.windows[:0], c.hashes[:0], zeros(c.slots, n)
	for _, end := range t.ends[c.from:c.to] {
		first, _ := s.calendar.window(end)
		c.windows = append(c.windows, first/1e9)
		c.hashes = append(c.hashes, s.table.first(first/1e9))
	}
	c.keys = zeros(c.keys, s.words*n)
	for i, k := range s.keys {
		in.pack(c, s.words, k, s.places[i])
	}
	for word := range s.words {
		at := word
		for i, h := range c.hashes {
			c.hashes[i] = mix(h, c.keys[at])
			at += s.words
		}
	}
	s.touched += s.table.touch(c.hashes, c.slots)
}

// addChunk adds the flows that are wanted, all where wanted is nil.
func (s *source) addChunk(in *input, t *times, wanted []bool, full func() bool) {
	c := &s.chunk
	c.rows, c.places = c.rows[:0], c.places[:0]
	for i, window := range c.windows {
		row := c.from + i
		if wanted != nil && !wanted[row] {
			continue
		}
		if s.spreads && t.starts[row] < window*1e9 && !full() {
			s.spread(in, i, t.starts[row], t.ends[row])
			continue
		}
		c.rows = append(c.rows, i)
		c.places = append(c.places, s.table.place(s.key(i), c.hashes[i], window))
	}
	for m := range s.measures {
		addColumn(s.table.words, c.places, m, s.measures[m].Of, s.values[m][c.from:c.to], c.rows, 0)
	}
}

// key returns the words of the key of a row of the chunk.
func (s *source) key(i int) []uint64 { return s.chunk.keys[i*s.words : (i+1)*s.words] }

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
func (s *source) spread(in *input, i int, start, end uint64) {
	row := s.chunk.from + i
	bytes, packets := in.number(int(flow.Bytes))[row], in.number(int(flow.Packets))[row]
	var spent part
	last := s.chunk.windows[i]
	for at := start; at < last*1e9; {
		first, next := s.calendar.window(at)
		due := part{bytes: mulDiv(bytes, next-start, end-start+1), packets: mulDiv(packets, next-start, end-start+1)}
		s.addPart(in, i, first/1e9, part{bytes: due.bytes - spent.bytes, packets: due.packets - spent.packets})
		spent, at = due, next
	}
	s.addPart(in, i, last, part{bytes: bytes - spent.bytes, packets: packets - spent.packets, last: true})
}

// part is what of a flow is in a window.
type part struct {
	bytes, packets uint64
	last           bool // window of the flow
}

// addPart adds a part of a flow. A window that gets nothing has no sums.
func (s *source) addPart(in *input, i int, window uint64, p part) {
	row := s.chunk.from + i
	if !p.last && !s.measured(p) {
		return
	}
	hash := s.chunk.hashes[i]
	if !s.table.together(window, s.chunk.windows[i]) {
		hash = s.table.hash(s.key(i), window)
	}
	at := s.table.place(s.key(i), hash, window)
	for m := range s.measures {
		v := s.values[m][row]
		switch of, field := s.measures[m].Of, s.measures[m].Field; {
		case of != rollup.Sum && of != rollup.Scaled:
			if !p.last && (of == rollup.Flows || of == rollup.Skewed) {
				continue
			}
		case field == flow.Bytes:
			v = p.bytes
		default:
			v = p.packets
		}
		if s.measures[m].Of == rollup.Scaled {
			v = in.times(v, in.number(int(flow.SamplingRate))[row])
		}
		combine(&s.table.words[at+m], v, s.measures[m].Of)
	}
}

// measured tells whether some measure is of what the part has.
func (s *source) measured(p part) bool {
	for _, m := range s.measures {
		if m.Of != rollup.Sum && m.Of != rollup.Scaled {
			continue
		}
		if m.Field == flow.Bytes && p.bytes > 0 || m.Field == flow.Packets && p.packets > 0 {
			return true
		}
	}
	return false
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

// addColumn brings values[from[i]+value] into sums[to[i]+sum], for all i.
func addColumn(sums []uint64, to []int, sum int, of rollup.Of, values []uint64, from []int, value int) {
	if of == rollup.Max || of == rollup.Min {
		for i, at := range to {
			combine(&sums[at+sum], values[from[i]+value], of)
		}
		return
	}
	for i, at := range to {
		total, carry := bits.Add64(sums[at+sum], values[from[i]+value], 0)
		if carry != 0 {
			total = math.MaxUint64
		}
		sums[at+sum] = total
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
