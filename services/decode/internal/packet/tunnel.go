// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"encoding/binary"

	"github.com/weirflow/weir/flow"
)

// UDP ports of tunnels.
const (
	portL2TP     = 1701
	portGTPU     = 2152
	portTeredo   = 3544
	portGRE      = 4754
	portVXLAN    = 4789
	portGENEVE   = 6081
	portMPLS     = 6635
	portVXLANOld = 8472 // before it had a port of its own
)

// tunnel reads what a UDP datagram to a port of tunnels carries, if it looks like it.
func (w *walk) tunnel(port uint16, b []byte) {
	switch port {
	case portVXLAN, portVXLANOld:
		w.vxlan(b)
	case portGENEVE:
		w.geneve(b)
	case portGTPU:
		w.gtp(b)
	case portL2TP:
		w.l2tp(b)
	case portTeredo:
		if len(b) > 0 && b[0]>>4 == 6 && w.header(b, layerTeredo, 0) {
			w.enter()
			w.ip(b)
		}
	case portGRE:
		w.gre(b)
	case portMPLS:
		w.enter()
		w.mpls(b)
	}
}

// enter says that what follows is the payload of a tunnel.
func (w *walk) enter() {
	if w.depth++; w.depth == 1 {
		w.f = &tuples[inner]
	} else {
		w.f = nil
	}
}

// identify sets the identifier of the outermost tunnel.
func (w *walk) identify(f flow.Field, v uint64) {
	if w.depth == 0 {
		w.r.SetNumber(f, v)
	}
}

// vxlan reads a header of RFC 7348 §5; without the flag for it there is no identifier.
func (w *walk) vxlan(b []byte) {
	const n, hasID = 8, 0x08
	if len(b) > 0 && b[0]&hasID == 0 || !w.header(b, layerCustom, n) {
		return
	}
	w.identify(flow.SegmentID, uint64(binary.BigEndian.Uint32(b[4:])>>8))
	w.enter()
	w.ethernet(b[n:])
}

// geneve reads a header of RFC 8926 §3.4, with its options.
func (w *walk) geneve(b []byte) {
	if len(b) == 0 || b[0]>>6 != 0 {
		return
	}
	n := 8 + int(b[0]&0x3f)*4
	if !w.header(b, layerGeneve, n) {
		return
	}
	w.identify(flow.SegmentID, uint64(binary.BigEndian.Uint32(b[4:])>>8))
	w.enter()
	w.etherType(binary.BigEndian.Uint16(b[2:]), b[n:])
}

// gtp reads the header of a G-PDU with its extension headers (3GPP TS 29.281 §5).
func (w *walk) gtp(b []byte) {
	const least, gpdu = 8, 255
	if len(b) < least || b[0]>>4 != 3 || b[1] != gpdu { // version 1, not GTP'
		return
	}
	n := least
	if b[0]&7 != 0 { // any of the optional fields: all of them
		n += 4
		for next := b[0]&4 != 0 && n <= len(b) && b[n-1] != 0; next; next = b[n-1] != 0 {
			if n >= len(b) || b[n] == 0 || n+4*int(b[n]) > len(b) {
				w.r.Flag(flow.HeaderTruncated)
				return
			}
			n += 4 * int(b[n])
		}
	}
	if !w.header(b, layerCustom, n) {
		return
	}
	w.identify(flow.TunnelID, uint64(binary.BigEndian.Uint32(b[4:])))
	w.enter()
	w.ip(b[n:])
}

// l2tp reads the header of a data message of version 2 (RFC 2661 §3.1), or of version 3 over UDP
// (RFC 3931 §4.1.2).
func (w *walk) l2tp(b []byte) {
	const control, length, sequence, offset = 0x80, 0x40, 0x08, 0x02
	if len(b) < 2 || b[0]&control != 0 {
		return
	}
	switch b[1] & 15 {
	case 2:
	case 3:
		if w.header(b, layerCustom, 4) {
			w.l2tp3(b[4:])
		}
		return
	default:
		return
	}
	ids := 2
	if b[0]&length != 0 {
		ids += 2
	}
	n := ids + 4
	if b[0]&sequence != 0 {
		n += 4
	}
	if b[0]&offset != 0 {
		if n += 2; len(b) >= n {
			n += int(binary.BigEndian.Uint16(b[n-2:]))
		}
	}
	if !w.header(b, layerCustom, n) {
		return
	}
	w.identify(flow.TunnelID, uint64(binary.BigEndian.Uint32(b[ids:])))
	w.enter()
	w.ppp(b[n:])
}

// l2tp3 reads the session header of version 3 (RFC 3931 §4.1.1). Session 0 is the control
// connection. What follows was agreed on there: a cookie of 0, 4 or 8 octets and a sublayer of 0 or
// 4. The frame is where one begins that carries IP.
func (w *walk) l2tp3(b []byte) {
	const n = 4
	if len(b) >= n && binary.BigEndian.Uint32(b) == 0 || !w.header(b, layerCustom, n) {
		return
	}
	w.identify(flow.TunnelID, uint64(binary.BigEndian.Uint32(b)))
	for at := n; at <= 16; at += 4 {
		if carriesIP(b[at:]) {
			w.enter()
			w.ethernet(b[at:])
			return
		}
		if at+4 > len(b) {
			return
		}
	}
}

// carriesIP tells whether b looks like an Ethernet frame with an IP packet, tagged or not.
func carriesIP(b []byte) bool {
	const macs = 12
	for at := macs; at+3 <= len(b); at += 4 {
		switch binary.BigEndian.Uint16(b[at:]) {
		case etherIPv4:
			return b[at+2]>>4 == 4
		case etherIPv6:
			return b[at+2]>>4 == 6
		case etherVLAN, etherVLANs:
		default:
			return false
		}
	}
	return false
}

// pppoe reads the header of a session (RFC 2516 §4). Its packet is the flow, as behind a VLAN tag.
func (w *walk) pppoe(b []byte) {
	const n = 6
	if !w.header(b, layerCustom, n) {
		return
	}
	w.identify(flow.TunnelID, uint64(binary.BigEndian.Uint16(b[2:])))
	w.ppp(b[n:])
}

// ppp reads the head of a PPP frame, whose address and control, and first octet of the protocol,
// may be left out (RFC 1661 §2 and §6.5, RFC 1662 §3.1).
func (w *walk) ppp(b []byte) {
	n := 0
	if len(b) >= 2 && b[0] == 0xff && b[1] == 3 {
		n = 2
	}
	protocol := uint16(0)
	switch {
	case len(b) > n && b[n]&1 == 1:
		protocol = uint16(b[n])
		n++
	case len(b) > n+1:
		protocol = binary.BigEndian.Uint16(b[n:])
		n += 2
	default:
		n += 2
	}
	if !w.header(b, layerCustom, n) {
		return
	}
	switch protocol {
	case 0x0021, 0x0057:
		w.ip(b[n:])
	case 0x0281:
		w.mpls(b[n:])
	}
}
