// SPDX-License-Identifier: Apache-2.0

package enrich

import "net/netip"

// blocks are those in which some addresses have a prefix of their own. It never changes.
type blocks map[netip.Prefix]struct{}

// blockOf returns the block of an address.
func blockOf(addr netip.Addr) netip.Prefix {
	bits := blockBits6
	if addr.Is4() {
		bits = blockBits4
	}
	block, _ := addr.Prefix(bits)
	return block
}

// add notes prefixes of which something is known.
func (b blocks) add(prefixes ...netip.Prefix) {
	for _, p := range prefixes {
		p = unmapPrefix(p)
		if block := blockOf(p.Addr()); p.Bits() > block.Bits() {
			b[block] = struct{}{}
		}
	}
}

func (b blocks) mixed(addr netip.Addr) bool {
	_, ok := b[blockOf(addr)]
	return ok
}
