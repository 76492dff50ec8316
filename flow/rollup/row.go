// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// Row is a key and its measures.
type Row struct {
	Keys, Measures []Value
	id             string // the key in octets
}

// Value is a value of a column: a number, or the text of a text or an address.
type Value struct {
	Name   string
	Number uint64
	Text   string
	IsText bool
}

// String returns the value as people write it.
func (v Value) String() string {
	if v.IsText {
		return v.Text
	}
	return strconv.FormatUint(v.Number, 10)
}

// rowOf takes a row from a partial sum. It copies what it keeps.
func rowOf(r *weirv1.Rollup, i int) *Row {
	row, rows := &Row{}, int(r.GetRows())
	var id []byte
	for _, c := range r.GetKeys() {
		v := valueOf(c, rows, i)
		id = binary.BigEndian.AppendUint64(id, v.Number)
		id = append(binary.AppendUvarint(id, uint64(len(v.Text))), v.Text...)
		row.Keys = append(row.Keys, v)
	}
	for _, c := range r.GetSums() {
		row.Measures = append(row.Measures, valueOf(c, rows, i))
	}
	row.id = string(id)
	return row
}

func valueOf(c *weirv1.RollupColumn, rows, i int) Value {
	v := Value{Name: c.GetName()}
	switch {
	case c.GetText() != nil:
		v.IsText = true
		n := number(c.GetText().GetIndexes(), rows, i)
		if n > 0 && n <= uint64(len(c.GetText().GetValues())) {
			v.Text = string([]byte(c.GetText().GetValues()[n-1]))
		}
	case len(c.GetValues()) == 16*rows:
		v.IsText = true
		v.Text = netip.AddrFrom16([16]byte(c.GetValues()[16*i:])).Unmap().String()
	default:
		v.Number = number(c.GetValues(), rows, i)
	}
	return v
}

// number reads a value of a fixed-width column of at most 8 octets a row.
func number(column []byte, rows, i int) (v uint64) {
	width := len(column) / rows
	for n := range min(width, 8) {
		v |= uint64(column[i*width+n]) << (8 * n)
	}
	return v
}
