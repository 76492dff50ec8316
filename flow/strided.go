// SPDX-License-Identifier: Apache-2.0

package flow

import "encoding/binary"

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
	c := &b.cols[f]
	for i := range n {
		c.putAddress(row+i, &a)
	}
}

// PutStridedIPv4 is PutStrided for a field of kind Address and IPv4 addresses.
func (b *Batch) PutStridedIPv4(f Field, row, n int, data []byte, stride int) {
	c := &b.cols[f]
	for i := range n {
		a := [16]byte{10: 0xff, 11: 0xff}
		copy(a[12:], data[i*stride:][:4])
		c.putAddress(row+i, &a)
	}
}

// PutStridedIPv6 is PutStrided for a field of kind Address and IPv6 addresses.
func (b *Batch) PutStridedIPv6(f Field, row, n int, data []byte, stride int) {
	for i := range n {
		b.cols[f].putAddress(row+i, (*[16]byte)(data[i*stride:]))
	}
}
