// SPDX-License-Identifier: Apache-2.0

package sflow

import (
	"encoding/binary"
	"strings"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/refusal"
)

// Source types of a counters sample (sFlow v5, section 5.3).
const sourceInterface = 0

// agent is what the header of a datagram says of who counts.
type agent struct {
	subAgent, uptimeMs uint32
}

// source is the head of a counters sample.
type source struct {
	number, kind, index, records uint32
}

// counters decodes a counters sample: its records of interfaces become a row, and so do those of
// hosts; each record of a VLAN is one.
func (d *Decoder) counters(expanded bool, p []byte) {
	s, p := sourceOf(expanded, p)
	if p == nil {
		d.w.Refuse(refusal.SampleMalformed)
		return
	}
	d.interfaces.begin(d, s)
	d.hosts.begin(d, s)
	for ; s.records > 0; s.records-- {
		if len(p) < 8 {
			d.w.Refuse(refusal.RecordMalformed)
			break
		}
		format, length := binary.BigEndian.Uint32(p), uint64(binary.BigEndian.Uint32(p[4:]))
		p = p[8:]
		cut := length > uint64(len(p))
		if cut {
			length = uint64(len(p))
		}
		if cut || !d.counterRecord(s, format, p[:length]) {
			d.w.Refuse(refusal.RecordMalformed)
		}
		if p = p[length:]; cut {
			break
		}
	}
	d.interfaces.nameIndex(s)
	d.interfaces.end(d.Counters)
	d.hosts.end(d.Counters)
}

// sourceOf reads the head of a counters_sample or of an expanded one, whose source has its type
// apart. What follows is nil if it is cut.
func sourceOf(expanded bool, p []byte) (source, []byte) {
	head := 12
	if expanded {
		head = 16
	}
	if len(p) < head {
		return source{}, nil
	}
	s := source{number: binary.BigEndian.Uint32(p), records: binary.BigEndian.Uint32(p[head-4:])}
	if expanded {
		s.kind, s.index = binary.BigEndian.Uint32(p[4:]), binary.BigEndian.Uint32(p[8:])
	} else {
		s.kind, s.index = uint32(p[4]), binary.BigEndian.Uint32(p[4:])&0xffffff
	}
	return s, p[head:]
}

// counterRecord takes a counter record in; false says that it is too short.
func (d *Decoder) counterRecord(s source, format uint32, p []byte) bool {
	switch format {
	case portName:
		name, rest := stringOf(p)
		if rest != nil {
			d.interfaces.setText("if_name", name)
		}
		return rest != nil
	case hostDescription:
		return d.describe(p)
	case transceiver:
		return d.lanes(s, p)
	case hostAdapters:
		return true // which interfaces it has, without a counter
	}
	l, known := counterLayouts[format]
	if !known {
		d.w.Refuse(refusal.CounterUnknown)
		return true
	}
	switch l.table {
	case flow.InterfaceCounters:
		return d.interfaces.read(l, p)
	case flow.HostCounters:
		return d.hosts.read(l, p)
	default:
		d.others.table = l.table
		d.others.begin(d, s)
		ok := d.others.read(l, p)
		d.others.end(d.Counters)
		return ok
	}
}

// lanes reads a record of a transceiver into a row for each lane.
func (d *Decoder) lanes(s source, p []byte) bool {
	const head, octets = 16, 40 // of the module, and of a lane
	if len(p) < head+4 {
		return false
	}
	count, lanes := binary.BigEndian.Uint32(p[head:]), p[head+4:]
	for ; count > 0 && len(lanes) >= octets; count-- {
		d.others.table = flow.OpticalCounters
		d.others.begin(d, s)
		d.others.read(d.module, p)
		d.others.read(d.lane, lanes)
		d.others.end(d.Counters)
		lanes = lanes[octets:]
	}
	return count == 0
}

// describe reads a host_descr: name, UUID, kind of machine, operating system and its release.
func (d *Decoder) describe(p []byte) bool {
	name, p := stringOf(p)
	if len(p) < 24 {
		return false
	}
	release, rest := stringOf(p[24:])
	d.hosts.setText("host_name", name)
	d.hosts.setText("uuid", uuid(p))
	d.hosts.setText("os_release", release)
	d.hosts.setNumber("machine_type", uint64(binary.BigEndian.Uint32(p[16:])))
	d.hosts.setNumber("os_name", uint64(binary.BigEndian.Uint32(p[20:])))
	return rest != nil
}

// maxName bounds the octets that are kept of a name.
const maxName = 255

// stringOf reads a string and returns what follows, nil if it is cut.
func stringOf(p []byte) (string, []byte) {
	n := stringOctets(p)
	if n < 0 {
		return "", nil
	}
	s := p[4 : 4+min(int(binary.BigEndian.Uint32(p)), maxName)]
	return strings.ToValidUTF8(string(s), "\uFFFD"), p[min(n, len(p)):]
}

// uuid writes 16 octets as RFC 9562 has them, nothing where all are 0.
func uuid(p []byte) string {
	if [16]byte(p) == [16]byte{} {
		return ""
	}
	const digits = "0123456789abcdef"
	s := make([]byte, 0, 36)
	for i, octet := range p[:16] {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			s = append(s, '-')
		}
		s = append(s, digits[octet>>4], digits[octet&15])
	}
	return string(s)
}
