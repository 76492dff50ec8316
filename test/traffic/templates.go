// SPDX-License-Identifier: Apache-2.0

package traffic

// NetFlow v9 (RFC 3954) and IPFIX (RFC 7011): the same sets under two headers.

// Template ids.
const (
	template4       = 256 // that of IPv6 is the next
	templateOptions = 258
	templateNames   = 259 // of interfaces
)

// Flows of a datagram of about 1400 octets.
const (
	flows9  = 21
	flows10 = 16
)

// element is a field of a template.
type element struct {
	id, size uint16
	put      func(*builder, *madeFlow)
}

// elements returns the template of a version and address family.
func elements(version uint16, v6 bool) []element {
	addresses := []element{
		{8, 4, func(b *builder, f *madeFlow) { b.bytes(f.src[12:]...) }},
		{12, 4, func(b *builder, f *madeFlow) { b.bytes(f.dst[12:]...) }},
		{15, 4, func(b *builder, f *madeFlow) { b.bytes(f.nextHop[12:]...) }},
		{9, 1, func(b *builder, f *madeFlow) { b.u8(f.srcMask) }},
		{13, 1, func(b *builder, f *madeFlow) { b.u8(f.dstMask) }},
		{60, 1, func(b *builder, _ *madeFlow) { b.u8(4) }},
	}
	if v6 {
		addresses = []element{
			{27, 16, func(b *builder, f *madeFlow) { b.bytes(f.src[:]...) }},
			{28, 16, func(b *builder, f *madeFlow) { b.bytes(f.dst[:]...) }},
			{62, 16, func(b *builder, f *madeFlow) { b.bytes(f.nextHop[:]...) }},
			{29, 1, func(b *builder, f *madeFlow) { b.u8(f.srcMask) }},
			{30, 1, func(b *builder, f *madeFlow) { b.u8(f.dstMask) }},
			{60, 1, func(b *builder, _ *madeFlow) { b.u8(6) }},
		}
	}
	common := []element{
		{7, 2, func(b *builder, f *madeFlow) { b.u16(f.srcPort) }},
		{11, 2, func(b *builder, f *madeFlow) { b.dstPort(f) }},
		{4, 1, func(b *builder, f *madeFlow) { b.u8(f.proto) }},
		{5, 1, func(b *builder, f *madeFlow) { b.u8(f.tos) }},
		{6, 1, func(b *builder, f *madeFlow) { b.u8(f.flags) }},
		{61, 1, func(b *builder, _ *madeFlow) { b.u8(0) }},
		{89, 1, func(b *builder, _ *madeFlow) { b.u8(64) }}, // forwarded
		{10, 4, func(b *builder, f *madeFlow) { b.u32(f.inIf) }},
		{14, 4, func(b *builder, f *madeFlow) { b.u32(f.outIf) }},
		{16, 4, func(b *builder, f *madeFlow) { b.u32(f.srcAS) }},
		{17, 4, func(b *builder, f *madeFlow) { b.u32(f.dstAS) }},
	}
	own := []element{ // RFC 3954: uptimes and the sampler
		{2, 4, func(b *builder, f *madeFlow) { b.u32(f.packets) }},
		{1, 4, func(b *builder, f *madeFlow) { b.u32(f.bytes) }},
		{22, 4, func(b *builder, f *madeFlow) { b.mark(uptimeMs, f.sinceEnded+f.length) }},
		{21, 4, func(b *builder, f *madeFlow) { b.mark(uptimeMs, f.sinceEnded) }},
		{48, 1, func(b *builder, _ *madeFlow) { b.u8(1) }},
	}
	if version == 10 {
		own = []element{ // RFC 7012: Unix times, RFC 5477: the selector
			{2, 8, func(b *builder, f *madeFlow) { b.u64(uint64(f.packets)) }},
			{1, 8, func(b *builder, f *madeFlow) { b.u64(uint64(f.bytes)) }},
			{152, 8, func(b *builder, f *madeFlow) { b.mark(unixMs, f.sinceEnded+f.length) }},
			{153, 8, func(b *builder, f *madeFlow) { b.mark(unixMs, f.sinceEnded) }},
			{302, 8, func(b *builder, _ *madeFlow) { b.u64(1) }},
		}
	}
	return append(append(addresses, common...), own...)
}

// header begins a message; finish completes it.
func (b *builder) header(version uint16, domain uint32) {
	b.all16(version, 0)
	if version == 9 {
		b.mark(uptimeMs, 0)
	}
	b.mark(unixSeconds, 0)
	b.mark(sequence32, 0)
	b.u32(domain)
}

// finish writes what the second word of the header tells: the octets in IPFIX, the records in
// NetFlow v9.
func (b *builder) finish(version uint16, records int) datagram {
	b.length(2, 0)
	if version == 9 {
		b.d.data[2], b.d.data[3] = byte(records>>8), byte(records)
	}
	return b.d
}

// set appends a set with what fill appends.
func (b *builder) set(id uint16, fill func()) {
	start := len(b.d.data)
	b.all16(id, 0)
	fill()
	b.pad(start)
	b.length(start+2, start)
}

// dataSet appends a set of flows of IPv4 or, if family is 1, IPv6.
func (b *builder) dataSet(family uint32, fill func()) {
	start := len(b.d.data)
	b.mark(templateID, family)
	b.u16(0)
	fill()
	b.pad(start)
	b.length(start+2, start)
}

// messageOf returns how to build messages of count flows, one in v6Share IPv6.
func messageOf(version uint16) func(*exporter, maker, int) datagram {
	plans := [2][]element{elements(version, false), elements(version, true)}
	return func(e *exporter, m maker, count int) datagram {
		var b builder
		b.header(version, e.domain)
		six := 0
		if m.sixth() {
			six = count / v6Share
		}
		for family, flows := range [2]int{count - six, six} {
			if flows == 0 {
				continue
			}
			b.dataSet(uint32(family), func() {
				for range flows {
					f := m.flow(family == 1)
					for _, el := range plans[family] {
						el.put(&b, &f)
					}
					b.count(f.bytes, f.packets)
				}
			})
		}
		b.d.step = 1
		if version == 10 {
			b.d.step = uint32(count)
		}
		return b.finish(version, count)
	}
}

// templatesOf builds the message with all templates and the sampling.
func templatesOf(version uint16, e *exporter) datagram {
	templates, options := uint16(0), uint16(1)
	if version == 10 {
		templates, options = 2, 3
	}
	var b builder
	b.header(version, e.domain)
	b.set(templates, func() {
		for family := range uint32(2) {
			plan := elements(version, family == 1)
			b.mark(templateID, family)
			b.u16(uint16(len(plan)))
			for _, el := range plan {
				b.all16(el.id, el.size)
			}
		}
	})
	if version == 9 {
		// Scope system; sampler 1 samples at random 1 in the interval.
		b.set(options, func() {
			b.all16(templateOptions, 4, 12, 1, 4, 48, 1, 49, 1, 50, 4)
			b.all16(templateNames, 4, 4, 2, 4, 82, 16)
		})
		b.set(templateOptions, func() { b.u32(e.domain); b.bytes(1, 2); b.u32(e.sampling) })
	} else {
		// Scope selector; it takes 1 packet and leaves the interval less 1 (RFC 5477).
		b.set(options, func() {
			b.all16(templateOptions, 4, 1, 302, 8, 304, 2, 305, 4, 306, 4)
			b.all16(templateNames, 2, 1, 10, 4, 82, 16)
		})
		b.set(templateOptions, func() { b.u64(1); b.u16(1); b.all32(1, e.sampling-1) })
	}
	b.set(templateNames, func() {
		for i := range interfaces {
			b.u32(uint32(i + 1))
			b.bytes(interfaceName(i + 1)...)
		}
	})
	b.d.step = 1
	if version == 10 {
		b.d.step += interfaces // IPFIX counts data records: those of options
	}
	const records = 5 + interfaces
	return b.finish(version, records)
}
