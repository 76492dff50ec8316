// SPDX-License-Identifier: Apache-2.0

package sflow

import (
	"encoding/binary"

	"github.com/weirflow/weir/flow"
)

// gateway reads an extended_gateway: next hop, AS of the router, of the source and of the source
// peer, the path to the destination in segments, communities and local preference.
func gateway(p []byte, r *flow.Record) bool {
	p = address(p, flow.BGPNextHop, r)
	if len(p) < 16 {
		return false
	}
	own, source := uint64(binary.BigEndian.Uint32(p)), uint64(binary.BigEndian.Uint32(p[4:]))
	if source == 0 { // within the router's own AS, as is a destination without path
		source = own
	}
	r.SetNumber(flow.SrcAS, source)
	r.SetNumber(flow.DstAS, own)
	r.SetNumber(flow.SrcPeerAS, uint64(binary.BigEndian.Uint32(p[8:])))
	p = path(p[12:], r)
	if len(p) < 4 {
		return false
	}
	n := uint64(binary.BigEndian.Uint32(p))
	if p = p[4:]; n > uint64(len(p)/4) {
		return false
	}
	for ; n > 0; n-- {
		r.AddNumber(flow.BGPCommunities, uint64(binary.BigEndian.Uint32(p)))
		p = p[4:]
	}
	return true
}

// path reads the segments of an AS path and returns what follows, nil if it is cut.
func path(p []byte, r *flow.Record) []byte {
	segments := binary.BigEndian.Uint32(p)
	p = p[4:]
	for ; segments > 0; segments-- {
		if len(p) < 8 {
			return nil
		}
		n := uint64(binary.BigEndian.Uint32(p[4:]))
		if p = p[8:]; n > uint64(len(p)/4) {
			return nil
		}
		for ; n > 0; n-- {
			as := uint64(binary.BigEndian.Uint32(p))
			if !r.Has(flow.NextHopAS) {
				r.SetNumber(flow.NextHopAS, as)
				r.SetNumber(flow.DstPeerAS, as)
			}
			r.SetNumber(flow.DstAS, as)
			r.AddNumber(flow.ASPath, as)
			p = p[4:]
		}
	}
	return p
}
