// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"iter"
	"math"
	"net/netip"
	"strconv"
)

// JSON yields each row of the tables, Health not included, as a JSON object in a line of its own: the
// name of its table (_table), and the columns that are not 0. The bytes are valid until the next row.
func (c *Counters) JSON() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var w jsonWriter
		for t := range CounterTable(NumCounterTables) {
			for row := range c.tables[t].rows {
				w.counters(c, t, row)
				if !yield(w.out) {
					return
				}
			}
		}
	}
}

// counters writes a row of a table.
func (w *jsonWriter) counters(c *Counters, t CounterTable, row int) {
	w.out = append(w.out[:0], '{')
	w.name("_table")
	w.text(t.Name())
	for i, info := range t.Columns() {
		if !c.Has(t, i) {
			continue
		}
		col := &c.tables[t].cols[i]
		switch info.Kind {
		case Address:
			if row < col.rows {
				w.name(info.Name)
				w.address(netip.AddrFrom16([16]byte(col.buf[16*row:])))
			}
		case Text:
			if n := col.at(row); n != 0 {
				w.name(info.Name)
				w.text(c.tables[t].texts[i].values[n-1])
			}
		default:
			if v := col.at(row); v != 0 {
				w.name(info.Name)
				w.counter(info, v)
			}
		}
	}
	w.out = append(w.out, '}', '\n')
}

// counter writes a number; of a floating point number v has the bits.
func (w *jsonWriter) counter(info Info, v uint64) {
	switch info.Type {
	case "Float32":
	case "Int32":
		w.out = strconv.AppendInt(w.out, int64(int32(v)), 10) //nolint:gosec // two's complement
		return
	case "Int64":
		w.out = strconv.AppendInt(w.out, int64(v), 10) //nolint:gosec // two's complement
		return
	default:
		w.out = strconv.AppendUint(w.out, v, 10)
		return
	}
	f := float64(math.Float32frombits(uint32(v))) //nolint:gosec // 4 octets
	if math.IsNaN(f) || math.IsInf(f, 0) {        // an agent may send any bits, JSON has no words for these
		f = 0
	}
	w.out = strconv.AppendFloat(w.out, f, 'g', -1, 32)
}
