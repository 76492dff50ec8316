// SPDX-License-Identifier: Apache-2.0

package template

import (
	"net/netip"

	"github.com/weirflow/weir/services/decode/internal/refusal"
)

// Elements of options data that are kept, beside those of parameters.
const (
	ingressInterface       = 10
	egressInterface        = 14
	interfaceName          = 82
	interfaceDescription   = 83
	applicationDescription = 94
	applicationID          = 95
	applicationName        = 96
	exporterIPv4Address    = 130
	exporterIPv6Address    = 131
	systemInit             = 160 // systemInitTimeMilliseconds
	ingressVRFID           = 234
	vrfName                = 236
)

// scopeInterface is the scope type of NetFlow v9 that is an ifIndex (RFC 3954 §6.1).
const scopeInterface = 2

// facts are what a record of options data tells.
type facts struct {
	parameters

	initMs  uint64
	address netip.Addr
	// keys are the numbers that names are of, and labels the names; by kind.
	keys   [numKinds]uint64
	labels [numKinds]label
}

// Options reads one record of options data, with which data begins, into what is known of the
// domain and returns its octets; 0 when data ends before the record does.
func (x *Exporter) Options(d *Domain, t *Template, data []byte, refused *refusal.Counts) int {
	var told facts
	n := t.Walk(data, func(i int, f Field, octets []byte) { told.field(f, i < int(t.Scope), octets) })
	if n != 0 {
		x.keep(d, &told, refused)
	}
	return n
}

// Walk calls take with the octets of each field of the record with which data begins, and returns
// the record's octets; 0 when data ends before the record does.
func (t *Template) Walk(data []byte, take func(i int, f Field, octets []byte)) int {
	at := 0
	for i, f := range t.Fields {
		size := int(f.Length)
		if f.Length == Variable {
			var head int
			if head, size = variable(data, at); head == 0 {
				return 0
			}
			at += head
		}
		if at+size > len(data) {
			return 0
		}
		take(i, f, data[at:at+size])
		at += size
	}
	return at
}

// field takes what is of use in a field; scope says that the record tells about it.
func (f *facts) field(field Field, scope bool, b []byte) {
	if len(b) == 0 {
		return
	}
	if field.PEN == ScopePEN && field.ID == scopeInterface && len(b) <= 8 {
		f.iface(number(b), true)
	}
	if field.PEN != 0 {
		return
	}
	if text := f.text(field.ID); text != nil {
		*text = textOf(b)
		return
	}
	switch field.ID {
	case exporterIPv4Address, exporterIPv6Address:
		if a, ok := netip.AddrFromSlice(b); ok && !a.IsUnspecified() {
			f.address = a
		}
	default:
		if len(b) <= 8 {
			f.number(field.ID, scope, number(b))
		}
	}
}

// text returns where a name belongs, nil where the element is none.
func (f *facts) text(id uint16) *string {
	switch id {
	case interfaceName:
		return &f.labels[interfaces].name
	case interfaceDescription:
		return &f.labels[interfaces].description
	case vrfName:
		return &f.labels[vrfs].name
	case applicationName:
		return &f.labels[applications].name
	case applicationDescription:
		return &f.labels[applications].description
	}
	return nil
}

func (f *facts) number(id uint16, scope bool, v uint64) {
	switch id {
	case ingressInterface, egressInterface:
		f.iface(v, scope)
	case ingressVRFID:
		f.keys[vrfs] = v
	case applicationID:
		f.keys[applications] = v
	case systemInit:
		f.initMs = v
	default:
		f.set(id, v)
	}
}

// iface notes the interface that the record is of: the first that it has.
func (f *facts) iface(index uint64, scope bool) {
	if index != 0 && f.keys[interfaces] == 0 {
		f.keys[interfaces], f.ofInterface = index, scope
	}
}

// keep takes the facts over.
func (x *Exporter) keep(d *Domain, told *facts, refused *refusal.Counts) {
	changed, beyond := x.learn(d, told)
	if beyond {
		refused.Add(refusal.SamplerLimit)
	}
	if told.initMs != 0 && told.initMs != d.initMs {
		d.initMs, changed = told.initMs, true
	}
	if told.address.IsValid() && told.address != d.address {
		d.address, changed = told.address, true
	}
	for kind := range told.labels {
		fresh, beyond := x.name(kind, told.keys[kind], &told.labels[kind])
		if beyond {
			refused.Add(refusal.NameLimit)
		}
		changed = changed || fresh
	}
	x.changed = x.changed || changed
}
