// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"fmt"
	"math/bits"

	"google.golang.org/protobuf/encoding/protowire"
)

// Counters is what decode tells beside flows: weir.v1.CounterBatch. It is filled row by row, or
// read from a message. It is not safe for concurrent use.
type Counters struct {
	// Health are rows of ExporterHealth that are still to be written: they become columns in
	// AppendVT. A batch that was read has them as columns only.
	Health []Health

	tables  [NumCounterTables]counterTable
	section []byte // reused: a table on its way into the message
}

// counterTable is the rows of a table, in columns.
type counterTable struct {
	rows  int
	cols  []column
	texts []*dictionary
}

// numberOfSectionRows is the field number of the rows in each section.
const numberOfSectionRows = 1

// Rows returns the rows of all tables.
func (c *Counters) Rows() int {
	n := len(c.Health)
	for t := range c.tables {
		n += c.tables[t].rows
	}
	return n
}

// TableRows returns the rows of a table, Health not included.
func (c *Counters) TableRows(t CounterTable) int { return c.tables[t].rows }

// Reset empties the batch and keeps its memory.
func (c *Counters) Reset() {
	c.Health = c.Health[:0]
	for t := range c.tables {
		c.tables[t].reset()
	}
}

func (t *counterTable) reset() {
	t.rows = 0
	for i := range t.cols {
		t.cols[i].reset()
	}
	clear(t.texts)
}

// prepare makes the columns when the table is used for the first time.
func (t *counterTable) prepare(columns []Info) {
	if t.cols == nil {
		t.cols, t.texts = make([]column, len(columns)), make([]*dictionary, len(columns))
	}
}

// Append adds a row.
func (c *Counters) Append(table CounterTable, r *CounterRow) {
	t := &c.tables[table]
	t.prepare(table.Columns())
	for w := range r.set {
		for m := r.set[w]; m != 0; m &= m - 1 {
			i := 64*w + bits.TrailingZeros64(m)
			t.cols[i].put(t.rows, r.numbers[i])
		}
	}
	for _, v := range r.texts {
		if t.texts[v.column] == nil {
			t.texts[v.column] = &dictionary{}
		}
		t.cols[v.column].put(t.rows, t.texts[v.column].intern(v.text))
	}
	if r.address != [16]byte{} {
		t.cols[r.addressColumn].putAddress(t.rows, &r.address)
	}
	t.rows++
}

// Has tells whether any row of a table uses a column.
func (c *Counters) Has(t CounterTable, column int) bool {
	return c.tables[t].cols != nil && c.tables[t].cols[column].used != 0
}

// RawColumn is Batch.RawColumn for a column of a table.
func (c *Counters) RawColumn(t CounterTable, column int) (values []byte, width int) {
	if !c.Has(t, column) {
		return nil, 0
	}
	col := &c.tables[t].cols[column]
	return col.buf, int(col.width)
}

// Texts is Batch.Texts for a column of a table.
func (c *Counters) Texts(t CounterTable, column int) []string {
	if !c.Has(t, column) || c.tables[t].texts[column] == nil {
		return nil
	}
	return c.tables[t].texts[column].values
}

// Row copies a row of a table.
func (c *Counters) Row(t CounterTable, row int, to *CounterRow) {
	to.Reset()
	for i, info := range t.Columns() {
		if !c.Has(t, i) {
			continue
		}
		col := &c.tables[t].cols[i]
		switch info.Kind {
		case Text:
			if n := col.at(row); n > 0 {
				to.SetText(i, c.tables[t].texts[i].values[n-1])
			}
		case Address:
			if row < col.rows {
				to.SetAddress(i, [16]byte(col.buf[16*row:]))
			}
		default:
			to.SetNumber(i, col.at(row))
		}
	}
}

// SizeVT returns the length of the wire form, or a little more.
func (c *Counters) SizeVT() int {
	const overhead = 24
	n := len(c.Health) * 8 * len(exporterHealthColumns)
	for t := range c.tables {
		table := &c.tables[t]
		n += overhead
		for i := range table.cols {
			if w := int(table.cols[i].least()); w != 0 {
				n += overhead + w*table.rows
			}
			if d := table.texts[i]; d != nil {
				for _, v := range d.values {
					n += 5 + len(v)
				}
			}
		}
	}
	return n + overhead*len(exporterHealthColumns)
}

// AppendVT appends the wire form of weir.v1.CounterBatch.
func (c *Counters) AppendVT(dst []byte) []byte {
	c.foldHealth()
	for t := range c.tables {
		if c.tables[t].rows == 0 {
			continue
		}
		c.section = c.tables[t].appendVT(c.section[:0], counterTables[t].columns)
		dst = protowire.AppendTag(dst, protowire.Number(counterTables[t].number), protowire.BytesType) //nolint:gosec // small
		dst = protowire.AppendBytes(dst, c.section)
	}
	return dst
}

func (t *counterTable) appendVT(dst []byte, columns []Info) []byte {
	dst = protowire.AppendTag(dst, numberOfSectionRows, protowire.VarintType)
	dst = protowire.AppendVarint(dst, uint64(t.rows)) //nolint:gosec // not negative
	for i := range t.cols {
		if t.cols[i].used == 0 {
			continue
		}
		dst = protowire.AppendTag(dst, protowire.Number(columns[i].Number), protowire.BytesType) //nolint:gosec // small
		if columns[i].Kind == Text {
			dst = appendText(dst, &t.cols[i], t.texts[i].values, t.rows)
		} else {
			dst = appendColumn(dst, &t.cols[i], t.rows)
		}
	}
	return dst
}

// UnmarshalVTUnsafe replaces the batch by the message p, and aliases it as Batch does. Tables and
// columns that this version does not know are passed over.
func (c *Counters) UnmarshalVTUnsafe(p []byte) error {
	c.Reset()
	return eachField(p, func(num protowire.Number, v []byte) error {
		for t := range c.tables {
			if counterTables[t].number == int(num) {
				if err := c.tables[t].adopt(v, counterTables[t].columns); err != nil {
					return fmt.Errorf("table %s: %w", counterTables[t].name, err)
				}
			}
		}
		return nil
	})
}

func (t *counterTable) adopt(p []byte, columns []Info) error {
	rows, err := rowsOf(p, numberOfSectionRows)
	if err != nil {
		return err
	}
	t.prepare(columns)
	t.reset()
	t.rows = rows
	return eachField(p, func(num protowire.Number, v []byte) error {
		for i := range columns {
			if columns[i].Number != int(num) {
				continue
			}
			if columns[i].Kind == Text {
				t.texts[i], err = adoptText(&t.cols[i], v, rows, columns[i])
			} else {
				err = adoptColumn(&t.cols[i], v, rows, columns[i])
			}
			if err != nil {
				return fmt.Errorf("column %s: %w", columns[i].Name, err)
			}
		}
		return nil
	})
}
