// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/weirflow/weir/services/decode/internal/packet"
	"github.com/weirflow/weir/services/decode/internal/refusal"
)

const versionSFlow = 5

// sflow explains a datagram (sFlow v5, section 5, sample_datagram).
func (b *builder) sflow(root *Part) {
	address := 4
	if len(b.p) >= 8 && binary.BigEndian.Uint32(b.p[4:]) == 2 {
		address = 16
	}
	if len(b.p) < 24+address {
		root.wrong(refusal.HeaderTruncated)
		return
	}
	head := b.add(root, "header", 0, 24+address)
	b.number(head, "version", 0, 4)
	b.number(head, "agent_address_type", 4, 4)
	agent := b.add(head, "agent_address", 8, address)
	agent.Value, agent.Columns = addressText(b.p[8:8+address]), []string{"sampler_address"}
	at := 8 + address
	b.number(head, "sub_agent_id", at, 4)
	b.number(head, "sequence_number", at+4, 4, "sequence_num")
	b.number(head, "uptime", at+8, 4)
	count := b.number(head, "samples", at+12, 4)
	for at += 16; count > 0 && !b.full(); count-- {
		if at = b.sample(root, at); at < 0 {
			return
		}
	}
}

// sample explains a sample and returns the place behind it, less than 0 where nothing follows.
func (b *builder) sample(root *Part, at int) int {
	if len(b.p)-at < 8 {
		b.add(root, "sample", at, len(b.p)-at).wrong(refusal.SampleMalformed)
		return -1
	}
	format, length := binary.BigEndian.Uint32(b.p[at:]), uint64(binary.BigEndian.Uint32(b.p[at+4:]))
	s, known := samples[format]
	if !known {
		s.name = "sample of " + formatText(format)
	}
	part := b.add(root, s.name, at, 0)
	at += 8
	end := at + int(min(length, uint64(len(b.p)-at))) //nolint:gosec // within the datagram
	part.Octets = end - at + 8
	switch {
	case length > uint64(len(b.p)-at):
		part.wrong(refusal.SampleMalformed)
	case !known:
		part.wrong(refusal.SampleUnknown)
	}
	if known {
		b.sampleBody(part, &s, at, end)
	}
	if length > uint64(len(b.p)-at) {
		return -1
	}
	return end
}

func (b *builder) sampleBody(part *Part, s *sampleFormat, at, end int) {
	var count uint64
	for _, f := range s.fields {
		if end-at < f.octets {
			part.wrong(refusal.SampleMalformed)
			return
		}
		count = b.number(part, f.name, at, f.octets, f.columns...) // the last one counts records
		at += f.octets
	}
	for ; count > 0 && !b.full(); count-- {
		if end-at < 8 {
			part.wrong(refusal.RecordMalformed)
			return
		}
		format, length := binary.BigEndian.Uint32(b.p[at:]), uint64(binary.BigEndian.Uint32(b.p[at+4:]))
		cut := length > uint64(end-at-8)
		next := at + 8 + int(min(length, uint64(end-at-8))) //nolint:gosec // within the sample
		b.record(part, s, format, at, next, cut)
		if at = next; cut {
			return
		}
	}
}

// record explains a flow or counter record.
func (b *builder) record(sample *Part, s *sampleFormat, format uint32, at, end int, cut bool) {
	r, known := s.records[format]
	if !known {
		r.name = "record of " + formatText(format)
	}
	part := b.add(sample, r.name, at, end-at)
	switch {
	case cut:
		part.wrong(refusal.RecordMalformed)
	case !known && s.counts:
		part.wrong(refusal.CounterUnknown)
	}
	at += 8
	for _, f := range r.fields {
		size := f.octets
		if size == 0 { // an address behind its type
			if size = 4; end-at >= 4 {
				size += int(map[uint32]byte{1: 4, 2: 16}[binary.BigEndian.Uint32(b.p[at:])])
			}
		}
		if end-at < size {
			part.wrong(refusal.RecordMalformed)
			return
		}
		field := b.add(part, f.name, at, size)
		field.Columns, field.Value = f.columns, f.text(b.p[at:at+size])
		at += size
	}
	if at == end {
		return
	}
	rest := b.add(part, "octets", at, end-at)
	rest.Value, rest.Columns = hexText(b.p[at:end]), r.rest
	if format == rawHeader {
		b.rawHeader(rest, at, end)
	}
}

const rawHeader = 1

// headerProtocols are the header protocols of a raw header (sFlow v5, section 5.3, header_protocol).
var headerProtocols = map[uint32]reader{1: packet.Ethernet, 11: packet.IP, 12: packet.IP, 13: packet.MPLS}

// rawHeader explains the packet behind the four words of a raw header, of which the first says how it
// begins, and the last how long it is.
func (b *builder) rawHeader(part *Part, at, end int) {
	protocol, length := binary.BigEndian.Uint32(b.p[at-16:]), binary.BigEndian.Uint32(b.p[at-4:])
	if read := headerProtocols[protocol]; read != nil {
		part.Name = "packet"
		b.packet(part, at, at+int(min(uint64(length), uint64(end-at))), read) //nolint:gosec // within the datagram
	}
}

// text writes the value of a field of a record.
func (f *fixed) text(p []byte) string {
	switch {
	case f.octets == 0:
		return addressText(p[4:])
	case strings.HasSuffix(f.name, "_ip") || f.octets == 16:
		return addressText(p)
	case f.octets > 8 || strings.HasSuffix(f.name, "_mac"):
		return hexText(p)
	default:
		return fmt.Sprint(unsigned(p))
	}
}

func formatText(format uint32) string {
	return fmt.Sprintf("enterprise %d format %d", format>>12, format&0xfff)
}
