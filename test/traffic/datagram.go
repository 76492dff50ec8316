// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"encoding/binary"
	"time"
)

// datagram is one that was built ahead. Sending it costs only the writing of its marks.
type datagram struct {
	data  []byte
	marks []mark
	step  uint32 // what it adds to the exporter's sequence number
	Counts
}

// mark is a place in a datagram that is written anew each time it is sent.
type mark struct {
	at   uint16
	kind markKind
	ago  uint32 // ms before the datagram is sent
}

type markKind uint8

const (
	sequence32   markKind = iota // of the datagram
	unixSeconds                  // of sending
	nanoseconds                  // of sending
	uptimeMs                     // ago, 32 bits
	unixMs                       // ago, 64 bits
	anyPort                      // of a client
	sampleNumber                 // sFlow: sequence number of the sample
	samplePool                   // sFlow: packets that it was chosen from
	templateID                   // of IPv4 or, if ago is 1, IPv6
)

// builder appends to a datagram.
type builder struct{ d datagram }

func (b *builder) u8(v uint8)      { b.d.data = append(b.d.data, v) }
func (b *builder) u16(v uint16)    { b.d.data = binary.BigEndian.AppendUint16(b.d.data, v) }
func (b *builder) u32(v uint32)    { b.d.data = binary.BigEndian.AppendUint32(b.d.data, v) }
func (b *builder) u64(v uint64)    { b.d.data = binary.BigEndian.AppendUint64(b.d.data, v) }
func (b *builder) bytes(v ...byte) { b.d.data = append(b.d.data, v...) }

// all16 and all32 append several values.
func (b *builder) all16(vs ...uint16) {
	for _, v := range vs {
		b.u16(v)
	}
}

func (b *builder) all32(vs ...uint32) {
	for _, v := range vs {
		b.u32(v)
	}
}

// mark makes room for a value that is written when the datagram is sent.
func (b *builder) mark(kind markKind, ago uint32) {
	b.d.marks = append(b.d.marks, mark{at: uint16(len(b.d.data)), kind: kind, ago: ago})
	switch kind {
	case anyPort, templateID:
		b.u16(0)
	case unixMs:
		b.u64(0)
	default:
		b.u32(0)
	}
}

// dstPort appends the destination port: that of a client is another one each time.
func (b *builder) dstPort(f *madeFlow) {
	if f.dstPort == 0 {
		b.mark(anyPort, 0)
		return
	}
	b.u16(f.dstPort)
}

// length writes the octets since start into the 2 octets at.
func (b *builder) length(at, start int) {
	binary.BigEndian.PutUint16(b.d.data[at:], uint16(len(b.d.data)-start))
}

// pad fills up to a multiple of 4 octets, counted from start.
func (b *builder) pad(start int) {
	for (len(b.d.data)-start)%4 != 0 {
		b.u8(0)
	}
}

// count adds a flow to the datagram's counts.
func (b *builder) count(bytes, packets uint32) {
	b.d.Flows++
	b.d.Bytes += uint64(bytes)
	b.d.Packets += uint64(packets)
}

// stamp holds what marks are written from.
type stamp struct {
	now      time.Time
	booted   time.Time
	sequence uint32
	samples  [256]uint32 // sFlow samples before this datagram, by the last octet of their source
	interval uint32      // of sampling
	random   uint32      // never 0
	swap     uint32      // 1: templates have each other's id
}

// write fills the marks of d.
func (s *stamp) write(d *datagram) {
	be := binary.BigEndian
	uptime := uint32(s.now.Sub(s.booted).Milliseconds())
	now := uint64(s.now.UnixMilli())
	for _, m := range d.marks {
		at := d.data[m.at:]
		switch m.kind {
		case sequence32:
			be.PutUint32(at, s.sequence)
		case unixSeconds:
			be.PutUint32(at, uint32(s.now.Unix()))
		case nanoseconds:
			be.PutUint32(at, uint32(s.now.Nanosecond()))
		case uptimeMs:
			be.PutUint32(at, uptime-m.ago)
		case unixMs:
			be.PutUint64(at, now-uint64(m.ago))
		case anyPort:
			// xorshift32
			s.random ^= s.random << 13
			s.random ^= s.random >> 17
			s.random ^= s.random << 5
			be.PutUint16(at, ephemeral+uint16(s.random>>18))
		case sampleNumber:
			source := at[7]
			s.samples[source]++
			be.PutUint32(at, s.samples[source])
		case samplePool:
			const back = 5 // to the last octet of the source
			be.PutUint32(at, s.samples[d.data[int(m.at)-back]]*s.interval)
		case templateID:
			be.PutUint16(at, template4+uint16(m.ago^s.swap))
		}
	}
	s.sequence += d.step
}
