// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// AppendNumbers appends the values of a field of kind Number, one a row, to dst. Values
// that T does not hold are cut to its width.
func AppendNumbers[T ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int64](dst []T, b *Batch, f Field) []T {
	return appendNumbers(dst, &b.cols[f], b.rows)
}

func appendNumbers[T ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int64](dst []T, c *column, rows int) []T {
	if c.used == 0 {
		return append(dst, make([]T, rows)...)
	}
	n := min(c.rows, rows)
	buf := c.buf[:n*int(c.width)]
	dst = slices.Grow(dst, rows)
	to := dst[len(dst) : len(dst)+n]
	switch c.width {
	case 1:
		for i := range to {
			to[i] = T(buf[i])
		}
	case 2:
		for i := range to {
			to[i] = T(binary.LittleEndian.Uint16(buf[2*i:]))
		}
	case 4:
		for i := range to {
			to[i] = T(binary.LittleEndian.Uint32(buf[4*i:]))
		}
	case 8:
		for i := range to {
			to[i] = T(binary.LittleEndian.Uint64(buf[8*i:]))
		}
	default:
		for i := range to {
			to[i] = T(c.at(i))
		}
	}
	return append(dst[:len(dst)+n], make([]T, rows-n)...)
}

// AppendAddresses appends the values of a field of kind Address, one a row, to dst.
func AppendAddresses(dst [][16]byte, b *Batch, f Field) [][16]byte {
	return appendAddresses(dst, &b.cols[f], b.rows)
}

func appendAddresses(dst [][16]byte, c *column, rows int) [][16]byte {
	buf := c.buf
	for range min(c.rows, rows) {
		dst = append(dst, [16]byte(buf))
		buf = buf[16:]
	}
	return append(dst, make([][16]byte, rows-min(c.rows, rows))...)
}

// Number returns a value of a field of kind Number, or the index of one of kind Text.
func (b *Batch) Number(f Field, row int) uint64 { return b.cols[f].at(row) }

// Address returns a value of a field of kind Address; IPv4 is mapped.
func (b *Batch) Address(f Field, row int) netip.Addr {
	c := &b.cols[f]
	if row >= c.rows {
		return netip.IPv6Unspecified()
	}
	return netip.AddrFrom16([16]byte(c.buf[16*row:]))
}

// Text returns a value of a field of kind Text.
func (b *Batch) Text(f Field, row int) string {
	if i := b.cols[f].at(row); i > 0 {
		return b.texts[f].values[i-1]
	}
	return ""
}

// Texts returns the dictionary of a field of kind Text: index n is the value n-1, index 0
// the empty text. The caller must not change it.
func (b *Batch) Texts(f Field) []string {
	if b.texts[f] == nil {
		return nil
	}
	return b.texts[f].values
}

// AppendLengths appends how many values each row has in a list field to dst.
func AppendLengths[T ~uint16 | ~uint32 | ~uint64](dst []T, b *Batch, f Field) []T {
	return appendNumbers(dst, &b.cols[f], b.rows)
}

// AppendListNumbers appends the values of all rows of a field of kind Numbers, on end.
func AppendListNumbers[T ~uint8 | ~uint16 | ~uint32 | ~uint64](dst []T, b *Batch, f Field) []T {
	c := &b.lists[f-firstList]
	return appendNumbers(dst, c, c.rows)
}

// AppendListAddresses appends the values of all rows of a field of kind Addresses, on end.
func AppendListAddresses(dst [][16]byte, b *Batch, f Field) [][16]byte {
	c := &b.lists[f-firstList]
	return appendAddresses(dst, c, c.rows)
}

// PutNumber sets a field of kind Number, or of kind Text to an index from Intern. Rows are
// put in ascending order; rows between stay 0. A column must not be put and appended to.
func (b *Batch) PutNumber(f Field, row int, v uint64) { b.cols[f].put(row, v) }

// Free tells whether no row from row on has a value of a field of kind Number or Text yet.
func (b *Batch) Free(f Field, row int) bool { return b.cols[f].rows <= row }

// PutNumbers is PutNumber for the rows from row on.
func (b *Batch) PutNumbers(f Field, row int, values []uint64) { b.cols[f].putAll(row, values) }

// Clear forgets the column f, so that it can be put anew.
func (b *Batch) Clear(f Field) { b.cols[f].reset() }
