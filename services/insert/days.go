// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/weirflow/weir/flow"
)

// clock is the column by which a table is partitioned, by UTC days or something coarser.
type clock struct {
	column string
	second uint64 // the column's value of 1 s
	from   string // SQL that makes a value of a number
}

// clockOf returns the clock of a table.
func clockOf(table string) clock {
	of, counters := counterTable(table)
	switch {
	case counters && of == flow.ExporterHealth:
		return clock{"time", 1, "toDateTime"}
	case counters || table == flowsTable:
		return clock{flow.TimeReceivedNs.String(), 1e9, "fromUnixTimestamp64Nano"}
	default:
		return clock{windowColumn, 1, "toDateTime"}
	}
}

// period is a UTC day of a batch: what is inserted at once, so that it becomes one part of
// the table, which is there as a whole or not at all.
type period struct {
	day         uint64 // since 1970
	first, last uint64 // least and greatest time in the batch, as the column has them
}

// times returns the time of row i, 0 for all where the batch has no such column.
func (b *batch) times(c clock) func(i int) uint64 {
	n := slices.IndexFunc(b.columns, func(e *encoded) bool { return e.name == c.column })
	if n < 0 {
		return func(int) uint64 { return 0 }
	}
	e := b.columns[n]
	return func(i int) uint64 { return at(e.body, e.typ.width, i) }
}

// periods returns the days that the batch touches, in the order in which they come first.
func (b *batch) periods(c clock) []period {
	var all []period
	length := 86400 * c.second
	time := b.times(c)
	current := 0
	for i := range b.rows {
		v := time(i)
		if len(all) == 0 || v/length != all[current].day {
			current = slices.IndexFunc(all, func(p period) bool { return p.day == v/length })
			if current < 0 {
				current = len(all)
				all = append(all, period{v / length, v, v})
			}
		}
		p := &all[current]
		p.first, p.last = min(p.first, v), max(p.last, v)
	}
	return all
}

// rowsOf returns the rows of a day.
func (b *batch) rowsOf(c clock, day uint64) []int {
	time := b.times(c)
	var rows []int
	for i := range b.rows {
		if time(i)/(86400*c.second) == day {
			rows = append(rows, i)
		}
	}
	return rows
}

// setSome makes the batch of some rows of another one, without its mark.
func (b *batch) setSome(of *batch, rows []int) {
	b.reset(len(rows))
	for _, from := range of.columns {
		if from.name != markColumn {
			b.add(from.name, from.typ).setRows(from, rows)
		}
	}
}

// setRows fills the column with some rows of another one of the same type.
func (c *encoded) setRows(from *encoded, rows []int) {
	width := from.typ.width
	switch from.typ.kind {
	case flow.Text:
		c.text.width = from.text.width
		width = from.text.width
		c.head = append(c.head, from.head[:len(from.head)-8]...)
		c.head = binary.LittleEndian.AppendUint64(c.head, uint64(len(rows))) //nolint:gosec // a length
	case flow.Numbers, flow.Addresses:
		end := uint64(0)
		for _, i := range rows {
			start, stop := uint64(0), at(from.head, 8, i)
			if i > 0 {
				start = at(from.head, 8, i-1)
			}
			end += stop - start
			c.head = binary.LittleEndian.AppendUint64(c.head, end)
			c.body = append(c.body, from.body[int(start)*width:int(stop)*width]...) //nolint:gosec // within body
		}
		return
	default:
	}
	for _, i := range rows {
		c.body = append(c.body, from.body[i*width:(i+1)*width]...)
	}
}

// between is the condition that a row of the table is of the period.
func (c clock) between(p period) string {
	return fmt.Sprintf("%[1]s BETWEEN %[2]s(%[3]d) AND %[2]s(%[4]d)", c.column, c.from, p.first, p.last)
}
