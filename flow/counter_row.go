// SPDX-License-Identifier: Apache-2.0

package flow

// maxCounterColumns bounds the columns of a CounterTable.
const maxCounterColumns = 128

// CounterRow is a row of a CounterTable while it is filled. Columns go by their place in the
// table. It is reused: only columns that were set since Reset count.
type CounterRow struct {
	set     [maxCounterColumns / 64]uint64
	numbers [maxCounterColumns]uint64
	texts   []counterText
	// No table has more than one address.
	address       [16]byte
	addressColumn int
}

type counterText struct {
	column int
	text   string
}

// Reset forgets all columns.
func (r *CounterRow) Reset() {
	r.set, r.texts, r.address = [maxCounterColumns / 64]uint64{}, r.texts[:0], [16]byte{}
}

// SetNumber sets a column of kind Number. The bits of a floating point number are one.
func (r *CounterRow) SetNumber(column int, v uint64) {
	r.numbers[column] = v
	r.set[column/64] |= 1 << (column % 64)
}

// Number returns a column of kind Number, 0 where it was not set.
func (r *CounterRow) Number(column int) uint64 {
	if r.set[column/64]&(1<<(column%64)) == 0 {
		return 0
	}
	return r.numbers[column]
}

// SetText sets a column of kind Text.
func (r *CounterRow) SetText(column int, s string) {
	for i := range r.texts {
		if r.texts[i].column == column {
			r.texts[i].text = s
			return
		}
	}
	r.texts = append(r.texts, counterText{column, s})
}

// Text returns a column of kind Text.
func (r *CounterRow) Text(column int) string {
	for _, v := range r.texts {
		if v.column == column {
			return v.text
		}
	}
	return ""
}

// SetAddress sets the column of kind Address to 16 octets.
func (r *CounterRow) SetAddress(column int, a [16]byte) { r.address, r.addressColumn = a, column }

// Address returns the address, zeros where it was not set.
func (r *CounterRow) Address() [16]byte { return r.address }
