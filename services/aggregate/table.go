// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math/bits"
	"math/rand/v2"
	"slices"
)

// table keeps sums by key and window. A key has a record, with the sums of the window that
// came first; those of its other windows follow in cells, as a list:
//
//	record:  its number and first cell │ window │ key … │ sums …
//	cell:    next cell │ window │ sums …
//
// Both stand in one array in the order in which they came, and are known by their place in
// it. Its memory is kept when the table is cleared.
type table struct {
	keyWords int
	fresh    []uint64 // the sums of a new window
	words    []uint64
	records  []uint32 // places
	lists    []uint32 // numbers of the records that have cells
	cells    int
	// slots is the hash table, linearly probed: 0 is free, else the upper half is that of
	// the key's hash and the lower half the place of the record. At most half are used.
	slots []uint64
	seed  uint64 // so that nobody outside can choose keys that collide
	// Windows whose starts, s, differ in the last epoch bits only share a record. So lists of
	// cells stay short whatever times flows claim; and a key may have several records.
	epoch int
}

const (
	minSlots = 64
	// windowsOfRecord is how many windows share a record, at least; at most it is twice as many.
	windowsOfRecord = 32
	// header is the words of a record or a cell before its key or sums.
	header = 2
	// half of a word.
	half = 1<<32 - 1
)

// newTable makes a table for windows of a length, s.
func newTable(keyWords int, fresh []uint64, length uint64) table {
	t := table{
		keyWords: keyWords, fresh: fresh, seed: rand.Uint64(), //nolint:gosec // no secret
		epoch: bits.Len64(windowsOfRecord*length - 1),
	}
	t.release()
	return t
}

// len is how many windows of keys have sums.
func (t *table) len() int { return len(t.records) + t.cells }

// record returns what stands at the place of a record. next is its first cell, 0 if it has none.
func (t *table) record(at uint32) (next, window uint64, key, sums []uint64) {
	e := t.words[at : int(at)+header+t.keyWords+len(t.fresh)]
	return e[0] & half, e[1], e[header : header+t.keyWords], e[header+t.keyWords:]
}

// each calls f for all sums.
func (t *table) each(f func(key []uint64, window uint64, sums []uint64)) {
	for _, at := range t.records {
		next, window, key, sums := t.record(at)
		f(key, window, sums)
		for next != 0 {
			cell := t.words[next : int(next)+header+len(t.fresh)] //nolint:gosec // a place
			f(key, cell[1], cell[header:])
			next = cell[0]
		}
	}
}

// sums returns the sums of a key in a window, which are valid until the next call.
func (t *table) sums(key []uint64, window uint64) []uint64 {
	at := t.place(key, t.hash(key, window), window)
	return t.words[at : at+len(t.fresh)]
}

// hash of a key in a window. Callers that have many go word by word with first and mix, which
// is faster: the steps for one key depend on each other.
func (t *table) hash(key []uint64, window uint64) uint64 {
	h := t.first(window)
	for _, word := range key {
		h = mix(h, word)
	}
	return h
}

func (t *table) first(window uint64) uint64 { return mix(t.seed, window>>t.epoch) }

// together tells whether two windows of a key share a record, and so a hash.
func (t *table) together(a, b uint64) bool { return (a^b)>>t.epoch == 0 }

func mix(h, word uint64) uint64 {
	high, low := bits.Mul64(h^word, 0x9e3779b97f4a7c15)
	return high ^ low
}

// place returns where the sums of a key, whose hash is h, stand for a window.
func (t *table) place(key []uint64, h, window uint64) int {
	mask := uint64(len(t.slots) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		slot := t.slots[at]
		if slot == 0 {
			return t.addRecord(key, h, window, at)
		}
		if (slot^h)>>32 != 0 {
			continue
		}
		place := int(slot & half) //nolint:gosec // 32 bits
		record := t.words[place : place+header+t.keyWords]
		switch {
		case !t.together(record[1], window) || !slices.Equal(record[header:], key):
		case record[1] == window:
			return place + len(record)
		default:
			return t.inCell(place, window)
		}
	}
}

// inCell returns where the sums of a window stand that is not the record's own.
func (t *table) inCell(record int, window uint64) int {
	first := t.words[record] & half
	for at := first; at != 0; at = t.words[at] {
		if t.words[at+1] == window {
			return int(at) + header //nolint:gosec // a place
		}
	}
	at := len(t.words)
	t.words = append(append(t.words, first, window), t.fresh...)
	number := t.words[record] >> 32
	t.words[record] = number<<32 | uint64(at) //nolint:gosec // not negative
	if first == 0 {
		t.lists = append(t.lists, uint32(number)) //nolint:gosec // 32 bits
	}
	t.cells++
	return at + header
}

// addRecord makes a record for a key with hash h, whose free slot is known.
func (t *table) addRecord(key []uint64, h, window, slot uint64) int {
	at := len(t.words)
	t.words = append(append(append(t.words, uint64(len(t.records))<<32, window), key...), t.fresh...)
	t.slots[slot] = h>>32<<32 | uint64(at)    //nolint:gosec // not negative
	t.records = append(t.records, uint32(at)) //nolint:gosec // 2^32 words are 32 GiB
	if 2*len(t.records) > len(t.slots) {
		t.grow()
	}
	return at + header + t.keyWords
}

// grow doubles the slots.
func (t *table) grow() {
	t.slots = make([]uint64, 2*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for _, place := range t.records {
		_, window, key, _ := t.record(place)
		h := t.hash(key, window)
		at := h & mask
		for t.slots[at] != 0 {
			at = (at + 1) & mask
		}
		t.slots[at] = h>>32<<32 | uint64(place)
	}
}

// touch brings what place will need of the keys with these hashes into the cache: loads
// that do not depend on each other, so that the processor waits for many at once. What it
// returns keeps the compiler from leaving them out.
func (t *table) touch(hashes, slots []uint64) (used uint64) {
	mask := uint64(len(t.slots) - 1)
	for i, h := range hashes {
		slots[i] = t.slots[h&mask]
	}
	last := uint64(header + t.keyWords + len(t.fresh) - 1) //nolint:gosec // small
	for _, slot := range slots[:len(hashes)] {
		if place := slot & half; place > 0 {
			used += t.words[place] + t.words[place+last]
		}
	}
	return used
}

// clear forgets all sums, and keeps the memory.
func (t *table) clear() {
	t.words, t.records, t.lists, t.cells = t.words[:1], t.records[:0], t.lists[:0], 0
	clear(t.slots)
}

// release forgets all sums, and their memory. Place 0 is none.
func (t *table) release() {
	t.words, t.records, t.lists, t.cells = make([]uint64, 1, minSlots), nil, nil, 0
	t.slots = make([]uint64, minSlots)
}

// octets is the memory of the table.
func (t *table) octets() int { return 8*(cap(t.words)+len(t.slots)) + 4*(cap(t.records)+cap(t.lists)) }
