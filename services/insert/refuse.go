// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"slices"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// refusedFlows says for rows of the batch of messages of which message they are, with each
// row as a message of its own.
func refusedFlows(messages []*flow.Batch, rows []refusedRow) []bus.Refusal {
	parts := make([]bus.Refusal, 0, len(rows))
	for _, r := range rows {
		row := r.row
		i := slices.IndexFunc(messages, func(m *flow.Batch) bool {
			if row < m.Rows() {
				return true
			}
			row -= m.Rows()
			return false
		})
		parts = append(parts, bus.Refusal{Message: i, Rows: flowOf(messages[i], row), First: row, Reason: r.reason})
	}
	return parts
}

// flowOf returns a row as a message.
func flowOf(m *flow.Batch, row int) *flow.Batch {
	one := new(flow.Batch)
	var r flow.Record
	for f := range flow.Fields() {
		if !m.Has(f) {
			continue
		}
		switch f.Info().Kind {
		case flow.Text:
			r.SetNumber(f, one.Intern(f, m.Text(f, row)))
		case flow.Address:
			r.SetAddress(f, m.Address(f, row).As16())
		case flow.Numbers, flow.Addresses:
			addList(&r, m, f, row)
		default:
			r.SetNumber(f, m.Number(f, row))
		}
	}
	one.Append(&r)
	return one
}

// addList copies the list of a row.
func addList(r *flow.Record, m *flow.Batch, f flow.Field, row int) {
	lengths, width := m.RawColumn(f)
	start := uint64(0)
	for i := range row {
		start += at(lengths, width, i)
	}
	values, size := m.RawList(f)
	for i := start; i < start+at(lengths, width, row); i++ {
		if f.Info().Kind == flow.Addresses {
			r.AddAddress(f, [16]byte(values[16*i:]))
		} else {
			r.AddNumber(f, at(values, size, int(i))) //nolint:gosec // within values
		}
	}
}

// refusedPartials is refusedFlows for the rows of a rollup's batch.
func refusedPartials(messages []*weirv1.RollupBatch, of rollup, rows []refusedRow) []bus.Refusal {
	parts := make([]bus.Refusal, 0, len(rows))
	for _, r := range rows {
		row, i := r.row, 0
		for row >= int(of.parts[i].GetRows()) {
			row -= int(of.parts[i].GetRows())
			i++
		}
		message := slices.IndexFunc(messages, func(m *weirv1.RollupBatch) bool {
			return slices.Contains(m.GetRollups(), of.parts[i])
		})
		// Rows of several rollups of the message are told apart by which they are in it.
		first := slices.Index(messages[message].GetRollups(), of.parts[i])<<32 | row
		parts = append(parts, bus.Refusal{Message: message, Rows: partialOf(of.parts[i], row), First: first, Reason: r.reason})
	}
	return parts
}

// partialOf returns a row of partial sums as a message.
func partialOf(r *weirv1.Rollup, row int) *weirv1.RollupBatch {
	cut := func(values []byte) []byte {
		width := len(values) / int(r.GetRows())
		return values[row*width : (row+1)*width]
	}
	columns := func(from []*weirv1.RollupColumn) []*weirv1.RollupColumn {
		var all []*weirv1.RollupColumn
		for _, c := range from {
			one := &weirv1.RollupColumn{Name: c.GetName(), Values: cut(c.GetValues()), Combine: c.GetCombine()}
			if c.GetText() != nil {
				one.Text = &weirv1.TextColumn{Values: c.GetText().GetValues(), Indexes: cut(c.GetText().GetIndexes())}
			}
			all = append(all, one)
		}
		return all
	}
	return &weirv1.RollupBatch{Rollups: []*weirv1.Rollup{{
		Name: r.GetName(), Rows: 1, WindowSeconds: r.GetWindowSeconds(), WindowStart: cut(r.GetWindowStart()),
		Partial: cut(r.GetPartial()), Keys: columns(r.GetKeys()), Sums: columns(r.GetSums()),
	}}}
}
