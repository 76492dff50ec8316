// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// column is one fixed-width little-endian value a row. While it is written its width is
// what the values so far need, or what those of the last batch needed.
type column struct {
	buf  []byte
	rows int    // values in buf
	max  uint64 // greatest value that width holds
	used uint64 // all values or-ed: 0 is a column that no row uses
	// width is 1, 2, 4 or 8 octets for numbers, 16 for addresses, 0 before the first value.
	width uint8
	// shift is the logarithm of width: value n of a number is at n << shift.
	shift uint8
	// adopted says that buf is part of a message and not ours to write to.
	adopted bool
	_       [8]byte
}

// reset forgets the values, and keeps the memory.
func (c *column) reset() {
	if w := c.least(); w != 0 {
		c.setWidth(w)
	}
	if c.adopted {
		c.buf, c.adopted = nil, false
	}
	c.buf, c.rows, c.used = c.buf[:0], 0, 0
}

// adopt makes the column of a message's bytes.
func (c *column) adopt(b []byte, width uint8, rows int) {
	c.buf, c.rows, c.adopted = b[:len(b):len(b)], rows, true
	c.setWidth(width)
	c.used = greatest(width)
}

// put writes the value of a row; rows between the last one and this become 0.
func (c *column) put(row int, v uint64) {
	if !c.next(row, v) {
		c.prepare(row, v)
		c.next(row, v)
	}
}

// next writes the value of the row after the last one, if the column is ready for it. All
// widths are written as 8 octets, of which the next value overwrites what is too much.
func (c *column) next(row int, v uint64) bool {
	at := len(c.buf)
	if v > c.max || c.rows != row || at+8 > cap(c.buf) {
		return false
	}
	binary.LittleEndian.PutUint64(c.buf[at:at+8], v)
	c.buf = c.buf[:at+int(c.width)]
	c.used |= v
	c.rows = row + 1
	return true
}

// putAll is put for the rows from row on.
func (c *column) putAll(row int, values []uint64) {
	if len(values) == 0 {
		return
	}
	all := fill(c.room(row, len(values), 0), int(c.width), values)
	if all > c.max { // the column is too narrow: what was written is not right
		c.rows, c.buf = row, c.buf[:row<<c.shift]
		fill(c.room(row, len(values), all), int(c.width), values)
	}
	c.used |= all
}

// fill writes values every width octets, and returns all of them or-ed.
func fill(to []byte, width int, values []uint64) (all uint64) {
	at := 0
	for _, v := range values {
		all |= v
		binary.LittleEndian.PutUint64(to[at:], v)
		at += width
	}
	return all
}

// room makes room for the values of n rows from row on, n at least 1, which need a width for v. It
// returns where they go: the last one too is written as 8 octets.
func (c *column) room(row, n int, v uint64) []byte {
	if c.width == 0 || c.rows != row || v > c.max {
		c.prepare(row, v)
	}
	c.grow(n << c.shift)
	c.used |= v
	c.rows = row + n
	from, last := row<<c.shift, (c.rows-1)<<c.shift
	c.buf = c.buf[:c.rows<<c.shift]
	return c.buf[from : last+8]
}

func (c *column) setWidth(w uint8) {
	c.width, c.shift, c.max = w, uint8(bits.TrailingZeros8(w)), greatest(w) //nolint:gosec // at most 8
}

// putAddress is put for addresses.
func (c *column) putAddress(row int, a *[16]byte) {
	c.width = 16
	if c.rows != row {
		c.pad(row)
	}
	c.used |= binary.LittleEndian.Uint64(a[:8]) | binary.LittleEndian.Uint64(a[8:])
	c.rows++
	c.buf = append(c.buf, a[:]...)
}

// prepare widens the column for v and pads it up to row.
func (c *column) prepare(row int, v uint64) {
	if w := least(v); w > c.width {
		c.widen(w)
	}
	c.pad(row)
	c.grow(1 << c.shift)
}

// grow makes room for n octets more, and for those that put writes too much.
func (c *column) grow(n int) {
	if len(c.buf)+n+8 > cap(c.buf) {
		c.buf = slices.Grow(c.buf, n+8+len(c.buf))
	}
}

// pad fills up to rows values with 0.
func (c *column) pad(rows int) {
	if n := (rows - c.rows) * int(c.width); n > 0 {
		c.buf = append(c.buf, make([]byte, n)...)
		c.rows = rows
	}
}

// widen rewrites the values in a greater width, in place and from the last one on.
func (c *column) widen(width uint8) {
	narrow := *c
	c.buf = append(c.buf, make([]byte, c.rows*int(width-c.width))...)
	for i := c.rows - 1; i >= 0; i-- {
		v, at := narrow.at(i), i*int(width)
		for n := range int(width) {
			c.buf[at+n] = byte(v >> (8 * n))
		}
	}
	c.setWidth(width)
	c.adopted = false
}

// least returns the width of the wire form, 0 where the column is absent.
func (c *column) least() uint8 {
	switch {
	case c.used == 0:
		return 0
	case c.width == 16:
		return 16
	default:
		return least(c.used)
	}
}

// wire appends the column as rows values in its least width.
func (c *column) wire(dst []byte, rows int) []byte {
	c.pad(rows)
	width := c.least()
	if width == c.width {
		return append(dst, c.buf...)
	}
	for i := range rows {
		v := c.at(i)
		for n := range int(width) {
			dst = append(dst, byte(v>>(8*n)))
		}
	}
	return dst
}

// at returns a number.
func (c *column) at(row int) uint64 {
	if row >= c.rows {
		return 0
	}
	switch c.width {
	case 1:
		return uint64(c.buf[row])
	case 2:
		return uint64(binary.LittleEndian.Uint16(c.buf[2*row:]))
	case 4:
		return uint64(binary.LittleEndian.Uint32(c.buf[4*row:]))
	default:
		return binary.LittleEndian.Uint64(c.buf[8*row:])
	}
}

// least is the smallest width that holds v.
func least(v uint64) uint8 {
	switch n := bits.Len64(v); {
	case n <= 8:
		return 1
	case n <= 16:
		return 2
	case n <= 32:
		return 4
	default:
		return 8
	}
}

func greatest(width uint8) uint64 { return math.MaxUint64 >> (64 - 8*min(uint(width), 8)) }
