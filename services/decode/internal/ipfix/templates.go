// SPDX-License-Identifier: Apache-2.0

package ipfix

import (
	"encoding/binary"

	"github.com/weirflow/weir/services/decode/internal/ie"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/template"
)

const (
	enterpriseBit = 0x8000
	fieldV9       = 4 // octets of a field specifier
)

// templates learns the templates of a template set (RFC 3954 §5.2, RFC 7011 §3.4.1).
func (d *Decoder) templates(p []byte) {
	for len(p) >= 4 {
		id, count := binary.BigEndian.Uint16(p), int(binary.BigEndian.Uint16(p[2:]))
		if id == 0 && count == 0 {
			return // padding
		}
		p = p[4:]
		if count == 0 {
			d.fieldless(id)
			continue
		}
		if p = d.specifiers(p, count); p == nil {
			return
		}
		d.learn(&template.Template{ID: id, Fields: d.fields})
	}
}

// fieldless refuses a template without fields. In IPFIX it is a withdrawal, which over UDP is
// ignored (RFC 7011 §8.4): the definition stays.
func (d *Decoder) fieldless(id uint16) {
	withdrawal := id >= firstData || id == templatesIPFIX || id == optionsIPFIX
	if d.version == versionIPFIX && withdrawal {
		d.w.Refuse(refusal.TemplateWithdrawn)
		return
	}
	d.w.Refuse(refusal.TemplateEmpty)
}

// optionsIPFIX learns the templates of an options template set (RFC 7011 §3.4.2).
func (d *Decoder) optionsIPFIX(p []byte) {
	for len(p) >= 4 {
		id, count := binary.BigEndian.Uint16(p), int(binary.BigEndian.Uint16(p[2:]))
		if id == 0 && count == 0 {
			return // padding
		}
		if count == 0 { // a withdrawal has no scope count
			d.fieldless(id)
			p = p[4:]
			continue
		}
		if len(p) < 6 {
			d.w.Refuse(refusal.TemplateMalformed)
			return
		}
		scope := binary.BigEndian.Uint16(p[4:])
		if p = d.specifiers(p[6:], count); p == nil {
			return
		}
		d.learn(&template.Template{ID: id, Options: true, Scope: scope, Fields: d.fields})
	}
}

// optionsV9 learns the templates of an options template flow set, which says the octets of
// its field specifiers (RFC 3954 §6.1).
func (d *Decoder) optionsV9(p []byte) {
	for len(p) >= 6 {
		id := binary.BigEndian.Uint16(p)
		scope, options := int(binary.BigEndian.Uint16(p[2:])), int(binary.BigEndian.Uint16(p[4:]))
		if id == 0 && scope|options == 0 {
			return // padding
		}
		p = p[6:]
		if (scope|options)%fieldV9 != 0 || scope+options > len(p) {
			d.w.Refuse(refusal.TemplateMalformed)
			return
		}
		if scope+options == 0 {
			d.fieldless(id)
			continue
		}
		scopes := scope / fieldV9
		if p = d.specifiers(p, scopes+options/fieldV9); p == nil {
			return
		}
		for i := range min(scopes, len(d.fields)) {
			d.fields[i].PEN = template.ScopePEN
		}
		d.learn(&template.Template{ID: id, Options: true, Scope: uint16(scopes), Fields: d.fields}) //nolint:gosec // of 16 bits
	}
}

// specifiers reads count field specifiers into d.fields and returns what follows; nil when p
// ends before they do. Of more than the greatest limit it keeps one more, to be refused.
func (d *Decoder) specifiers(p []byte, count int) []byte {
	d.fields = d.fields[:0]
	for range count {
		if len(p) < 4 {
			d.w.Refuse(refusal.TemplateMalformed)
			return nil
		}
		f := template.Field{Element: ie.Element{ID: binary.BigEndian.Uint16(p)}, Length: binary.BigEndian.Uint16(p[2:])}
		p = p[4:]
		if d.version == versionIPFIX && f.ID&enterpriseBit != 0 {
			if len(p) < 4 {
				d.w.Refuse(refusal.TemplateMalformed)
				return nil
			}
			f.ID &^= enterpriseBit
			f.PEN = binary.BigEndian.Uint32(p)
			p = p[4:]
		}
		if len(d.fields) <= template.MaxFields {
			d.fields = append(d.fields, f)
		}
	}
	return p
}

func (d *Decoder) learn(t *template.Template) {
	if t.ID < firstData {
		d.w.Refuse(refusal.TemplateMalformed)
		return
	}
	if d.x.Learn(d.domain, t, &d.w.Refused) {
		d.Learned++
	}
	if known := d.domain.Template(t.ID); known != nil && d.Known != nil {
		d.Known(d.header, known)
	}
}
