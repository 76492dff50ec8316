// SPDX-License-Identifier: Apache-2.0

package packet

import "encoding/binary"

// IP protocols.
const (
	ProtoICMP   = 1
	ProtoTCP    = 6
	ProtoUDP    = 17
	ProtoICMPv6 = 58
	ProtoSCTP   = 132

	protoDCCP    = 33
	protoUDPLite = 136
)

// TCP flags.
const (
	FIN = 1
	RST = 4
)

func (p *Packet) ipv4(b []byte) {
	if len(b) < 20 || b[0]>>4 != 4 {
		return
	}
	be := binary.BigEndian
	header := int(b[0]&15) * 4
	if header < 20 {
		return
	}
	p.Version, p.IPHeader = 4, header
	p.TOS, p.TTL, p.Proto, p.NextHeader = b[1], b[8], b[9], b[9]
	p.setLength(uint32(be.Uint16(b[2:])))
	p.FragmentID = uint32(be.Uint16(b[4:]))
	p.FragmentFlags, p.FragmentOffset = b[6]&0xe0, be.Uint16(b[6:])&0x1fff
	copy(p.Src[:4], b[12:16])
	copy(p.Dst[:4], b[16:20])
	if p.FragmentOffset == 0 && len(b) >= header {
		p.transport(b[header:])
	}
}

// setLength takes the length that the IP header says, or with segmentation offload,
// where it says 0, that of the frame.
func (p *Packet) setLength(said uint32) {
	p.IPLength = said
	if said == 0 {
		p.IPLength = uint32(max(p.Length-p.IPOffset, 0))
	}
}

func (p *Packet) ipv6(b []byte) {
	const fixed = 40
	if len(b) < fixed || b[0]>>4 != 6 {
		return
	}
	be := binary.BigEndian
	first := be.Uint32(b)
	p.Version, p.IPHeader = 6, fixed
	p.TOS, p.FlowLabel = uint8(first>>20), first&0xfffff
	p.TTL, p.NextHeader = b[7], b[6]
	if payload := be.Uint16(b[4:]); payload > 0 {
		p.setLength(fixed + uint32(payload))
	} else {
		p.setLength(0)
	}
	copy(p.Src[:], b[8:24])
	copy(p.Dst[:], b[24:40])
	p.Proto = p.NextHeader
	p.extensions(b[fixed:])
}

// maxExtensions bounds the walk over IPv6 extension headers.
const maxExtensions = 8

// extensions walks to the upper-layer header (RFC 8200 section 4).
func (p *Packet) extensions(b []byte) {
	for range maxExtensions {
		size := 0
		switch p.Proto {
		case 0, 43, 60, 135: // hop-by-hop, routing, destination options, mobility
			if len(b) < 2 {
				return
			}
			size = 8 + 8*int(b[1])
		case 51: // AH: RFC 4302
			if len(b) < 2 {
				return
			}
			size = 8 + 4*int(b[1])
		case 44:
			if len(b) < 8 {
				return
			}
			offset := binary.BigEndian.Uint16(b[2:])
			p.FragmentID, p.FragmentOffset = binary.BigEndian.Uint32(b[4:]), offset>>3
			p.FragmentFlags = uint8(offset&1) << 5
			size = 8
		default:
			if p.FragmentOffset == 0 {
				p.transport(b)
			}
			return
		}
		if len(b) < size {
			return
		}
		p.Proto, b = b[0], b[size:]
		p.IPHeader += size
	}
}

func (p *Packet) transport(b []byte) {
	be := binary.BigEndian
	switch p.Proto {
	case ProtoTCP, ProtoUDP, ProtoSCTP, protoDCCP, protoUDPLite:
		if len(b) < 4 {
			return
		}
		p.SrcPort, p.DstPort = be.Uint16(b), be.Uint16(b[2:])
		switch {
		case p.Proto == ProtoTCP && len(b) >= 16:
			p.TCPSequence, p.TCPAck = be.Uint32(b[4:]), be.Uint32(b[8:])
			p.TCPFlags, p.TCPWindow = b[13], be.Uint16(b[14:])
		case p.Proto == ProtoUDP && len(b) >= 6:
			p.UDPLength = be.Uint16(b[4:])
		}
	case ProtoICMP, ProtoICMPv6:
		if len(b) >= 2 {
			p.ICMPType, p.ICMPCode = b[0], b[1]
		}
	}
}

// Reverse swaps the ends, as in a packet of the other direction.
func (p *Packet) Reverse() {
	p.Src, p.Dst = p.Dst, p.Src
	p.SrcPort, p.DstPort = p.DstPort, p.SrcPort
	p.SrcMAC, p.DstMAC = p.DstMAC, p.SrcMAC
}
