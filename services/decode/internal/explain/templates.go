// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"

	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/template"
)

func minLength(t *template.Template) int { return template.MinLength(t.Fields) }

// templates explains a template set, and learns its templates.
func (m *message) templates(set *Part, at, end int) {
	for end-at >= 4 && !m.full() {
		id, count := binary.BigEndian.Uint16(m.p[at:]), int(binary.BigEndian.Uint16(m.p[at+2:]))
		if id == 0 && count == 0 {
			m.add(set, "padding", at, end-at)
			return
		}
		part := m.add(set, fmt.Sprintf("template %d", id), at, 4)
		part.Value = fmt.Sprintf("%d fields", count)
		if at += 4; count == 0 {
			m.fieldless(part, id)
			continue
		}
		t := &template.Template{ID: id}
		if at = m.specifiers(part, t, at, end, count); at < 0 {
			return
		}
		m.learn(part, t)
	}
}

// fieldless says what is wrong with a template without fields: in IPFIX it is a withdrawal.
func (m *message) fieldless(part *Part, id uint16) {
	if m.version == versionIPFIX && (id >= firstData || id == 2 || id == 3) {
		part.wrong(refusal.TemplateWithdrawn)
		return
	}
	part.wrong(refusal.TemplateEmpty)
}

// optionsTemplates explains an options template set, and learns its templates.
func (m *message) optionsTemplates(set *Part, at, end int) {
	for at >= 0 && end-at >= 4 && !m.full() {
		id, first := binary.BigEndian.Uint16(m.p[at:]), binary.BigEndian.Uint16(m.p[at+2:])
		switch {
		case m.version == versionIPFIX && id != 0 && first == 0: // a withdrawal has no scope count
			m.fieldless(m.add(set, fmt.Sprintf("options template %d", id), at, 4), id)
			at += 4
		case id == 0 && first == 0 && (m.version == versionIPFIX || end-at < 6 || unsigned(m.p[at+4:at+6]) == 0):
			m.add(set, "padding", at, end-at)
			return
		case end-at >= 6:
			at = m.optionsTemplate(set, id, at, end)
		default:
			if m.version == versionIPFIX {
				m.add(set, fmt.Sprintf("options template %d", id), at, end-at).wrong(refusal.TemplateMalformed)
			}
			return
		}
	}
}

// optionsTemplate explains an options template and returns the place behind it, less than 0 where
// the set ends before. NetFlow v9 counts octets of specifiers, IPFIX counts fields.
func (m *message) optionsTemplate(set *Part, id uint16, at, end int) int {
	part := m.add(set, fmt.Sprintf("options template %d", id), at, 6)
	first, second := int(binary.BigEndian.Uint16(m.p[at+2:])), int(binary.BigEndian.Uint16(m.p[at+4:]))
	count, scopes := first, second
	if m.version == versionV9 {
		if (first+second)%4 != 0 || first+second > end-at-6 {
			part.wrong(refusal.TemplateMalformed)
			return -1
		}
		count, scopes = (first+second)/4, first/4
	}
	part.Value = fmt.Sprintf("%d fields, %d of them scope", count, scopes)
	if at += 6; count == 0 {
		m.fieldless(part, id)
		return at
	}
	t := &template.Template{ID: id, Options: true, Scope: uint16(scopes)} //nolint:gosec // of 16 bits
	if at = m.specifiers(part, t, at, end, count); at >= 0 {
		m.learn(part, t)
	}
	return at
}

// specifiers explains the field specifiers of a template and returns the place behind them, less
// than 0 where the set ends before.
func (m *message) specifiers(part *Part, t *template.Template, at, end, count int) int {
	for i := range count {
		f, size, ok := specifier(m.p[at:end], m.version == versionIPFIX)
		if !ok {
			part.wrong(refusal.TemplateMalformed)
			return -1
		}
		if m.version == versionV9 && i < int(t.Scope) {
			f.PEN = template.ScopePEN
		}
		spec := m.add(part, nameOf(f), at, size)
		spec.Value, spec.Columns = lengthText(f), columnsOf(t, f)
		if len(t.Fields) <= template.MaxFields {
			t.Fields = append(t.Fields, f)
		}
		at += size
		part.Octets += size
	}
	return at
}

// specifier reads a field specifier (RFC 7011 §3.2) and tells its octets; ok is false where it is cut.
func specifier(p []byte, enterprises bool) (f template.Field, size int, ok bool) {
	if len(p) < 4 {
		return f, 0, false
	}
	f.ID, f.Length = binary.BigEndian.Uint16(p), binary.BigEndian.Uint16(p[2:])
	if !enterprises || f.ID&0x8000 == 0 {
		return f, 4, true
	}
	if len(p) < 8 {
		return f, 0, false
	}
	f.ID &= 0x7fff
	f.PEN = binary.BigEndian.Uint32(p[4:])
	return f, 8, true
}

func lengthText(f template.Field) string {
	if f.Length == template.Variable {
		return "variable length"
	}
	return fmt.Sprintf("%d octets", f.Length)
}

// Restore learns the templates in the state of an exporter, as decode keeps it.
func (x *Explainer) Restore(exporter netip.Addr, state []byte) error {
	const most = 1 << 16 // decode had its own limits
	limits := template.Limits{Domains: most, Templates: most, Fields: template.MaxFields, Samplers: most, Names: most}
	known, err := template.Load(state, limits, &template.Budget{Left: math.MaxInt})
	if err != nil {
		return err
	}
	known.Templates(func(version uint16, domain uint32, t *template.Template) bool {
		return x.keep(key{exporter, version, domain, t.ID}, t)
	})
	return nil
}

// keep keeps a template; false says that there is no room for more.
func (x *Explainer) keep(k key, t *template.Template) bool {
	if x.templates == nil {
		x.templates = make(map[key]*template.Template)
	}
	if len(x.templates) >= maxTemplates && x.templates[k] == nil {
		return false
	}
	x.templates[k] = t
	return true
}

// learn keeps a template for the data that follows.
func (m *message) learn(part *Part, t *template.Template) {
	k := key{m.exporter, m.version, m.domain, t.ID}
	switch {
	case t.ID < firstData:
		part.wrong(refusal.TemplateMalformed)
	case minLength(t) == 0:
		part.wrong(refusal.TemplateEmpty)
	case len(t.Fields) > template.MaxFields || !m.x.keep(k, t):
		part.wrong(refusal.TemplateLimit)
	}
}
