// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"encoding/binary"

	"github.com/weirflow/weir/flow"
)

// IP protocols.
const (
	protoHopByHop = 0
	protoICMP     = 1
	protoIPv4     = 4
	protoTCP      = 6
	protoUDP      = 17
	protoDCCP     = 33
	protoIPv6     = 41
	protoRouting  = 43
	protoFragment = 44
	protoGRE      = 47
	protoAH       = 51
	protoICMPv6   = 58
	protoDestOpts = 60
	protoL2TP     = 115
	protoSCTP     = 132
	protoMobility = 135
	protoUDPLite  = 136
	protoMPLS     = 137
	protoEthernet = 143 // RFC 8986 §4.9
	protoEtherIP  = 97
)

func (w *walk) ipv4(b []byte) {
	const least = 20
	n := least
	if len(b) > 0 && b[0]&15 > 5 {
		n = int(b[0]&15) * 4
	}
	if !w.header(b, layerIPv4, n) {
		return
	}
	fragment := binary.BigEndian.Uint16(b[6:])
	if r, f := w.r, w.f; f != nil {
		r.SetNumber(f.eType, etherIPv4)
		r.SetIPv4(f.src, binary.BigEndian.Uint32(b[12:]))
		r.SetIPv4(f.dst, binary.BigEndian.Uint32(b[16:]))
		r.SetNumber(f.tos, uint64(b[1]))
		r.SetNumber(f.ttl, uint64(b[8]))
	}
	if r := w.r; w.depth == 0 {
		r.SetNumber(flow.FragmentID, uint64(binary.BigEndian.Uint16(b[4:])))
		r.SetNumber(flow.IPFlags, uint64(fragment>>13))
		r.SetNumber(flow.FragmentOffset, uint64(fragment&0x1fff))
	}
	if total := int(binary.BigEndian.Uint16(b[2:])); total >= n && total < len(b) {
		b = b[:total] // the rest is padding of the frame
	}
	w.payload(b[9], b[n:], fragment&0x1fff != 0)
}

func (w *walk) ipv6(b []byte) {
	const n = 40
	if !w.header(b, layerIPv6, n) {
		return
	}
	first := binary.BigEndian.Uint32(b)
	if r, f := w.r, w.f; f != nil {
		r.SetNumber(f.eType, etherIPv6)
		r.SetAddress(f.src, [16]byte(b[8:]))
		r.SetAddress(f.dst, [16]byte(b[24:]))
		r.SetNumber(f.tos, uint64(first>>20&0xff))
		r.SetNumber(f.ttl, uint64(b[7]))
	}
	if w.depth == 0 {
		w.r.SetNumber(flow.IPv6FlowLabel, uint64(first&0xfffff))
	}
	w.extensions(b[6], b[n:])
}

// extensions reads the extension headers of IPv6 (RFC 8200 §4).
func (w *walk) extensions(next byte, b []byte) {
	fragment := false
	for {
		n, layer := 8, uint64(0)
		if len(b) > 1 {
			n += 8 * int(b[1])
		}
		switch next {
		case protoHopByHop, protoDestOpts, protoMobility:
			if len(b) < n {
				w.r.Flag(flow.HeaderTruncated)
				w.proto(next)
				return
			}
		case protoAH: // counts in words of 4 (RFC 4302 §2.2)
			if n = 8; len(b) > 1 {
				n += 4 * int(b[1])
			}
			if len(b) < n {
				w.r.Flag(flow.HeaderTruncated)
				w.proto(next)
				return
			}
		case protoRouting:
			layer = layerRouting
		case protoFragment:
			n, layer = 8, layerFragment
		default:
			w.payload(next, b, fragment)
			return
		}
		if layer != 0 && !w.header(b, layer, n) {
			w.proto(next)
			return
		}
		fragment = w.extension(next, b[:n]) || fragment
		if w.left--; w.left < 0 {
			return
		}
		next, b = b[0], b[n:]
	}
}

// extension takes what a flow has of an extension header, and tells whether the packet is a
// fragment without transport header.
func (w *walk) extension(kind byte, b []byte) (fragment bool) {
	switch kind {
	case protoRouting:
		w.routing(b)
	case protoFragment:
		offset := binary.BigEndian.Uint16(b[2:])
		fragment = offset>>3 != 0
		if w.depth == 0 {
			w.r.SetNumber(flow.FragmentOffset, uint64(offset>>3))
			w.r.SetNumber(flow.IPFlags, uint64(offset&1))
			w.r.SetNumber(flow.FragmentID, uint64(binary.BigEndian.Uint32(b[4:])))
		}
	}
	return fragment
}

// routing takes a routing header of 8 octets or more, unless it is in a tunnel.
func (w *walk) routing(b []byte) {
	if w.depth == 0 {
		Routing(b, w.r)
	}
}

// Routing takes the segments of a segment routing header (RFC 8754 §2), and of others how many
// segments are left.
func Routing(b []byte, r *flow.Record) {
	const segmentRouting, least = 4, 8
	if len(b) < least {
		return
	}
	r.SetNumber(flow.IPv6RoutingHeaderSegLeft, uint64(b[3]))
	if b[2] != segmentRouting {
		return
	}
	last := int(b[4])
	for b = b[least:]; len(b) >= 16 && last >= 0; b, last = b[16:], last-1 {
		r.AddAddress(flow.IPv6RoutingHeaderAddresses, [16]byte(b))
	}
}

func (w *walk) proto(p byte) {
	if w.f != nil {
		w.r.SetNumber(w.f.proto, uint64(p))
	}
}

// payload reads what an IP packet carries, unless it is a later fragment.
func (w *walk) payload(proto byte, b []byte, fragment bool) {
	w.proto(proto)
	if !fragment {
		w.transport(proto, b)
	}
}
