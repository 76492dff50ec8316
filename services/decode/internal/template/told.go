// SPDX-License-Identifier: Apache-2.0

package template

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"github.com/weirflow/weir/services/decode/internal/ie"
)

// Told is what an exporter told, for people.
type Told struct {
	Domains      []ToldDomain `json:"domains"`
	Interfaces   []ToldName   `json:"interfaces,omitempty"`
	VRFs         []ToldName   `json:"vrfs,omitempty"`
	Applications []ToldName   `json:"applications,omitempty"`
}

// ToldDomain is what an exporter told about one observation domain.
type ToldDomain struct {
	Version           uint16         `json:"version"`
	ObservationDomain uint32         `json:"observation_domain"`
	SamplingInterval  uint64         `json:"sampling_interval,omitempty"` // of the last sampler
	Samplers          []ToldSampling `json:"samplers,omitempty"`
	Interfaces        []ToldSampling `json:"interfaces,omitempty"` // with a sampling interval of their own
	Address           netip.Addr     `json:"address,omitzero"`     // that the exporter says it has
	Templates         []ToldTemplate `json:"templates"`
}

// ToldSampling is the interval of a sampler or interface.
type ToldSampling struct {
	ID       uint64 `json:"id"`
	Interval uint64 `json:"interval"`
}

// ToldTemplate is a template.
type ToldTemplate struct {
	ID      uint16      `json:"id"`
	Options bool        `json:"options,omitempty"`
	Scope   uint16      `json:"scope_fields,omitempty"`
	Fields  []ToldField `json:"fields"`
}

// ToldField is a field of a template. Its name is empty where the element is unknown, or says what
// the records of an options template are about.
type ToldField struct {
	Name   string `json:"name,omitempty"`
	PEN    uint32 `json:"enterprise,omitempty"`
	ID     uint16 `json:"element"`
	Length uint16 `json:"length"` // 65535: each record says it
}

// ToldName is how an exporter calls something.
type ToldName struct {
	Number      uint64 `json:"number"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// Tell returns what the exporter told.
func (x *Exporter) Tell() Told {
	t := Told{
		Domains: []ToldDomain{}, Interfaces: x.names[interfaces].tell(),
		VRFs: x.names[vrfs].tell(), Applications: x.names[applications].tell(),
	}
	for _, d := range x.domains {
		t.Domains = append(t.Domains, d.tell())
	}
	return t
}

func (d *Domain) tell() ToldDomain {
	t := ToldDomain{
		Version: d.version, ObservationDomain: d.id, SamplingInterval: d.rate, Address: d.address,
		Samplers: tellSamplers(d.samplers), Interfaces: tellSamplers(d.ports), Templates: []ToldTemplate{},
	}
	for _, id := range slices.Sorted(maps.Keys(d.templates)) {
		t.Templates = append(t.Templates, d.templates[id].tell())
	}
	return t
}

func (t *Template) tell() ToldTemplate {
	told := ToldTemplate{ID: t.ID, Options: t.Options, Scope: t.Scope}
	for _, f := range t.Fields {
		field := ToldField{Name: ie.Name(f.Element), PEN: f.PEN, ID: f.ID, Length: f.Length}
		if f.PEN == ScopePEN {
			field.PEN = 0
		}
		told.Fields = append(told.Fields, field)
	}
	return told
}

func tellSamplers(all []sampler) (told []ToldSampling) {
	for _, s := range all {
		told = append(told, ToldSampling{ID: s.id, Interval: s.rate})
	}
	return told
}

func (s *labels) tell() (told []ToldName) {
	for _, e := range s.all {
		told = append(told, ToldName{Number: e.number, Name: e.name, Description: e.description})
	}
	slices.SortFunc(told, func(a, b ToldName) int { return cmp.Compare(a.Number, b.Number) })
	return told
}
