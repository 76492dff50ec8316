// SPDX-License-Identifier: Apache-2.0

package enrich

import "github.com/weirflow/weir/flow"

// view is what some columns say of the rows of a batch: each row refers to a thing, and a column
// has one kind of the things' texts.
type view struct {
	things  *things
	columns []textColumn // of the first kinds
	ids     []uint32     // a thing for each row of the batch in hand
	distinct
	here   []uint32 // texts of the things that are present
	values []uint64 // of one column, for each of them
}

// newView makes a view with a field for each of the first kinds of texts.
func newView(t *things, fields ...flow.Field) view {
	v := view{things: t, columns: make([]textColumn, len(fields))}
	for i, f := range fields {
		v.columns[i] = textColumn{vocabulary: &t.kinds[i], field: f}
	}
	return v
}

// each calls do with every column.
func (v *view) each(do func(*textColumn)) {
	for i := range v.columns {
		do(&v.columns[i])
	}
}

// empty tells that no column has any text.
func (v *view) empty() bool {
	for i := range v.columns {
		if !v.columns[i].empty() {
			return false
		}
	}
	return true
}

// put writes the columns.
func (v *view) put(out *flow.Batch, row int) {
	v.gather(v.ids, v.things.len())
	// The texts of a thing lie side by side, and those of all things far apart.
	kinds := len(v.things.kinds)
	v.here = v.here[:0]
	for _, id := range v.present {
		v.here = append(v.here, v.things.numbers[int(id)*kinds:][:kinds]...)
	}
	for i := range v.columns {
		c := &v.columns[i]
		if c.empty() {
			continue
		}
		c.grow()
		v.values = v.values[:0]
		for at := i; at < len(v.here); at += kinds {
			v.values = append(v.values, c.place(v.here[at]))
		}
		out.PutIndexed(c.field, row, v.values, v.at)
		out.PutTexts(c.field, c.dictionary)
	}
}

// putNumbers writes a number that each thing has. It is called behind put.
func (v *view) putNumbers(out *flow.Batch, f flow.Field, row int, number func(thing uint32) uint64) {
	v.values = v.values[:0]
	for _, id := range v.present {
		v.values = append(v.values, number(id))
	}
	out.PutIndexed(f, row, v.values, v.at)
}
