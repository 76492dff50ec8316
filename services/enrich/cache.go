// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// cache remembers what is known of addresses. It has a fixed number of entries, in pairs:
// the newer of the two stands first, the other one makes room.
type cache struct {
	pairs []pair
	seed  uint64 // so that nobody outside can choose addresses that share a pair
	read  uint64 // so that what locate reads is read
}

// pair is as large as a line of the processor's cache.
type pair [2]entry

// entry is an address, and its place.
type entry struct {
	high, low    uint64 // `::` is never kept, so zeros are a free entry
	as, geo, net uint32
	vrf          uint16
	hiding       hiding
}

// newCache makes a cache of at least n entries.
func newCache(n int) cache {
	return cache{pairs: make([]pair, 1<<bits.Len(uint(max(n, 2)-1)>>1)), seed: rand.Uint64()} //nolint:gosec // n is positive; no secret
}

// locate returns where the pairs of addresses are. It reads them, so that the processor fetches many at
// once, and find need not wait for each.
func (c *cache) locate(at []uint32, addrs [][16]byte, vrfs []uint16) []uint32 {
	var read uint64
	for i := range addrs {
		high, low := halves(&addrs[i])
		h1, h2 := bits.Mul64(high^c.seed^uint64(vrfs[i]), 0x9e3779b97f4a7c15)
		h1, h2 = bits.Mul64(h1^h2^low, 0xd6e8feb86659fd93)
		pair := (h1 ^ h2) & uint64(len(c.pairs)-1)
		read += c.pairs[pair][0].low
		at = append(at, uint32(pair)) //nolint:gosec // there are at most 1<<23
	}
	c.read = read
	return at
}

// find returns the entry of an address that is in a pair. One that is new has no place yet.
func (c *cache) find(pair uint32, a *[16]byte, vrf uint16) (e *entry, found bool) {
	high, low := halves(a)
	p := &c.pairs[pair]
	if p[0].low == low && p[0].high == high && p[0].vrf == vrf {
		return &p[0], true
	}
	p[0], p[1] = p[1], p[0]
	if p[0].low == low && p[0].high == high && p[0].vrf == vrf {
		return &p[0], true
	}
	p[0] = entry{high: high, low: low, vrf: vrf}
	return &p[0], false
}

func halves(a *[16]byte) (high, low uint64) {
	return binary.LittleEndian.Uint64(a[:8]), binary.LittleEndian.Uint64(a[8:])
}

func (c *cache) reset() { clear(c.pairs) }
