// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"net/netip"

	"github.com/weirflow/weir/flow"
)

// hidden are the addresses of one end as they are stored.
type hidden struct {
	octets []byte // 16 a row; empty where nothing is hidden
	cache  map[netip.Addr]netip.Addr
}

// maxHidden bounds the addresses that are remembered.
const maxHidden = 1 << 16

// hide takes the addresses of one end out of a batch, if some addresses are to be hidden.
func (e *enricher) hide(in *flow.Batch, side int, end end) {
	h := &e.hidden[side]
	h.octets = h.octets[:0]
	if e.known.privacy.empty() || !in.Has(end.addr) {
		return
	}
	e.addrs = flow.AppendAddresses(e.addrs[:0], in, end.addr)
	for i, id := range e.found[side] {
		if how := e.places.list[id].hiding; how != shown {
			e.addrs[i] = e.hiddenAddress(h, e.addrs[i], how)
			e.quality[i] |= uint32(flow.AddressHidden)
			e.counts.hidden++
		}
		h.octets = append(h.octets, e.addrs[i][:]...)
	}
	in.Clear(end.addr)
}

func (e *enricher) hiddenAddress(h *hidden, a [16]byte, how hiding) [16]byte {
	addr := netip.AddrFrom16(a).Unmap()
	stored, ok := h.cache[addr]
	if !ok {
		stored = e.known.privacy.hide(addr, how)
		if len(h.cache) >= maxHidden || h.cache == nil {
			h.cache = map[netip.Addr]netip.Addr{}
		}
		h.cache[addr] = stored
	}
	return stored.As16()
}

// putHidden writes the addresses that hide took out.
func (e *enricher) putHidden(out *flow.Batch, row int) {
	for side, end := range ends() {
		if o := e.hidden[side].octets; len(o) > 0 {
			out.PutStridedIPv6(end.addr, row, len(o)/16, o, 16)
		}
	}
}
