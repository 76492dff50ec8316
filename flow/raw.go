// SPDX-License-Identifier: Apache-2.0

package flow

import "iter"

// Fields yields all fields, in the order of the table.
func Fields() iter.Seq[Field] {
	return func(yield func(Field) bool) {
		for f := range fields {
			if fields[f].Number != 0 && !yield(Field(f)) {
				return
			}
		}
	}
}

// RawColumn returns the values of f as they are kept: little-endian, width octets each. Rows
// beyond the last value are 0. For a text field the values are indexes into Texts, for a list
// field how many values each row has. The caller must not change them.
func (b *Batch) RawColumn(f Field) (values []byte, width int) {
	c := &b.cols[f]
	return c.buf, int(c.width)
}

// RawList is RawColumn for the values of all rows of a list field, on end.
func (b *Batch) RawList(f Field) (values []byte, width int) {
	c := &b.lists[f-firstList]
	return c.buf, int(c.width)
}
