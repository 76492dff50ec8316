// SPDX-License-Identifier: Apache-2.0

package insert

import "github.com/weirflow/weir/flow"

// flowsTable holds every flow.
const flowsTable = "flows"

// setFlows makes the batch of all flows of the messages, in order. It has the columns that
// any row uses; the table has defaults for the rest.
func (b *batch) setFlows(t *table, messages []*flow.Batch) error {
	rows := 0
	for _, m := range messages {
		rows += m.Rows()
	}
	b.reset(rows)
	for f := range flow.Fields() {
		if !uses(messages, f) {
			continue
		}
		typ, err := t.typeOfColumn(f.Info())
		if err != nil {
			return err
		}
		if err := b.add(f.String(), typ).setField(messages, f); err != nil {
			return err
		}
	}
	return nil
}

func uses(messages []*flow.Batch, f flow.Field) bool {
	for _, m := range messages {
		if m.Has(f) {
			return true
		}
	}
	return false
}

// setField fills the column with the field f of all messages.
func (c *encoded) setField(messages []*flow.Batch, f flow.Field) error {
	switch c.typ.kind {
	case flow.Text:
		c.beginText()
		rows := 0
		for _, m := range messages {
			indexes, width := rawColumn(m, f)
			if err := c.addText(m.Texts(f), indexes, width, m.Rows()); err != nil {
				return err
			}
			rows += m.Rows()
		}
		c.endText(rows)
	case flow.Numbers, flow.Addresses:
		for _, m := range messages {
			lengths, lengthWidth := rawColumn(m, f)
			values, width := m.RawList(f)
			c.addLists(lengths, lengthWidth, values, width, m.Rows())
		}
	default:
		for _, m := range messages {
			values, width := rawColumn(m, f)
			c.addValues(values, width, m.Rows())
		}
	}
	return nil
}

// rawColumn returns no values for a field that no row uses.
func rawColumn(m *flow.Batch, f flow.Field) (values []byte, width int) {
	if !m.Has(f) {
		return nil, 0
	}
	return m.RawColumn(f)
}
