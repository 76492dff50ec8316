// SPDX-License-Identifier: Apache-2.0

package packet

import "encoding/binary"

// Link types of pcap files (tcpdump.org/linktypes.html).
const (
	LinkNull     = 0
	LinkEthernet = 1
	LinkRaw      = 101
	LinkLoop     = 108
	LinkSLL      = 113
	LinkIPv4     = 228
	LinkIPv6     = 229
	LinkSLL2     = 276
)

// EtherTypes.
const (
	TypeIPv4 = 0x0800
	TypeIPv6 = 0x86dd

	typeVLAN  = 0x8100
	typeQinQ  = 0x88a8
	typeMPLS  = 0x8847
	typeMPLSM = 0x8848
)

// Packet is what the headers of one frame say.
type Packet struct {
	Time   int64  // ns since 1970
	Frame  []byte // as captured
	Length int    // octets on the wire, from the data link header on
	InIf   uint32 // ifIndex
	Egress bool   // leaves by the interface

	SrcMAC, DstMAC       [6]byte
	EtherType            uint16
	VLAN, InnerVLAN      uint16 // ids
	VLANPriority         uint8
	MPLS                 [3]byte // label, EXP and S of the top of the stack
	Version              uint8   // 4, 6; 0: not IP
	Src, Dst             [16]byte
	Proto, TOS, TTL      uint8
	NextHeader           uint8 // of the IPv6 header itself
	FlowLabel            uint32
	FragmentID           uint32
	FragmentOffset       uint16 // 8 octets
	FragmentFlags        uint8
	IPOffset, IPHeader   int // where the IP header begins, how long it is
	IPLength             uint32
	SrcPort, DstPort     uint16
	TCPFlags             uint8
	TCPSequence, TCPAck  uint32
	TCPWindow, UDPLength uint16
	ICMPType, ICMPCode   uint8
}

// Parse reads the headers of frame. All fields but Time, InIf and Egress are set.
func (p *Packet) Parse(frame []byte, length int, link uint32) {
	*p = Packet{Time: p.Time, InIf: p.InIf, Egress: p.Egress, Frame: frame, Length: length}
	at, ok := p.link(frame, link)
	if !ok {
		return
	}
	at, ok = p.tags(frame, at)
	if !ok {
		return
	}
	p.IPOffset = at
	switch p.EtherType {
	case TypeIPv4:
		p.ipv4(frame[at:])
	case TypeIPv6:
		p.ipv6(frame[at:])
	}
}

// link reads the data link header and returns where the next one begins.
func (p *Packet) link(frame []byte, link uint32) (int, bool) {
	be := binary.BigEndian
	switch {
	case link == LinkEthernet && len(frame) >= 14:
		copy(p.DstMAC[:], frame)
		copy(p.SrcMAC[:], frame[6:])
		p.EtherType = be.Uint16(frame[12:])
		return 14, true
	case link == LinkSLL && len(frame) >= 16:
		copy(p.SrcMAC[:], frame[6:])
		p.EtherType = be.Uint16(frame[14:])
		return 16, true
	case link == LinkSLL2 && len(frame) >= 20:
		copy(p.SrcMAC[:], frame[12:])
		p.EtherType = be.Uint16(frame)
		return 20, true
	case (link == LinkNull || link == LinkLoop) && len(frame) >= 5:
		return 4, p.versionOf(frame[4])
	case (link == LinkRaw || link == LinkIPv4 || link == LinkIPv6) && len(frame) >= 1:
		return 0, p.versionOf(frame[0])
	}
	return 0, false
}

// versionOf takes the EtherType from the first octet of an IP header.
func (p *Packet) versionOf(first byte) bool {
	switch first >> 4 {
	case 4:
		p.EtherType = TypeIPv4
	case 6:
		p.EtherType = TypeIPv6
	default:
		return false
	}
	return true
}

// maxTags bounds the walk over VLAN tags and MPLS labels.
const maxTags = 8

// tags reads VLAN tags and MPLS labels.
func (p *Packet) tags(frame []byte, at int) (int, bool) {
	for n := range maxTags {
		switch p.EtherType {
		case typeVLAN, typeQinQ:
			if len(frame) < at+4 {
				return at, false
			}
			tag := binary.BigEndian.Uint16(frame[at:])
			switch n {
			case 0:
				p.VLAN, p.VLANPriority = tag&0xfff, uint8(tag>>13)
			case 1:
				p.InnerVLAN = tag & 0xfff
			}
			p.EtherType = binary.BigEndian.Uint16(frame[at+2:])
			at += 4
		case typeMPLS, typeMPLSM:
			return p.labels(frame, at)
		default:
			return at, true
		}
	}
	return at, false
}

// labels reads the label stack up to its bottom (RFC 3032). What is below it
// shows by its first octet.
func (p *Packet) labels(frame []byte, at int) (int, bool) {
	for n := range maxTags {
		if len(frame) < at+5 {
			return at, false
		}
		if n == 0 {
			copy(p.MPLS[:], frame[at:])
		}
		bottom := frame[at+2]&1 != 0
		at += 4
		if bottom {
			return at, p.versionOf(frame[at])
		}
	}
	return at, false
}

// Tag puts a VLAN tag before those of the frame: the kernel takes the outer one off.
func (p *Packet) Tag(tci uint16) {
	p.InnerVLAN, p.VLAN, p.VLANPriority = p.VLAN, tci&0xfff, uint8(tci>>13)
}
