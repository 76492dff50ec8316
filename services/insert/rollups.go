// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// windowColumn is the start of the window in every rollup's table.
const windowColumn = "window_start"

// rollup is the partial sums for one table, from any number of messages.
type rollup struct {
	table string
	parts []*weirv1.Rollup
}

var (
	errMalformed = errors.New("malformed rollup")
	tableName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// byTable sorts the partial sums of the messages by table, in the order in which the tables
// come first. Whether a partial is early, closing or late does not go into the tables: they
// add all of them up.
func byTable(messages []*weirv1.RollupBatch) ([]rollup, error) {
	var rollups []rollup
	for _, m := range messages {
		for _, r := range m.GetRollups() {
			if r.GetRows() == 0 {
				continue // it only says that windows are closed
			}
			if !tableName.MatchString(r.GetName()) {
				return nil, fmt.Errorf("%w: name %q", errMalformed, r.GetName())
			}
			i := slices.IndexFunc(rollups, func(o rollup) bool { return o.table == r.GetName() })
			if i < 0 {
				i = len(rollups)
				rollups = append(rollups, rollup{table: r.GetName()})
			}
			rollups[i].parts = append(rollups[i].parts, r)
		}
	}
	return rollups, nil
}

// setRollup makes the batch of the partial sums of one table, in order.
func (b *batch) setRollup(t *table, r rollup) error {
	rows := 0
	for _, part := range r.parts {
		rows += int(part.GetRows())
	}
	b.reset(rows)
	typ, err := t.typeOf(windowColumn, flow.Number, 4)
	if err != nil {
		return err
	}
	if typ.time != "DateTime" {
		return &schemaError{fmt.Sprintf("table %s: column %s has type %s, want DateTime", t.name, windowColumn, typ.name)}
	}
	window := b.add(windowColumn, typ)
	for _, part := range r.parts {
		width, err := valueWidth(part.GetWindowStart(), part, 4)
		if err != nil {
			return fmt.Errorf("%w: %s", err, windowColumn)
		}
		window.addValues(part.GetWindowStart(), width, int(part.GetRows()))
	}
	for _, name := range columnNames(r.parts) {
		if err := b.addRollupColumn(t, r.parts, name); err != nil {
			return err
		}
	}
	return nil
}

// columnNames are the names of all columns that hold anything, in the order in which they
// come first.
func columnNames(parts []*weirv1.Rollup) []string {
	var names []string
	for _, part := range parts {
		for _, columns := range [][]*weirv1.RollupColumn{part.GetKeys(), part.GetSums()} {
			for _, c := range columns {
				if (len(c.GetValues()) > 0 || c.GetText() != nil) && !slices.Contains(names, c.GetName()) {
					names = append(names, c.GetName())
				}
			}
		}
	}
	return names
}

// columnOf returns the column of that name, an empty one where the part has none.
func columnOf(part *weirv1.Rollup, name string) *weirv1.RollupColumn {
	for _, columns := range [][]*weirv1.RollupColumn{part.GetKeys(), part.GetSums()} {
		for _, c := range columns {
			if c.GetName() == name {
				return c
			}
		}
	}
	return nil
}

// addRollupColumn adds a key or a sum.
func (b *batch) addRollupColumn(t *table, parts []*weirv1.Rollup, name string) error {
	kind, greatest := flow.Number, 0
	for _, part := range parts {
		c := columnOf(part, name)
		if c.GetText() != nil {
			kind = flow.Text
			continue
		}
		width, err := valueWidth(c.GetValues(), part, 16)
		if err != nil {
			return fmt.Errorf("%w: %s.%s", err, t.name, name)
		}
		if greatest = max(greatest, width); width == 16 {
			kind = flow.Address
		}
	}
	typ, err := t.typeOf(name, kind, greatest)
	if err != nil {
		return err
	}
	column := b.add(name, typ)
	if kind == flow.Text {
		return column.setRollupText(parts, b.rows)
	}
	for _, part := range parts {
		values := columnOf(part, name).GetValues()
		column.addValues(values, len(values)/int(part.GetRows()), int(part.GetRows()))
	}
	return nil
}

// setRollupText fills the column with a text key of all parts.
func (c *encoded) setRollupText(parts []*weirv1.Rollup, rows int) error {
	c.beginText()
	for _, part := range parts {
		text := columnOf(part, c.name).GetText()
		width, err := valueWidth(text.GetIndexes(), part, 4)
		if err == nil {
			err = c.addText(text.GetValues(), text.GetIndexes(), width, int(part.GetRows()))
		}
		if err != nil {
			return fmt.Errorf("%w: %s", err, c.name)
		}
	}
	c.endText(rows)
	return nil
}

// valueWidth returns the octets of one of the values of part: 0, 1, 2, 4, 8 or 16.
func valueWidth(values []byte, part *weirv1.Rollup, greatest int) (int, error) {
	rows := int(part.GetRows())
	width := len(values) / rows
	if len(values)%rows != 0 || width&(width-1) != 0 || width > greatest {
		return 0, fmt.Errorf("%w: %d octets for %d rows", errMalformed, len(values), rows)
	}
	return width, nil
}
