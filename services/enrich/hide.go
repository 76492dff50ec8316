// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"net/netip"

	"github.com/weirflow/weir/flow"
)

// hidden are the addresses of one column as they are stored.
type hidden struct {
	octets []byte // 16 a row; empty where nothing is hidden
	cache  map[netip.Addr]netip.Addr
}

// maxHidden bounds the addresses that are remembered.
const maxHidden = 1 << 16

// hideable are the columns with addresses of those who communicate.
func hideable() [numHideable]flow.Field {
	return [numHideable]flow.Field{
		flow.SrcAddr, flow.DstAddr, flow.PostNATSrcAddr, flow.PostNATDstAddr, flow.InnerSrcAddr, flow.InnerDstAddr,
	}
}

const numHideable = 6

// hide takes columns of addresses out of a batch, if some addresses are to be hidden.
func (e *enricher) hide(in *flow.Batch) {
	for n, f := range hideable() {
		h := &e.hidden[n]
		h.octets = h.octets[:0]
		if e.known.privacy.empty() || !in.Has(f) {
			continue
		}
		e.addrs = flow.AppendAddresses(e.addrs[:0], in, f)
		if n < len(e.sides) { // found by now
			for i, how := range e.sides[n].hiding {
				e.hideRow(h, i, how)
			}
		} else {
			e.vrfs = append(e.vrfs[:0], make([]uint16, len(e.addrs))...)
			e.places.find(e.addrs, e.vrfs, func(i int, found *entry) { e.hideRow(h, i, found.hiding) })
		}
		in.Clear(f)
	}
}

func (e *enricher) hideRow(h *hidden, row int, how hiding) {
	a := e.addrs[row]
	if how != shown {
		a = e.hiddenAddress(h, a, how)
		e.quality[row] |= uint32(flow.AddressHidden)
		e.counts.hidden++
	}
	h.octets = append(h.octets, a[:]...)
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
	for n, f := range hideable() {
		if o := e.hidden[n].octets; len(o) > 0 {
			out.PutStridedIPv6(f, row, len(o)/16, o, 16)
		}
	}
}
