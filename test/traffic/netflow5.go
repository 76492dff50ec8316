// SPDX-License-Identifier: Apache-2.0

package traffic

// Layout of NetFlow v5: Cisco, NetFlow Export Datagram Format, tables B-3 and B-4.

// flows5 fill a datagram: 24 octets of header and 48 a flow.
const flows5 = 30

// netflow5 builds a datagram of count flows.
func netflow5(e *exporter, m maker, count int) datagram {
	var b builder
	b.all16(5, uint16(count))
	b.mark(uptimeMs, 0)
	b.mark(unixSeconds, 0)
	b.mark(nanoseconds, 0)
	b.mark(sequence32, 0)
	b.bytes(0, uint8(e.domain))
	const deterministic = 1 << 14
	b.u16(deterministic | uint16(e.sampling))
	for range count {
		f := m.flow(false)
		b.bytes(f.src[12:]...)
		b.bytes(f.dst[12:]...)
		b.bytes(f.nextHop[12:]...)
		b.all16(uint16(f.inIf), uint16(f.outIf))
		b.all32(f.packets, f.bytes)
		b.mark(uptimeMs, f.sinceEnded+f.length)
		b.mark(uptimeMs, f.sinceEnded)
		b.u16(f.srcPort)
		b.dstPort(&f)
		b.bytes(0, f.flags, f.proto, f.tos)
		b.all16(as16(f.srcAS), as16(f.dstAS))
		b.bytes(f.srcMask, f.dstMask, 0, 0)
		b.count(f.bytes, f.packets)
	}
	b.d.step = uint32(count)
	return b.d
}

// as16 is an AS number in 16 bits: one that does not fit is AS_TRANS (RFC 6793).
func as16(as uint32) uint16 {
	const asTrans = 23456
	if as > 0xffff {
		return asTrans
	}
	return uint16(as)
}
