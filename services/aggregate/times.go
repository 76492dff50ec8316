// SPDX-License-Identifier: Apache-2.0

package aggregate

import "github.com/weirflow/weir/flow"

// times are the first and the last instant of each flow of a batch, ns, as it is counted.
type times struct {
	starts, ends []uint64
	skewed       uint64 // number of an exporter whose clock is wrong
}

// limits keep hostile times and keys from costing more than they should.
type limits struct {
	rows   int        // that a flush may have; beyond it the windows are full,
	octets func() int // and so they are beyond this memory
	ahead  uint64     // how far an end may be ahead of its receipt, ns
	behind uint64     // and behind it, ns
	length uint64     // of a flow, ns
}

// counts are events since they were last taken.
type counts struct {
	ahead     int // flows whose end was too far ahead of their receipt
	behind    int // and too far behind it
	cut       int // flows that were longer than they may be
	unspread  int // flows that were not spread, for want of memory
	filter    int // conditions of filters that could not be computed
	saturated int // values times the sampling interval that stopped at 2^64 - 1
}

// read takes the times of a batch.
func (t *times) read(in *input, l limits, c *counts) {
	t.starts = append(t.starts[:0], in.number(int(flow.TimeFlowStartNs))...)
	t.ends = append(t.ends[:0], in.number(int(flow.TimeFlowEndNs))...)
	for row, received := range in.number(int(flow.TimeReceivedNs)) {
		start, end := t.starts[row], t.ends[row]
		switch {
		case end == 0:
			end = received
		case received == 0:
		case end > received && end-received > l.ahead:
			start, end = received, received
			c.ahead++
			t.disbelieve(in, row)
		case received > end && received-end > l.behind:
			start, end = received, received
			c.behind++
			t.disbelieve(in, row)
		}
		if start == 0 || start > end {
			start = end
		}
		if end-start > l.length {
			start = end - l.length
			c.cut++
		}
		t.starts[row], t.ends[row] = start, end
	}
}

// disbelieve notes that the clock of a flow's exporter is wrong.
func (t *times) disbelieve(in *input, row int) {
	in.numbers[skewed][row] = 1
	t.skewed = in.number(int(flow.SamplerAddress))[row]
}
