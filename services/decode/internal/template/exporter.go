// SPDX-License-Identifier: Apache-2.0

package template

import (
	"net/netip"

	"github.com/weirflow/weir/services/decode/internal/health"
	"github.com/weirflow/weir/services/decode/internal/ie"
	"github.com/weirflow/weir/services/decode/internal/refusal"
)

// Limits bound what one exporter can make us keep.
type Limits struct {
	Domains   int // observation domains, of all versions
	Templates int // of all domains
	Fields    int // of a template, at most MaxFields
	Samplers  int // of all domains, and interfaces with a sampling interval of their own
	Names     int // of interfaces, VRFs and applications
	// LifetimeNs is how long a template holds that does not come again, 0 for ever.
	LifetimeNs uint64
	// Elements are used beside those of the table.
	Elements ie.Mapping
}

// maxFields bounds the fields of all templates of an exporter, and with them the length of
// its state.
const maxFields = 16384

// Budget is the memory that exporters share, about.
type Budget struct {
	Left int // octets
}

// What things take, about, with what is compiled of them.
const (
	exporterOctets = 640
	domainOctets   = 640
	templateOctets = 256
	fieldOctets    = 32
	samplerOctets  = 16
	nameOctets     = 192
)

// take tells whether n octets were left, and takes them.
func (b *Budget) take(n int) bool {
	if n > b.Left {
		return false
	}
	b.Left -= n
	return true
}

// Exporter is what one exporter told.
type Exporter struct {
	budget    *Budget
	limits    Limits
	domains   []*Domain
	templates int
	fields    int // of all templates
	samplers  int
	names     [numKinds]labels
	named     int // names
	texts     int // octets of them, about
	changed   bool

	// Account is of what belongs to no domain.
	Account health.Account

	// nowNs is the receive time of the datagram that is decoded.
	nowNs uint64
}

// Domain is what one exporter told about one observation domain (NetFlow v9: source id).
// Protocols without templates have domains too, for their accounts.
type Domain struct {
	Account health.Account

	version   uint16
	id        uint32
	templates map[uint16]*Template
	samplers  []sampler  // by id
	ports     []sampler  // interfaces with a sampling interval of their own, by ifIndex
	rate      uint64     // of the last sampler told of
	initMs    uint64     // Unix ms at which the exporter started, 0 unknown
	address   netip.Addr // that the exporter says it has
}

// New returns an exporter that told nothing yet, nil where the budget does not allow for it.
func New(limits Limits, budget *Budget) *Exporter {
	if !budget.take(exporterOctets) {
		return nil
	}
	return &Exporter{limits: limits, budget: budget}
}

// Forget drops all that the exporter told, and gives its memory back to the others.
func (x *Exporter) Forget() {
	x.budget.Left += exporterOctets + len(x.domains)*domainOctets +
		x.templates*templateOctets + x.fields*fieldOctets + x.samplers*samplerOctets + x.texts
	for _, d := range x.domains {
		x.budget.Left += d.Account.Sources.Octets()
	}
	*x = Exporter{limits: x.limits, budget: &Budget{}}
}

// Empty tells whether the exporter told nothing, or all is forgotten.
func (x *Exporter) Empty() bool { return len(x.domains) == 0 }

// At says when the datagram came that is decoded next, Unix ns.
func (x *Exporter) At(ns uint64) { x.nowNs = max(x.nowNs, ns) }

// Domain returns a domain, new if need be; nil beyond the limit.
func (x *Exporter) Domain(version uint16, id uint32) *Domain {
	for _, d := range x.domains {
		if d.id == id && d.version == version {
			return d
		}
	}
	if len(x.domains) >= x.limits.Domains || !x.budget.take(domainOctets) {
		return nil
	}
	d := &Domain{version: version, id: id}
	d.Account.Sources.Left = &x.budget.Left
	x.domains = append(x.domains, d)
	return d
}

// Changed tells whether there is something new to keep since the last call.
func (x *Exporter) Changed() bool {
	changed := x.changed
	x.changed = false
	return changed
}

// InitMs returns when the exporter started, Unix ms, 0 where it is unknown.
func (d *Domain) InitMs() uint64 {
	if d == nil {
		return 0
	}
	return d.initMs
}

// Template returns a template, nil where there is none.
func (d *Domain) Template(id uint16) *Template { return d.templates[id] }

// Template returns a template of the domain, nil where there is none, or none any more: over UDP
// a template that does not come again expires (RFC 7011 §8.4).
func (x *Exporter) Template(d *Domain, id uint16, refused *refusal.Counts) *Template {
	t := d.templates[id]
	if t == nil || x.limits.LifetimeNs == 0 {
		return t
	}
	if t.seenNs == 0 { // restored: it has its time from now on
		t.seenNs = x.nowNs
	}
	if x.nowNs-t.seenNs <= x.limits.LifetimeNs {
		return t
	}
	refused.Add(refusal.TemplateExpired)
	delete(d.templates, id)
	x.templates--
	x.fields -= len(t.Fields)
	x.budget.Left += cost(t)
	x.changed = true
	return nil
}

// Templates calls f for each template that is known, until it returns false.
func (x *Exporter) Templates(f func(version uint16, domain uint32, t *Template) bool) {
	for _, d := range x.domains {
		for _, t := range d.templates {
			if !f(d.version, d.id, t) {
				return
			}
		}
	}
}

// Learn keeps a template; it copies the fields. A definition replaces an earlier one of the
// same id from its place in the stream on. It tells whether the template is new or changed.
func (x *Exporter) Learn(d *Domain, t *Template, refused *refusal.Counts) bool {
	old := d.templates[t.ID]
	if old != nil && old.equal(t) {
		old.seenNs = x.nowNs
		return false
	}
	switch n := MinLength(t.Fields); {
	case n == 0:
		refused.Add(refusal.TemplateEmpty)
	case n > maxRecord || len(t.Fields) > x.limits.Fields || x.fields+len(t.Fields) > maxFields,
		old == nil && x.templates >= x.limits.Templates,
		!x.budget.take(cost(t) - cost(old)):
		refused.Add(refusal.TemplateLimit)
	default:
		x.put(d, t)
		x.changed = true
		return true
	}
	return false
}

// cost returns what a template takes, 0 for none.
func cost(t *Template) int {
	if t == nil {
		return 0
	}
	return templateOctets + fieldOctets*len(t.Fields)
}

// maxRecord is what a datagram can hold.
const maxRecord = 65535

func (x *Exporter) put(d *Domain, t *Template) {
	kept := &Template{ID: t.ID, Options: t.Options, Scope: t.Scope, Fields: append([]Field(nil), t.Fields...), seenNs: x.nowNs}
	if !t.Options {
		kept.Plan = Compile(kept.Fields, x.limits.Elements)
		kept.Reverse = compileReverse(kept.Fields, x.limits.Elements)
	}
	if d.templates == nil {
		d.templates = make(map[uint16]*Template)
	}
	if old := d.templates[t.ID]; old != nil {
		x.fields -= len(old.Fields)
	} else {
		x.templates++
	}
	x.fields += len(t.Fields)
	d.templates[t.ID] = kept
}
