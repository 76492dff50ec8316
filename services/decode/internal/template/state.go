// SPDX-License-Identifier: Apache-2.0

package template

import (
	"encoding/binary"
	"errors"
	"maps"
	"net/netip"
	"slices"

	"github.com/weirflow/weir/services/decode/internal/refusal"
)

// stateVersion is the first octet of the form below. All that follows is unsigned varints:
//
//	domains × (version, id, initMs, rate, address,
//	           samplers × (id, rate), interfaces × (ifIndex, rate),
//	           templates × (id, options, scope, fields × (pen, id, length)))
//	names of each kind × (number, name, description)
//
// address, name and description are octets behind their number.
const stateVersion = 2

// ErrState is returned by Load for bytes that are not the state of an exporter.
var ErrState = errors.New("malformed exporter state")

// Append appends what the exporter told, for Load.
func (x *Exporter) Append(dst []byte) []byte {
	dst = append(dst, stateVersion)
	dst = binary.AppendUvarint(dst, uint64(len(x.domains)))
	for _, d := range x.domains {
		dst = d.append(dst)
	}
	for _, names := range x.names {
		dst = binary.AppendUvarint(dst, uint64(len(names.all)))
		for _, key := range slices.Sorted(maps.Keys(names.all)) {
			dst = binary.AppendUvarint(dst, key)
			dst = appendText(appendText(dst, names.all[key].name), names.all[key].description)
		}
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendSamplers(dst []byte, all []sampler) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(all)))
	for _, s := range all {
		dst = appendAll(dst, s.id, s.rate)
	}
	return dst
}

func (d *Domain) append(dst []byte) []byte {
	dst = appendAll(dst, uint64(d.version), uint64(d.id), d.initMs, d.rate)
	dst = appendText(dst, string(d.address.AsSlice()))
	dst = appendSamplers(appendSamplers(dst, d.samplers), d.ports)
	dst = binary.AppendUvarint(dst, uint64(len(d.templates)))
	for _, id := range slices.Sorted(maps.Keys(d.templates)) {
		t, options := d.templates[id], uint64(0)
		if t.Options {
			options = 1
		}
		dst = appendAll(dst, uint64(id), options, uint64(t.Scope), uint64(len(t.Fields)))
		for _, f := range t.Fields {
			dst = appendAll(dst, uint64(f.PEN), uint64(f.ID), uint64(f.Length))
		}
	}
	return dst
}

func appendAll(dst []byte, values ...uint64) []byte {
	for _, v := range values {
		dst = binary.AppendUvarint(dst, v)
	}
	return dst
}

// ErrBudget is returned by Load where the budget does not allow for one more exporter.
var ErrBudget = errors.New("no memory is left for the state of an exporter")

// Load returns the exporter that wrote the state. What is beyond the limits is left out.
func Load(state []byte, limits Limits, budget *Budget) (*Exporter, error) {
	if len(state) == 0 || state[0] != stateVersion {
		return nil, ErrState
	}
	x, r := New(limits, budget), reader{rest: state[1:]}
	if x == nil {
		return nil, ErrBudget
	}
	for n := r.number(); n > 0 && !r.failed; n-- {
		x.load(&r)
	}
	for kind := range x.names {
		for n := r.number(); n > 0 && !r.failed; n-- {
			key := r.number()
			x.name(kind, key, &label{string(r.text()), string(r.text())})
		}
	}
	if r.failed {
		x.Forget()
		return nil, ErrState
	}
	x.changed = false
	return x, nil
}

// load reads a domain.
func (x *Exporter) load(r *reader) {
	d := x.Domain(uint16(r.number()), uint32(r.number())) //nolint:gosec // as written
	if d == nil {
		d = &Domain{} // beyond the limit: read over
	}
	d.initMs, d.rate = r.number(), r.number()
	d.address, _ = netip.AddrFromSlice(r.text())
	for _, all := range []*[]sampler{&d.samplers, &d.ports} {
		for n := r.number(); n > 0 && !r.failed; n-- {
			x.keepRate(all, sampler{r.number(), r.number()})
		}
	}
	var refused refusal.Counts
	for n := r.number(); n > 0 && !r.failed; n-- {
		t := &Template{ID: uint16(r.number()), Options: r.number() != 0, Scope: uint16(r.number())} //nolint:gosec // as written
		for n := r.number(); n > 0 && !r.failed; n-- {
			f := Field{}
			f.PEN, f.ID, f.Length = uint32(r.number()), uint16(r.number()), uint16(r.number()) //nolint:gosec // as written
			t.Fields = append(t.Fields, f)
		}
		x.Learn(d, t, &refused)
	}
}

// reader reads varints.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) number() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.rest, r.failed = nil, true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// text reads octets behind their number.
func (r *reader) text() []byte {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.rest, r.failed = nil, true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
