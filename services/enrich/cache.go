// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
)

// cache remembers what is known of addresses: of a whole block where it is the same for all of them, and
// else of each. It has a fixed number of entries, in pairs: the newer of the two stands first, the
// other one makes room.
type cache struct {
	pairs []pair
	seed  uint64 // so that nobody outside can choose addresses that share a pair
	read  uint64 // so that what locate reads is read
}

// pair is as large as a line of the processor's cache.
type pair [2]entry

// entry is what is known of a block or of an address.
type entry struct {
	high, low    uint64 // its key
	as, geo, net uint32
	vrf          uint16 // of the key
	reach        reach  // of the key
	hiding       hiding
}

// key is an address or the first one of a block, in halves.
type key struct {
	high, low uint64
	vrf       uint16
	reach     reach
}

type reach uint8

const (
	aBlock reach = 1 + iota // 0 is a free entry
	anAddress
)

// mixed is entry.net of a block whose addresses are not all the same.
const mixed = math.MaxUint32

// Blocks are as large as what the internet routes.
const (
	blockBits4 = 24
	blockBits6 = 48
)

// newCache makes a cache of at least n entries.
func newCache(n int) cache {
	return cache{pairs: make([]pair, 1<<bits.Len(uint(max(n, 2)-1)>>1)), seed: rand.Uint64()} //nolint:gosec // n is positive; no secret
}

func addressKey(a *[16]byte, vrf uint16) key {
	return key{binary.LittleEndian.Uint64(a[:8]), binary.LittleEndian.Uint64(a[8:]), vrf, anAddress}
}

func blockKey(a *[16]byte, vrf uint16) key {
	high, low := binary.LittleEndian.Uint64(a[:8]), binary.LittleEndian.Uint64(a[8:])
	if high == 0 && uint32(low) == 0xffff0000 { //nolint:gosec // IPv4, mapped
		return key{0, low & (1<<56 - 1), vrf, aBlock}
	}
	return key{high & (1<<blockBits6 - 1), 0, vrf, aBlock}
}

// locate returns where the pairs of blocks are. It reads them, so that the processor fetches many at
// once, and find need not wait for each.
func (c *cache) locate(at []uint32, addrs [][16]byte, vrfs []uint16) []uint32 {
	var read uint64
	for i := range addrs {
		k := blockKey(&addrs[i], vrfs[i])
		pair := c.pairOf(&k)
		read += c.pairs[pair][0].low
		at = append(at, pair)
	}
	c.read = read
	return at
}

func (c *cache) pairOf(k *key) uint32 {
	h1, h2 := bits.Mul64(k.high^c.seed^uint64(k.vrf), 0x9e3779b97f4a7c15)
	h1, h2 = bits.Mul64(h1^h2^k.low, 0xd6e8feb86659fd93)
	return uint32((h1 ^ h2) & uint64(len(c.pairs)-1)) //nolint:gosec // there are at most 1<<23
}

// find returns the entry of a key that belongs to a pair. Nothing is known yet of one that is new.
func (c *cache) find(pair uint32, k key) (e *entry, found bool) {
	p := &c.pairs[pair]
	if p[0].is(&k) {
		return &p[0], true
	}
	p[0], p[1] = p[1], p[0]
	if p[0].is(&k) {
		return &p[0], true
	}
	p[0] = entry{high: k.high, low: k.low, vrf: k.vrf, reach: k.reach}
	return &p[0], false
}

func (e *entry) is(k *key) bool {
	return e.low == k.low && e.high == k.high && e.vrf == k.vrf && e.reach == k.reach
}

func (c *cache) reset() { clear(c.pairs) }
