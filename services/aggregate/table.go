// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math/bits"
	"math/rand/v2"
	"slices"
)

// table keeps numbers by key. An entry is keyWords words of key and then its sums, and
// entries stand in the order in which they came. Its memory is kept when it is cleared.
type table struct {
	keyWords, stride int
	entries          []uint64
	fresh            []uint64 // the sums of a new key
	// slots is the hash table, linearly probed: 0 is free, else the upper half is that of
	// the key's hash and the lower half 1 + the number of the entry. At most half are used.
	slots []uint64
	seed  uint64 // so that nobody outside can choose keys that collide
}

const minSlots = 64

func newTable(keyWords int, fresh []uint64) table {
	return table{
		keyWords: keyWords, stride: keyWords + len(fresh), fresh: fresh,
		slots: make([]uint64, minSlots), seed: rand.Uint64(), //nolint:gosec // no secret
	}
}

func (t *table) len() int { return len(t.entries) / t.stride }

// entry returns the key and the sums of entry i.
func (t *table) entry(i int) (key, sums []uint64) {
	e := t.entries[i*t.stride : (i+1)*t.stride]
	return e[:t.keyWords], e[t.keyWords:]
}

// sums returns the sums of key, which are valid until the next call.
func (t *table) sums(key []uint64) []uint64 { return t.hashed(key, t.hash(key)) }

// hashed is sums for a key whose hash is known.
func (t *table) hashed(key []uint64, h uint64) []uint64 {
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

// touch brings what hashed will need of the keys with these hashes into the cache: loads
// that do not depend on each other, so that the processor waits for many at once.
func (t *table) touch(hashes []uint64, slots []uint64) (used uint64) {
	mask := uint64(len(t.slots) - 1)
	for i, h := range hashes {
		slots[i] = t.slots[h&mask]
	}
	for _, slot := range slots[:len(hashes)] {
		if n := slot & 0xffffffff; n > 0 {
			used += t.entries[int(n)*t.stride-1] //nolint:gosec // 32 bits
		}
	}
	return used
}

// add makes an entry for a new key with hash h, whose free slot is at.
func (t *table) add(key []uint64, h, at uint64) []uint64 {
	n := t.len()
	t.entries = append(append(t.entries, key...), t.fresh...)
	t.slots[at] = h>>32<<32 | uint64(n+1) //nolint:gosec // not negative
	if 2*(n+1) > len(t.slots) {
		t.grow()
	}
	_, sums := t.entry(n)
	return sums
}

// grow makes four times the slots.
func (t *table) grow() {
	t.slots = make([]uint64, 4*len(t.slots))
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

// octets is the memory of the table.
func (t *table) octets() int { return 8 * (cap(t.entries) + len(t.slots)) }
