// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/template"
)

const (
	versionV9    = 9
	versionIPFIX = 10

	headerIPFIX = 16
	setHeader   = 4
	firstData   = 256
)

var (
	headV9 = []fixed{
		{name: "version", octets: 2},
		{name: "count", octets: 2},
		{name: "sys_uptime", octets: 4},
		{name: "unix_secs", octets: 4},
		{"sequence_number", 4, []string{"sequence_num"}},
		{"source_id", 4, []string{"observation_domain_id"}},
	}
	headIPFIX = []fixed{
		{name: "version", octets: 2},
		{name: "length", octets: 2},
		{name: "export_time", octets: 4},
		{"sequence_number", 4, []string{"sequence_num"}},
		{"observation_domain_id", 4, []string{"observation_domain_id"}},
	}
)

// message explains one message.
type message struct {
	*builder
	x        *Explainer
	exporter netip.Addr
	version  uint16
	domain   uint32
}

// message returns the message whose header ends at a place, with its domain.
func (x *Explainer) message(b *builder, exporter netip.Addr, version uint16, at int) *message {
	m := &message{b, x, exporter, version, binary.BigEndian.Uint32(b.p[at-4:])}
	b.lookup = m.template
	return m
}

// template returns a template of the domain, nil where it is not known.
func (m *message) template(id uint16) *template.Template {
	return m.x.templates[key{m.exporter, m.version, m.domain, id}]
}

func (x *Explainer) packetV9(b *builder, root *Part, exporter netip.Addr) {
	at, ok := b.header(root, 0, headV9)
	if !ok {
		return
	}
	x.message(b, exporter, versionV9, at).sets(root, at, len(b.p))
}

// messages explains IPFIX messages on end.
func (x *Explainer) messages(b *builder, root *Part, exporter netip.Addr) {
	for at := 0; at < len(b.p) && !b.full(); {
		if at != 0 && (len(b.p)-at < 2 || binary.BigEndian.Uint16(b.p[at:]) != versionIPFIX) {
			b.add(root, "octets behind the message", at, len(b.p)-at).wrong(refusal.LengthMismatch)
			return
		}
		part := b.add(root, "message", at, len(b.p)-at)
		next, ok := b.header(part, at, headIPFIX)
		if !ok {
			return
		}
		length := int(binary.BigEndian.Uint16(b.p[at+2:]))
		if length < headerIPFIX || length > len(b.p)-at {
			part.wrong(refusal.LengthMismatch)
			length = len(b.p) - at
		}
		part.Octets = length
		x.message(b, exporter, versionIPFIX, next).sets(part, next, at+length)
		at += length
	}
}

// sets explains the sets between two places.
func (m *message) sets(parent *Part, at, end int) {
	for end-at >= setHeader && !m.full() {
		id, length := binary.BigEndian.Uint16(m.p[at:]), int(binary.BigEndian.Uint16(m.p[at+2:]))
		if id == 0 && length == 0 {
			m.add(parent, "padding", at, end-at)
			return
		}
		set := m.add(parent, fmt.Sprintf("set %d", id), at, length)
		if length < setHeader {
			set.wrong(refusal.SetMalformed)
			return
		}
		if length > end-at {
			set.wrong(refusal.SetTruncated)
			length = end - at
		}
		m.set(set, id, at+setHeader, at+length)
		at += length
	}
}

func (m *message) set(set *Part, id uint16, at, end int) {
	v9 := m.version == versionV9
	switch {
	case id >= firstData:
		set.Name = fmt.Sprintf("data set %d", id)
		m.data(set, id, at, end)
	case v9 && id == 0, !v9 && id == 2:
		set.Name = fmt.Sprintf("template set %d", id)
		m.templates(set, at, end)
	case v9 && id == 1, !v9 && id == 3:
		set.Name = fmt.Sprintf("options template set %d", id)
		m.optionsTemplates(set, at, end)
	default:
		set.wrong(refusal.SetReserved)
	}
}

// data explains the records of a data set.
func (m *message) data(set *Part, id uint16, at, end int) {
	t := m.template(id)
	if t == nil {
		set.Value = hexText(m.p[at:end])
		set.wrong(refusal.TemplateUnknown)
		return
	}
	name := "record"
	if t.Options {
		name = "options record"
	}
	for i := 0; end-at >= minLength(t) && !m.full(); i++ {
		record := m.add(set, fmt.Sprintf("%s %d", name, i), at, 0)
		next := m.fields(record, t.Fields, at, end)
		if next < 0 {
			record.wrong(refusal.RecordMalformed)
			return
		}
		record.Octets = next - at
		at = next
	}
	if at < end {
		m.add(set, "padding", at, end-at)
	}
}
