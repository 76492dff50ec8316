// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math/bits"
	"math/rand/v2"
	"slices"
)

// table adds numbers up by key. An entry is keyWords words of key and then its sums, and
// entries stand in the order in which they came. Its memory is kept when it is cleared.
type table struct {
	keyWords, stride int
	entries          []uint64
	// slots is the hash table, linearly probed: 0 is free, else the upper half is that of
	// the key's hash and the lower half 1 + the number of the entry. At most half are used.
	slots []uint64
	seed  uint64 // so that nobody outside can choose keys that collide
}

const minSlots = 64

func newTable(keyWords, sums int) table {
	return table{keyWords: keyWords, stride: keyWords + sums, slots: make([]uint64, minSlots), seed: rand.Uint64()} //nolint:gosec // no secret
}

func (t *table) len() int { return len(t.entries) / t.stride }

// entry returns the key and the sums of entry i.
func (t *table) entry(i int) (key, sums []uint64) {
	e := t.entries[i*t.stride : (i+1)*t.stride]
	return e[:t.keyWords], e[t.keyWords:]
}

// sums returns the sums of key, which are valid until the next call. A new key has zeros.
func (t *table) sums(key []uint64) []uint64 {
	h := t.hash(key)
	mask := uint64(len(t.slots) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		slot := t.slots[at]
		if slot == 0 {
			return t.add(key, h, at)
		}
		if (slot^h)>>32 != 0 {
			continue
		}
		k, sums := t.entry(int(slot&0xffffffff) - 1) //nolint:gosec // 32 bits
		if slices.Equal(k, key) {
			return sums
		}
	}
}

// add makes an entry for a new key with hash h, whose free slot is at.
func (t *table) add(key []uint64, h, at uint64) []uint64 {
	n := t.len()
	t.entries = slices.Grow(t.entries, t.stride)[:len(t.entries)+t.stride]
	k, sums := t.entry(n)
	copy(k, key)
	clear(sums)
	t.slots[at] = h>>32<<32 | uint64(n+1) //nolint:gosec // not negative
	if 2*(n+1) > len(t.slots) {
		t.grow()
	}
	return sums
}

// grow doubles the slots.
func (t *table) grow() {
	t.slots = make([]uint64, 2*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for i := range t.len() {
		key, _ := t.entry(i)
		h := t.hash(key)
		at := h & mask
		for t.slots[at] != 0 {
			at = (at + 1) & mask
		}
		t.slots[at] = h>>32<<32 | uint64(i+1) //nolint:gosec // not negative
	}
}

func (t *table) hash(key []uint64) uint64 {
	h := t.seed
	for _, k := range key {
		high, low := bits.Mul64(h^k, 0x9e3779b97f4a7c15)
		h = high ^ low
	}
	return h
}

func (t *table) clear() {
	t.entries = t.entries[:0]
	clear(t.slots)
}
