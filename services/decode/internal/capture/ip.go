// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"encoding/binary"
	"net/netip"
)

// Datagram is a UDP datagram. Its payload is valid until the next packet.
type Datagram struct {
	Source, Destination netip.AddrPort
	Payload             []byte
}

// Outcome says what came of a packet.
type Outcome uint8

// Outcomes.
const (
	Whole       Outcome = iota // a datagram
	Cut                        // a datagram whose end was not captured
	Other                      // another protocol than UDP over IP
	Waiting                    // a fragment; the datagram comes with another one
	BadFragment                // a fragment that contradicts others
	UnknownLink                // a frame of an unknown link type without an IP packet
)

// Protocols and extension headers (RFC 8200 §4).
const (
	hopByHop    = 0
	udp         = 17
	routing     = 43
	fragment    = 44
	destination = 60
)

// Assembler takes datagrams out of packets. It is not safe for concurrent use.
type Assembler struct {
	pieces fragments
}

// Datagram returns the datagram that a packet makes whole.
func (a *Assembler) Datagram(p Packet) (Datagram, Outcome) {
	ip, known := network(p.Link, p.Data)
	switch {
	case !known:
		return Datagram{}, UnknownLink
	case len(ip) == 0:
		return Datagram{}, Other
	case ip[0]>>4 == 4:
		return a.ipv4(ip)
	case ip[0]>>4 == 6:
		return a.ipv6(ip)
	}
	return Datagram{}, Other
}

// Waiting returns how many datagrams lack fragments, those included that were given up.
func (a *Assembler) Waiting() int { return len(a.pieces.open) + a.pieces.given }

func (a *Assembler) ipv4(p []byte) (Datagram, Outcome) {
	if len(p) < 20 || int(p[0]&15)*4 < 20 || len(p) < int(p[0]&15)*4 {
		return Datagram{}, Other
	}
	head, total := int(p[0]&15)*4, int(binary.BigEndian.Uint16(p[2:]))
	cut := total > len(p)
	if total >= head && !cut { // 0 is a packet that the network card was to segment
		p = p[:total] // what follows is Ethernet's padding
	}
	if p[9] != udp {
		return Datagram{}, Other
	}
	k := key{src: netip.AddrFrom4([4]byte(p[12:])), dst: netip.AddrFrom4([4]byte(p[16:])), id: uint32(binary.BigEndian.Uint16(p[4:]))}
	word := binary.BigEndian.Uint16(p[6:])
	if at, more := int(word&0x1fff)*8, word&0x2000 != 0; at != 0 || more {
		return a.fragment(k, at, more, p[head:], cut)
	}
	return k.datagram(p[head:], cut)
}

func (a *Assembler) ipv6(p []byte) (Datagram, Outcome) {
	if len(p) < 40 {
		return Datagram{}, Other
	}
	k := key{src: netip.AddrFrom16([16]byte(p[8:])), dst: netip.AddrFrom16([16]byte(p[24:]))}
	total := 40 + int(binary.BigEndian.Uint16(p[4:]))
	cut := total > len(p)
	if total > 40 && !cut {
		p = p[:total]
	}
	next, p := p[6], p[40:]
	for next != udp {
		if len(p) < 8 {
			return Datagram{}, Other
		}
		switch next {
		case hopByHop, routing, destination:
			n := 8 + 8*int(p[1])
			if n > len(p) {
				return Datagram{}, Other
			}
			next, p = p[0], p[n:]
		case fragment:
			word := binary.BigEndian.Uint16(p[2:])
			at, more := int(word&^7), word&1 != 0
			k.id = binary.BigEndian.Uint32(p[4:])
			if next, p = p[0], p[8:]; at != 0 || more {
				if next != udp {
					return Datagram{}, Other
				}
				return a.fragment(k, at, more, p, cut)
			}
		default:
			return Datagram{}, Other
		}
	}
	return k.datagram(p, cut)
}

// fragment keeps a fragment, and returns the datagram if it is whole now. One of which octets
// were not captured can't be placed.
func (a *Assembler) fragment(k key, at int, more bool, p []byte, cut bool) (Datagram, Outcome) {
	if cut {
		return Datagram{}, BadFragment
	}
	whole, ok := a.pieces.add(k, at, more, p)
	switch {
	case !ok:
		return Datagram{}, BadFragment
	case whole == nil:
		return Datagram{}, Waiting
	}
	return k.datagram(whole, false)
}

// datagram reads the header of UDP.
func (k key) datagram(p []byte, cut bool) (Datagram, Outcome) {
	if len(p) < 8 {
		return Datagram{}, Other
	}
	d := Datagram{
		Source:      netip.AddrPortFrom(k.src, binary.BigEndian.Uint16(p)),
		Destination: netip.AddrPortFrom(k.dst, binary.BigEndian.Uint16(p[2:])),
	}
	if n := int(binary.BigEndian.Uint16(p[4:])); n >= 8 && n <= len(p) {
		p = p[:n]
	} else if n > len(p) {
		cut = true
	}
	d.Payload = p[8:min(len(p), maxDatagram)]
	if cut {
		return d, Cut
	}
	return d, Whole
}

// maxDatagram is what a UDP datagram can have, with its header.
const maxDatagram = 65535
