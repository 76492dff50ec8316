// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"context"
	"slices"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/flow"
)

// writeCounters writes messages of COUNTERS, an insert for each table that has rows. What has
// been written when a later table fails is written again with the same token.
func (w *writer) writeCounters(ctx context.Context, token string, messages []*flow.Counters) error {
	var refused []bus.Refusal
	for of := range flow.CounterTable(flow.NumCounterTables) {
		if counterRows(messages, of) == 0 {
			continue
		}
		rows, err := w.write(ctx, of.Name(), token, func(t *table) error { return w.batch.setCounters(t, of, messages) })
		if err != nil {
			return err
		}
		refused = append(refused, refusedCounters(messages, of, rows)...)
	}
	return outcome(refused, nil)
}

func counterRows(messages []*flow.Counters, of flow.CounterTable) int {
	rows := 0
	for _, m := range messages {
		rows += m.TableRows(of)
	}
	return rows
}

// counterTable returns which table of counters has that name.
func counterTable(name string) (of flow.CounterTable, ok bool) {
	for of = range flow.CounterTable(flow.NumCounterTables) {
		if of.Name() == name {
			return of, true
		}
	}
	return 0, false
}

// setCounters makes the batch of all rows of a table, in order. It has the columns that any row
// uses; the table has defaults for the rest.
func (b *batch) setCounters(t *table, of flow.CounterTable, messages []*flow.Counters) error {
	b.reset(counterRows(messages, of))
	for i, info := range of.Columns() {
		if !slices.ContainsFunc(messages, func(m *flow.Counters) bool { return m.Has(of, i) }) {
			continue
		}
		typ, err := t.typeOfColumn(info)
		if err != nil {
			return err
		}
		if err := b.add(info.Name, typ).setCounter(messages, of, i); err != nil {
			return err
		}
	}
	return nil
}

// setCounter fills the column with column i of all messages.
func (c *encoded) setCounter(messages []*flow.Counters, of flow.CounterTable, i int) error {
	if c.typ.kind != flow.Text {
		for _, m := range messages {
			values, width := m.RawColumn(of, i)
			c.addValues(values, width, m.TableRows(of))
		}
		return nil
	}
	c.beginText()
	for _, m := range messages {
		indexes, width := m.RawColumn(of, i)
		if err := c.addText(m.Texts(of, i), indexes, width, m.TableRows(of)); err != nil {
			return err
		}
	}
	c.endText(counterRows(messages, of))
	return nil
}

// refusedCounters is refusedFlows for the rows of a table of counters.
func refusedCounters(messages []*flow.Counters, of flow.CounterTable, rows []refusedRow) []bus.Refusal {
	parts := make([]bus.Refusal, 0, len(rows))
	for _, r := range rows {
		row, i := r.row, 0
		for row >= messages[i].TableRows(of) {
			row -= messages[i].TableRows(of)
			i++
		}
		var one flow.CounterRow
		messages[i].Row(of, row, &one)
		alone := new(flow.Counters)
		alone.Append(of, &one)
		// Rows of several tables of the message are told apart by the table.
		parts = append(parts, bus.Refusal{Message: i, Rows: alone, First: int(of)<<32 | row, Reason: r.reason})
	}
	return parts
}
