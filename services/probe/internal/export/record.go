// SPDX-License-Identifier: Apache-2.0

package export

import (
	"encoding/binary"
	"time"

	"github.com/weirflow/weir/services/probe/internal/element"
	"github.com/weirflow/weir/services/probe/internal/meter"
)

// reversePEN marks elements of the other direction (RFC 5103 section 6.1).
const reversePEN = 29305

// Sets of templates.
const (
	templates9, options9   = 0, 1
	templates10, options10 = 2, 3
)

// octets of a record of the template.
func (t *Template) octets(version uint16, r *meter.Record) int {
	n := t.shape.Octets
	if at := t.shape.SectionAt; at >= 0 {
		n += len(r.Row) - at
	}
	switch {
	case t.selector == 0:
	case version == IPFIX:
		n += 8
	default:
		n++
	}
	return n
}

// appendTemplate appends the template record.
func (t *Template) append(b []byte, version uint16) []byte {
	be := binary.BigEndian
	fields := len(t.shape.Fields)
	if t.selector != 0 {
		fields++
	}
	b = be.AppendUint16(be.AppendUint16(b, t.id), uint16(fields))
	for i := range t.shape.Fields {
		f := &t.shape.Fields[i]
		if f.Reverse {
			b = be.AppendUint16(be.AppendUint16(b, f.ID|0x8000), f.Octets)
			b = be.AppendUint32(b, reversePEN)
			continue
		}
		b = be.AppendUint16(be.AppendUint16(b, f.ID), f.Announced())
	}
	switch {
	case t.selector == 0:
	case version == IPFIX:
		b = append(b, 302>>8, 302&0xff, 0, 8)
	default:
		b = append(b, 0, 48, 0, 1)
	}
	return b
}

// templateOctets bounds the length of a template record.
func (t *Template) templateOctets() int { return 8 + 8*len(t.shape.Fields) }

// appendRecord appends the values of r.
func (s *Stream) appendRecord(b []byte, r *meter.Record) []byte {
	for i := range r.Shape.Fields {
		f := &r.Shape.Fields[i]
		if f.Length == element.Variable {
			b = append(b, r.Row[f.At:]...)
			continue
		}
		if f.Value.OfPacket() {
			b = append(b, r.Row[f.At:f.At+int(f.Octets)]...)
			continue
		}
		counts := &r.Counts
		if f.Reverse {
			counts = &r.Reverse
		}
		b = element.AppendUint(b, s.value(f.Value, counts, r), f.Octets)
	}
	return b
}

// value is what a flow summed up.
func (s *Stream) value(v element.Value, c *meter.Counts, r *meter.Record) uint64 {
	switch v {
	case element.Octets:
		return c.Octets
	case element.Packets:
		return c.Packets
	case element.Layer2Octets:
		return c.Layer2Octets
	case element.TCPFlags:
		return uint64(c.TCPFlags)
	case element.MinTTL:
		return uint64(c.MinTTL)
	case element.MaxTTL:
		return uint64(c.MaxTTL)
	case element.MinLength:
		return uint64(c.MinLength)
	case element.MaxLength:
		return uint64(c.MaxLength)
	case element.EndReason:
		return uint64(r.EndReason)
	case element.FlowCount, element.BiflowDirection: // direction 1: of who sent first
		return 1
	case element.BootMillis:
		return uint64(s.cfg.Boot / 1e6)
	}
	return s.when(v, c)
}

// when is a time of a flow. A direction without packets has none.
func (s *Stream) when(v element.Value, c *meter.Counts) uint64 {
	if c.Packets == 0 {
		return 0
	}
	switch v {
	case element.StartUptime:
		return uint64((c.Start - s.cfg.Boot) / 1e6)
	case element.EndUptime:
		return uint64((c.End - s.cfg.Boot) / 1e6)
	case element.StartSeconds:
		return uint64(c.Start / 1e9)
	case element.EndSeconds:
		return uint64(c.End / 1e9)
	case element.StartMillis:
		return uint64(c.Start / 1e6)
	case element.EndMillis:
		return uint64(c.End / 1e6)
	case element.StartMicros, element.StartNanos:
		return element.NTP(c.Start)
	case element.EndMicros, element.EndNanos:
		return element.NTP(c.End)
	case element.DurationMicros:
		return uint64(time.Duration(c.End - c.Start).Microseconds())
	default:
		return uint64(time.Duration(c.End - c.Start).Milliseconds())
	}
}
