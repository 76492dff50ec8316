// SPDX-License-Identifier: Apache-2.0

package aggregate

import "strings"

// dictionary numbers the distinct values of keys that are texts or exporters, from 1 on;
// 0 is the empty text or the address ::.
type dictionary[T comparable] struct {
	numbers map[T]uint64
	values  []T
}

// number returns the number of v. keep makes a copy of it that outlives its message.
func (d *dictionary[T]) number(v T, keep func(T) T) uint64 {
	var zero T
	if v == zero {
		return 0
	}
	n, ok := d.numbers[v]
	if !ok {
		if d.numbers == nil {
			d.numbers = map[T]uint64{}
		}
		v = keep(v)
		d.values = append(d.values, v)
		n = uint64(len(d.values))
		d.numbers[v] = n
	}
	return n
}

// value returns the value of a number.
func (d *dictionary[T]) value(n uint64) (v T) {
	if n > 0 {
		v = d.values[n-1]
	}
	return v
}

// maxValues of a dictionary are kept from flush to flush.
const maxValues = 1 << 16

// forget empties a dictionary that has become large.
func (d *dictionary[T]) forget() {
	if len(d.values) > maxValues {
		clear(d.numbers)
		d.values = d.values[:0]
	}
}

func keepText(s string) string { return strings.Clone(s) }

func keepAddress(a [16]byte) [16]byte { return a }
