// SPDX-License-Identifier: Apache-2.0

package traffic

// Layout of sFlow v5: sflow_version_5.txt, section 5.

const (
	// samples5 fill a datagram of about 1400 octets.
	samples5 = 5
	// sampledHeader is how much of a packet an agent sends.
	sampledHeader = 128
	fcs           = 4 // octets of the Ethernet check sequence: counted, not sent
)

// sflow builds a datagram of count flow samples.
func sflow(e *exporter, m maker, count int) datagram {
	var b builder
	b.all32(5, 1) // version; 1: an IPv4 address follows, 2: IPv6
	if e.Exporter.Is6() {
		b.d.data[len(b.d.data)-1] = 2
	}
	b.bytes(e.Exporter.AsSlice()...)
	b.u32(0) // sub-agent
	b.mark(sequence32, 0)
	b.mark(uptimeMs, 0)
	b.u32(uint32(count))
	for i := range count {
		// One in six is IPv6; two in a datagram would make it too long for Ethernet.
		f := m.flow(i == 0 && m.sixth() && e.rnd.IntN(v6Share) < samples5)
		b.record(1, func() { b.flowSample(e, &f) })
	}
	b.d.step = 1
	return b.d
}

// record appends a format, a length and what fill appends.
func (b *builder) record(format uint32, fill func()) {
	b.u32(format)
	b.u32(0)
	start := len(b.d.data)
	fill()
	b.pad(start)
	b.length(start-2, start)
}

func (b *builder) flowSample(e *exporter, f *madeFlow) {
	frame := f.bytes/f.packets + ethernetHeader + fcs
	b.mark(sampleNumber, 0)
	b.u32(f.inIf) // source id: ifIndex
	b.u32(e.sampling)
	b.mark(samplePool, 0)
	b.all32(0, f.inIf, f.outIf, 3) // drops, input, output, records
	b.record(1, func() {
		size := min(frame-fcs, sampledHeader)
		b.all32(1, frame, fcs, size)
		start := len(b.d.data)
		b.packet(f, frame-fcs-ethernetHeader)
		b.d.data = append(b.d.data, make([]byte, sampledHeader)...)[:start+int(size)]
	})
	b.record(1002, func() { // extended router
		b.nextHop(f)
		b.all32(uint32(f.srcMask), uint32(f.dstMask))
	})
	b.record(1003, func() { // extended gateway
		const sequenceSegment, localPreference = 2, 100
		b.nextHop(f)
		b.all32(64500, f.srcAS, f.srcAS) // own, source, source peer
		b.all32(1, sequenceSegment, 2, 64501, f.dstAS)
		b.all32(0, localPreference) // no communities
	})
	b.count(frame, 1)
}

func (b *builder) nextHop(f *madeFlow) {
	if f.v6 {
		b.u32(2)
		b.bytes(f.nextHop[:]...)
		return
	}
	b.u32(1)
	b.bytes(f.nextHop[12:]...)
}

// packet appends the headers of a packet whose IP length is size.
func (b *builder) packet(f *madeFlow, size uint32) {
	b.bytes(2, 0, 0, 0, 0, byte(f.outIf), 2, 0, 0, 0, 0, byte(f.inIf))
	if f.v6 {
		b.u16(0x86dd)
		b.u32(6<<28 | uint32(f.tos)<<20)
		b.u16(uint16(size - 40))
		b.bytes(f.proto, 64)
		b.bytes(f.src[:]...)
		b.bytes(f.dst[:]...)
	} else {
		b.u16(0x0800)
		b.bytes(0x45, f.tos)
		b.u16(uint16(size))
		b.u32(0) // id, fragment
		b.bytes(64, f.proto, 0, 0)
		b.bytes(f.src[12:]...)
		b.bytes(f.dst[12:]...)
	}
	b.u16(f.srcPort)
	b.dstPort(f)
	if f.proto == protoUDP {
		header := uint32(20)
		if f.v6 {
			header = 40
		}
		b.all16(uint16(size-header), 0)
		return
	}
	b.all32(1, 1) // sequence, acknowledgement
	const pushACK = 0x18
	flags := uint8(pushACK)
	if f.flags == flagSYN {
		flags = flagSYN
	}
	b.bytes(5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
}
