// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
)

// cache remembers what is known of addresses: of a whole block where it is the same for all of them, and
// else of each. It has a fixed number of entries, in sets: one that is found moves a place forward, a
// new one comes into the middle, and the last one goes.
type cache struct {
	sets []set
	seed uint64 // so that nobody outside can choose addresses that share a set
	read uint64 // so that what locate reads is read
}

// set is as large as two lines of the processor's cache.
type set [4]entry

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
	return cache{sets: make([]set, 1<<bits.Len(uint(max(n, len(set{}))-1)/uint(len(set{})))), seed: rand.Uint64()} //nolint:gosec // n is positive; no secret
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

// locate returns where the sets of blocks are. It reads them, so that the processor fetches many at
// once, and find need not wait for each.
func (c *cache) locate(at []uint32, addrs [][16]byte, vrfs []uint16) []uint32 {
	var read uint64
	for i := range addrs {
		k := blockKey(&addrs[i], vrfs[i])
		n := c.setOf(&k)
		read += c.sets[n][0].low + c.sets[n][2].low
		at = append(at, n)
	}
	c.read = read
	return at
}

func (c *cache) setOf(k *key) uint32 {
	h1, h2 := bits.Mul64(k.high^c.seed^uint64(k.vrf), 0x9e3779b97f4a7c15)
	h1, h2 = bits.Mul64(h1^h2^k.low, 0xd6e8feb86659fd93)
	return uint32((h1 ^ h2) & uint64(len(c.sets)-1)) //nolint:gosec // there are at most 1<<22
}

// find returns the entry of a key that belongs to set n. Nothing is known yet of one that is new.
func (c *cache) find(n uint32, k key) (e *entry, found bool) {
	s := &c.sets[n]
	if s[0].is(&k) {
		return &s[0], true
	}
	for i := 1; i < len(s); i++ {
		if s[i].is(&k) {
			s[i-1], s[i] = s[i], s[i-1]
			return &s[i-1], true
		}
	}
	s[3], s[2] = s[2], entry{high: k.high, low: k.low, vrf: k.vrf, reach: k.reach}
	return &s[2], false
}

func (e *entry) is(k *key) bool {
	return e.low == k.low && e.high == k.high && e.vrf == k.vrf && e.reach == k.reach
}

func (c *cache) reset() { clear(c.sets) }
