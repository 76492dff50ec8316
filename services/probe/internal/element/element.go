// SPDX-License-Identifier: Apache-2.0

package element

import (
	"encoding/binary"

	"github.com/weirflow/weir/services/probe/internal/packet"
)

// Element is an information element of the IANA registry.
type Element struct {
	Name   string
	ID     uint16
	Length uint16 // octets, or Variable
	Value  Value
	Family uint8 // 4 or 6: only packets of this IP version have it; 0: all
}

// Variable is the length of an element whose values differ in length (RFC 7011 section 7).
const Variable = 65535

// Value says where the value of an element comes from.
type Value uint8

// Values of a packet: a flow has that of its packets if the element is a key, else that of
// its first packet.
const (
	protocol Value = iota
	tos
	dscp
	precedence
	srcPort
	dstPort
	tcpSrcPort
	tcpDstPort
	udpSrcPort
	udpDstPort
	src
	dst
	icmpTypeCode
	icmpType
	icmpCode
	srcMAC
	dstMAC
	vlan
	innerVLAN
	vlanPriority
	fragmentID
	fragmentOffset
	fragmentFlags
	flowLabel
	ipVersion
	nextHeader
	ttl
	ipLength
	ipHeaderLength
	ihl
	tcpSequence
	tcpAck
	tcpWindow
	udpLength
	etherType
	mplsTop
	inIf
	direction
	frameSize
	timeSeconds
	timeMillis
	timeMicros
	timeNanos
	frameSection
	ipSection
	payloadSection

	// Values that a flow sums up.
	Octets
	Packets
	Layer2Octets
	TCPFlags
	StartUptime
	EndUptime
	StartSeconds
	EndSeconds
	StartMillis
	EndMillis
	StartMicros
	EndMicros
	StartNanos
	EndNanos
	DurationMillis
	DurationMicros
	MinTTL
	MaxTTL
	MinLength
	MaxLength
	EndReason
	FlowCount
	BootMillis
	BiflowDirection
)

// OfPacket tells whether the value is one of a single packet.
func (v Value) OfPacket() bool { return v < Octets }

// Kept tells whether the numbers that the element has in a record never fit into fewer
// octets than it has: reduced-size encoding is for integers (RFC 7011 section 6.2).
func (e Element) Kept() bool {
	switch e.Value {
	case src, dst, srcMAC, dstMAC, mplsTop, StartMicros, EndMicros, StartNanos, EndNanos, timeMicros, timeNanos,
		StartSeconds, EndSeconds, StartMillis, EndMillis, timeSeconds, timeMillis, BootMillis:
		return true
	}
	return false
}

// Append appends the value that p has for e, in length octets. Of an element of variable
// length, it appends the encoding of RFC 7011 section 7 of a value of at most length octets.
func (e *Element) Append(b []byte, p *packet.Packet, length uint16) []byte {
	switch e.Value { // the most common keys first, since this runs for each of a packet
	case src:
		return e.address(b, p, &p.Src)
	case dst:
		return e.address(b, p, &p.Dst)
	case srcPort:
		return AppendUint(b, uint64(p.SrcPort), length)
	case dstPort:
		return AppendUint(b, uint64(p.DstPort), length)
	case protocol:
		return AppendUint(b, uint64(p.Proto), length)
	case tos:
		return AppendUint(b, uint64(p.TOS), length)
	case srcMAC:
		return append(b, p.SrcMAC[:]...)
	case dstMAC:
		return append(b, p.DstMAC[:]...)
	case mplsTop:
		return append(b, p.MPLS[:]...)
	case frameSection:
		return appendSection(b, p.Frame, 0, length)
	case ipSection:
		return appendSection(b, p.Frame, p.IPOffset, length)
	case payloadSection:
		return appendSection(b, p.Frame, p.IPOffset+p.IPHeader, length)
	}
	return AppendUint(b, e.number(p), length)
}

// address appends an address of the packet, which has none of the other IP version.
func (e *Element) address(b []byte, p *packet.Packet, a *[16]byte) []byte {
	switch {
	case e.Family != p.Version:
		return append(b, make([]byte, e.Length)...)
	case e.Family == 4:
		return append(b, a[0], a[1], a[2], a[3])
	}
	return append(b, a[:]...)
}

// SectionLength is how many octets there are before a value of variable length, at most.
const SectionLength = 3

// appendSection appends the octets of frame from start on, at most most of them, behind
// their number: one octet, or 255 and two.
func appendSection(b, frame []byte, start int, most uint16) []byte {
	section := frame[min(start, len(frame)):]
	section = section[:min(len(section), int(most))]
	if len(section) < 255 {
		b = append(b, byte(len(section)))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, 255), uint16(len(section)))
	}
	return append(b, section...)
}

// AppendUint appends the lowest octets of v, the highest of them first.
func AppendUint(b []byte, v uint64, length uint16) []byte {
	switch length {
	case 1:
		return append(b, byte(v))
	case 2:
		return append(b, byte(v>>8), byte(v))
	case 4:
		return binary.BigEndian.AppendUint32(b, uint32(v))
	case 8:
		return binary.BigEndian.AppendUint64(b, v)
	}
	for i := int(length) - 1; i >= 0; i-- {
		b = append(b, byte(v>>(8*i)))
	}
	return b
}

// number is the value of an element that is a number.
func (e *Element) number(p *packet.Packet) uint64 {
	switch e.Value {
	case ipVersion:
		return uint64(p.Version)
	case vlan:
		return uint64(p.VLAN)
	case inIf:
		return uint64(p.InIf)
	case dscp, precedence, nextHeader, ttl, ipLength, ipHeaderLength, ihl, fragmentID, fragmentOffset, fragmentFlags, flowLabel:
		return e.network(p)
	case tcpSrcPort, tcpDstPort, udpSrcPort, udpDstPort, icmpTypeCode, icmpType, icmpCode, tcpSequence, tcpAck, tcpWindow, udpLength:
		return e.transport(p)
	}
	return e.frame(p)
}

// network is a value of the IP header.
func (e *Element) network(p *packet.Packet) uint64 {
	switch e.Value {
	case dscp:
		return uint64(p.TOS >> 2)
	case precedence:
		return uint64(p.TOS >> 5)
	case nextHeader:
		return uint64(p.NextHeader)
	case ttl:
		return uint64(p.TTL)
	case ipLength:
		return uint64(p.IPLength)
	case ipHeaderLength:
		return uint64(p.IPHeader)
	case ihl:
		return uint64(p.IPHeader / 4)
	case fragmentID:
		return uint64(p.FragmentID)
	case fragmentOffset:
		return uint64(p.FragmentOffset)
	case fragmentFlags:
		return uint64(p.FragmentFlags)
	default:
		return uint64(p.FlowLabel)
	}
}

// transport is a value of the header above IP; 0 if the packet has another one.
func (e *Element) transport(p *packet.Packet) uint64 {
	tcp, udp := p.Proto == packet.ProtoTCP, p.Proto == packet.ProtoUDP
	switch {
	case e.Value == tcpSrcPort && tcp, e.Value == udpSrcPort && udp:
		return uint64(p.SrcPort)
	case e.Value == tcpDstPort && tcp, e.Value == udpDstPort && udp:
		return uint64(p.DstPort)
	case e.Value == icmpTypeCode:
		return uint64(p.ICMPType)<<8 | uint64(p.ICMPCode)
	case e.Value == icmpType:
		return uint64(p.ICMPType)
	case e.Value == icmpCode:
		return uint64(p.ICMPCode)
	case e.Value == tcpSequence:
		return uint64(p.TCPSequence)
	case e.Value == tcpAck:
		return uint64(p.TCPAck)
	case e.Value == tcpWindow:
		return uint64(p.TCPWindow)
	case e.Value == udpLength:
		return uint64(p.UDPLength)
	}
	return 0
}

// frame is a value of the frame as a whole.
func (e *Element) frame(p *packet.Packet) uint64 {
	switch e.Value {
	case innerVLAN:
		return uint64(p.InnerVLAN)
	case vlanPriority:
		return uint64(p.VLANPriority)
	case etherType:
		return uint64(p.EtherType)
	case frameSize:
		return uint64(p.Length)
	case timeSeconds:
		return uint64(p.Time / 1e9)
	case timeMillis:
		return uint64(p.Time / 1e6)
	case timeMicros, timeNanos:
		return NTP(p.Time)
	}
	if e.Value == direction && p.Egress {
		return 1
	}
	return 0
}

// NTP is a time as dateTimeMicroseconds and dateTimeNanoseconds have it: seconds since
// 1900 and fractions of 2^-32 s (RFC 7011 section 6.1.9).
func NTP(ns int64) uint64 {
	const since1900 = 2208988800
	seconds, rest := uint64(ns/1e9)+since1900, uint64(ns%1e9)
	return seconds<<32 | (rest<<32)/1e9
}
