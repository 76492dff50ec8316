// SPDX-License-Identifier: Apache-2.0

package export

import (
	"encoding/binary"
	"math"

	"github.com/weirflow/weir/services/probe/internal/meter"
)

// Sampling is a selection process that does not take all packets.
type Sampling struct {
	ID       uint64 // selectorId, samplerId
	Selector *meter.Selector
}

// options is an options template with its records.
type options struct {
	id      uint16
	scope   field
	fields  []field
	records [][]byte
}

type field struct{ id, octets uint16 }

// optionsOf makes what the exporter tells of itself.
func optionsOf(cfg Config) []options {
	var all []options
	add := func(scope field, fields []field, records ...[]byte) {
		all = append(all, options{firstTemplate + uint16(len(all)), scope, fields, records})
	}
	for _, sampling := range cfg.Samplings {
		switch {
		case cfg.Version == IPFIX:
			fields, record := selectorOptions(sampling)
			add(field{302, 8}, fields, record)
		case sampling.Selector.OneIn() > 0:
			add(field{scopeSystem, 4}, []field{{48, 1}, {49, 1}, {50, 4}}, samplerRecord(cfg.Domain, sampling))
		}
	}
	const nameOctets = 16 // IFNAMSIZ
	var names [][]byte
	for _, i := range cfg.Interfaces {
		var name [nameOctets]byte
		copy(name[:], i.Name)
		names = append(names, append(binary.BigEndian.AppendUint32(nil, i.Index), name[:]...))
	}
	if len(names) > 0 {
		scope := field{10, 4}
		if cfg.Version == NetFlow9 {
			scope.id = scopeInterface
		}
		add(scope, []field{{82, nameOctets}}, names...)
	}
	return all
}

// Scopes of NetFlow v9 (RFC 3954 section 6.1).
const (
	scopeSystem    = 1
	scopeInterface = 2
)

// selectorOptions are those of RFC 5477 section 8.2 for the method.
func selectorOptions(s Sampling) ([]field, []byte) {
	be := binary.BigEndian
	sel := s.Selector
	b := be.AppendUint16(be.AppendUint64(nil, s.ID), uint16(sel.Method))
	fields := []field{{304, 2}}
	pair := func(id uint16, x, y uint32) {
		fields = append(fields, field{id, 4}, field{id + 1, 4})
		b = be.AppendUint32(be.AppendUint32(b, x), y)
	}
	switch sel.Method {
	case meter.CountBased:
		pair(305, sel.Interval, sel.Space)
	case meter.TimeBased:
		pair(307, uint32(sel.TimeInterval.Microseconds()), uint32(sel.TimeSpace.Microseconds()))
	case meter.RandomOfN:
		pair(309, sel.Size, sel.Population)
	case meter.Uniform:
		fields = append(fields, field{311, 8})
		b = be.AppendUint64(b, math.Float64bits(sel.Probability))
	}
	return fields, b
}

// samplerRecord tells 1 in N (Cisco): sampler, mode, interval.
func samplerRecord(domain uint32, s Sampling) []byte {
	const deterministic, random = 1, 2
	mode := byte(random)
	if s.Selector.Method == meter.CountBased {
		mode = deterministic
	}
	b := append(binary.BigEndian.AppendUint32(nil, domain), byte(s.ID), mode)
	return binary.BigEndian.AppendUint32(b, uint32(math.Round(s.Selector.OneIn())))
}

// append appends the options template record.
func (o *options) append(b []byte, version uint16) []byte {
	be := binary.BigEndian
	b = be.AppendUint16(b, o.id)
	if version == NetFlow9 { // octets of the scope's and the other specifications
		b = be.AppendUint16(be.AppendUint16(b, 4), uint16(4*len(o.fields)))
	} else { // fields, of them scopes
		b = be.AppendUint16(be.AppendUint16(b, uint16(1+len(o.fields))), 1)
	}
	for _, f := range append([]field{o.scope}, o.fields...) {
		b = be.AppendUint16(be.AppendUint16(b, f.id), f.octets)
	}
	return b
}

// tell appends all templates, then the options.
func (s *Stream) tell(now int64) {
	templates, optionTemplates := uint16(templates10), uint16(options10)
	if s.cfg.Version == NetFlow9 {
		templates, optionTemplates = templates9, options9
	}
	for _, t := range s.templates {
		s.room(now, templates, t.templateOctets())
		s.buf = t.append(s.buf, s.cfg.Version)
		s.records++
	}
	for i := range s.options {
		o := &s.options[i]
		s.room(now, optionTemplates, 14+4*len(o.fields))
		s.buf = o.append(s.buf, s.cfg.Version)
		s.records++
	}
	for i := range s.options {
		o := &s.options[i]
		for _, record := range o.records {
			s.room(now, o.id, len(record))
			s.buf = append(s.buf, record...)
			s.records++
			s.data++
		}
	}
}
