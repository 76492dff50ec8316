// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"encoding/binary"
	"slices"
)

// chunk is how many values are collected before they are written.
const chunk = 64

// PutStrided sets a field of kind Number in n rows from row on: big-endian numbers of size
// octets, no wider than the field, of which the first begins data and the others follow stride
// octets apart. Otherwise it is as PutNumber.
func (b *Batch) PutStrided(f Field, row, n int, data []byte, stride, size int) {
	var values [chunk]uint64
	for n > 0 {
		now := min(n, chunk)
		collect(values[:now], data, stride, size)
		b.cols[f].putAll(row, values[:now])
		if n -= now; n > 0 {
			row, data = row+now, data[now*stride:]
		}
	}
}

func collect(values []uint64, data []byte, stride, size int) {
	switch size {
	case 1:
		for i := range values {
			values[i] = uint64(data[i*stride])
		}
	case 2:
		for i := range values {
			values[i] = uint64(binary.BigEndian.Uint16(data[i*stride:]))
		}
	case 4:
		for i := range values {
			values[i] = uint64(binary.BigEndian.Uint32(data[i*stride:]))
		}
	case 8:
		for i := range values {
			values[i] = binary.BigEndian.Uint64(data[i*stride:])
		}
	default:
		for i := range values {
			var v uint64
			for _, octet := range data[i*stride:][:size] {
				v = v<<8 | uint64(octet)
			}
			values[i] = v
		}
	}
}

// PutRepeated sets a field of kind Number to v in n rows from row on. Otherwise it is as PutNumber.
func (b *Batch) PutRepeated(f Field, row, n int, v uint64) {
	c := &b.cols[f]
	for i := range n {
		c.put(row+i, v)
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
