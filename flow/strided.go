// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"encoding/binary"
	"slices"
)

// PutStrided sets a field of kind Number in n rows from row on: big-endian numbers of size
// octets, no wider than the field, of which the first begins data and the others follow stride
// octets apart. Otherwise it is as PutNumber.
func (b *Batch) PutStrided(f Field, row, n int, data []byte, stride, size int) {
	if n <= 0 {
		return
	}
	c := &b.cols[f]
	all := copyStrided(c.room(row, n, 0), int(c.width), data, stride, size)
	if all > c.max { // the column is too narrow: what was written is not right
		c.rows, c.buf = row, c.buf[:row<<c.shift]
		copyStrided(c.room(row, n, all), int(c.width), data, stride, size)
	}
	c.used |= all
}

// copyStrided fills to, every width octets, with the numbers in data, every stride octets, and returns
// all of them or-ed. As in column.next the next value overwrites what is too much.
func copyStrided(to []byte, width int, data []byte, stride, size int) (all uint64) {
	at := 0
	switch size {
	case 1:
		for from := 0; from < len(data) && at+8 <= len(to); from += stride {
			v := uint64(data[from])
			all |= v
			binary.LittleEndian.PutUint64(to[at:at+8], v)
			at += width
		}
	case 2:
		for from := 0; from+2 <= len(data) && at+8 <= len(to); from += stride {
			v := uint64(binary.BigEndian.Uint16(data[from : from+2]))
			all |= v
			binary.LittleEndian.PutUint64(to[at:at+8], v)
			at += width
		}
	case 4:
		for from := 0; from+4 <= len(data) && at+8 <= len(to); from += stride {
			v := uint64(binary.BigEndian.Uint32(data[from : from+4]))
			all |= v
			binary.LittleEndian.PutUint64(to[at:at+8], v)
			at += width
		}
	default:
		for from := 0; from+size <= len(data) && at+8 <= len(to); from += stride {
			v := bigEndian(data[from:], size)
			all |= v
			binary.LittleEndian.PutUint64(to[at:at+8], v)
			at += width
		}
	}
	return all
}

// bigEndian reads the number of 1 to 8 octets with which b begins.
func bigEndian(b []byte, size int) (v uint64) {
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b) >> (64 - 8*size)
	}
	for _, octet := range b[:size] {
		v = v<<8 | uint64(octet)
	}
	return v
}

// PutRepeated sets a field of kind Number to v in n rows from row on. Otherwise it is as PutNumber.
func (b *Batch) PutRepeated(f Field, row, n int, v uint64) {
	if n <= 0 {
		return
	}
	c := &b.cols[f]
	to := c.room(row, n, v)
	for at := 0; at+8 <= len(to); at += int(c.width) {
		binary.LittleEndian.PutUint64(to[at:at+8], v)
	}
}

// PutRepeatedAddress is PutRepeated for a field of kind Address.
func (b *Batch) PutRepeatedAddress(f Field, row, n int, a [16]byte) {
	buf := b.cols[f].addresses(row, n, a != [16]byte{})
	for ; len(buf) >= 16; buf = buf[16:] {
		copy(buf, a[:])
	}
}

// PutStridedIPv4 is PutStrided for a field of kind Address and IPv4 addresses.
func (b *Batch) PutStridedIPv4(f Field, row, n int, data []byte, stride int) {
	buf := b.cols[f].addresses(row, n, true)
	for i := range n {
		to := buf[16*i:][:16]
		binary.LittleEndian.PutUint64(to, 0)
		binary.LittleEndian.PutUint64(to[8:], 0xffff<<16|uint64(binary.LittleEndian.Uint32(data[i*stride:]))<<32)
	}
}

// PutStridedIPv6 is PutStrided for a field of kind Address and IPv6 addresses.
func (b *Batch) PutStridedIPv6(f Field, row, n int, data []byte, stride int) {
	buf := b.cols[f].addresses(row, n, false)
	var all uint64
	for i := range n {
		from := data[i*stride:][:16]
		all |= binary.LittleEndian.Uint64(from) | binary.LittleEndian.Uint64(from[8:])
		copy(buf[16*i:], from)
	}
	b.cols[f].used |= all
}

// addresses returns where the addresses of n rows from row on are to be written, of which used
// says that one is not zero.
func (c *column) addresses(row, n int, used bool) []byte {
	c.width = 16
	c.pad(row)
	if used && n > 0 {
		c.used |= 1
	}
	c.rows = row + n
	at := len(c.buf)
	c.buf = slices.Grow(c.buf, 16*n)[:at+16*n]
	return c.buf[at:]
}
