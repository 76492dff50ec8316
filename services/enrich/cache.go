// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// cache remembers the places of addresses. It has a fixed number of entries, in pairs:
// the newer of the two stands first, the other one makes room.
type cache struct {
	pairs []pair
	seed  uint64 // so that nobody outside can choose addresses that share a pair
}

type pair [2]entry

type entry struct {
	high, low uint64 // the address; `::` is never kept, so zeros are a free entry
	vrf       uint32
	place     uint32
}

// newCache makes a cache of at least n entries.
func newCache(n int) cache {
	return cache{pairs: make([]pair, 1<<bits.Len(uint(max(n, 2)-1)>>1)), seed: rand.Uint64()} //nolint:gosec // n is positive; no secret
}

// find returns the pair of a, and whether a is its first entry.
func (c *cache) find(a *[16]byte, vrf uint32) (p *pair, found bool) {
	high, low := binary.LittleEndian.Uint64(a[:8]), binary.LittleEndian.Uint64(a[8:])
	h1, h2 := bits.Mul64(high^c.seed^uint64(vrf), 0x9e3779b97f4a7c15)
	h1, h2 = bits.Mul64(h1^h2^low, 0xd6e8feb86659fd93)
	p = &c.pairs[(h1^h2)&uint64(len(c.pairs)-1)]
	if p[0].low == low && p[0].high == high && p[0].vrf == vrf {
		return p, true
	}
	if p[1].low == low && p[1].high == high && p[1].vrf == vrf {
		p[0], p[1] = p[1], p[0]
		return p, true
	}
	return p, false
}

// put makes the place of a the first entry of its pair.
func (p *pair) put(a *[16]byte, vrf, place uint32) {
	p[1] = p[0]
	p[0] = entry{binary.LittleEndian.Uint64(a[:8]), binary.LittleEndian.Uint64(a[8:]), vrf, place}
}

func (c *cache) reset() { clear(c.pairs) }
