// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/health"
	"github.com/weirflow/weir/services/decode/internal/held"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/row"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// releaseOctets is about how much of what was held is decoded into the output of one input. The
// rest follows with the next ones.
const releaseOctets = 2 << 20

// holder holds the data sets of a decoder whose template is not known.
type holder struct {
	store *held.Store
	log   held.Log
	// known are the templates of sets that are still held: those that came first, whatever
	// the exporter has put in their place since.
	known   map[held.Key]*template.Template
	current *flow.Datagram
	counts  [held.NumOutcomes]uint64
	// health returns the sum of the domain of a template at a receive time.
	health func(held.Key, uint64) *flow.Health
}

// Hold has data sets that lack their template held until it comes. It returns the log of
// what is held and released; who calls Decode empties it.
func (d *Decoder) Hold(limits held.Limits) *held.Log {
	h := &holder{known: make(map[held.Key]*template.Template), health: d.healthOf}
	h.store = held.New(limits, &h.log)
	d.held = h
	d.ipfix.Unknown, d.ipfix.Known = h.unknown, h.came
	return &h.log
}

// Begin says which input is decoded next.
func (d *Decoder) Begin(input held.Input) {
	d.held.store.Begin(input, func(s *held.Set) {
		d.held.counts[held.Aged]++
		d.healthOf(s.Key, s.ReceivedNs).HeldDropped++
	})
}

// Resume says that the states of exporters were restored, that the store of what is held was loaded,
// and that the inputs up to this one are done. It finds the sets whose template has come, and that were
// too many to be released at once.
func (d *Decoder) Resume(input held.Input) {
	h := d.held
	h.store.Begin(input, func(*held.Set) {})
	for k := range h.store.Templates() {
		if x := d.exporters[k.Exporter]; x != nil {
			if told := x.state.Domain(k.Version, k.Domain); told != nil && told.Template(k.ID) != nil {
				h.known[k] = told.Template(k.ID)
			}
		}
	}
}

// Held returns what is held.
func (d *Decoder) Held() *held.Store { return d.held.store }

// unknown holds a set.
func (h *holder) unknown(header []byte, id uint16, records []byte) {
	g, k := h.current, held.KeyOf(h.current.Exporter, header, id)
	outcome := h.store.Hold(&held.Set{
		Key: k, Source: g.Source, ListenerPort: g.ListenerPort, ReceivedNs: g.ReceivedNs,
		Message: held.Message(header, id, records),
	})
	h.counts[outcome]++
	if sum := h.health(k, g.ReceivedNs); outcome == held.Held {
		sum.Held++
	} else {
		sum.HeldDropped++
	}
}

// came takes notice of a template that sets wait for.
func (h *holder) came(header []byte, t *template.Template) {
	if h.store.Sets() == 0 {
		return
	}
	k := held.KeyOf(h.current.Exporter, header, t.ID)
	if _, there := h.known[k]; !there && h.store.Waiting(k) {
		h.known[k] = t
	}
}

// release decodes sets whose template has come.
func (d *Decoder) release(out *flow.Batch) {
	h := d.held
	if len(h.known) == 0 {
		return
	}
	known := func(k held.Key) bool { return h.known[k] != nil }
	h.store.Release(releaseOctets, known, func(s *held.Set) {
		h.counts[held.Released]++
		d.late(s, h.known[s.Key], out)
	})
	for k := range h.known {
		if !h.store.Waiting(k) {
			delete(h.known, k)
		}
	}
}

// late decodes a set.
func (d *Decoder) late(s *held.Set, t *template.Template, out *flow.Batch) {
	x := d.exporters[s.Exporter]
	if x == nil { // forgotten since
		d.rows.Refuse(refusal.ExporterLimit)
		return
	}
	d.rows.Begin(out, kindOfVersion(s.Version), s.Datagram(), d.sampling(s.Exporter))
	d.rows.Late()
	header, records := s.Parts()
	rows := out.Rows()
	d.ipfix.Late(x.state, t, header, records)
	d.rows.End()
	account, domain := accountOf(x.state, s.Key)
	sum := d.rows.TellRest(account, domain)
	sum.Released++
	sum.LateFlows += uint64(out.Rows() - rows) //nolint:gosec // rows are only added
	if x.state.Changed() {
		d.changed[s.Exporter] = x.state
	}
}

const versionV9 = 9

func kindOfVersion(version uint16) row.Type {
	if version == versionV9 {
		return row.NetFlow9
	}
	return row.IPFIX
}

// accountOf returns the account of a template's domain, and the domain in it.
func accountOf(x *template.Exporter, k held.Key) (*health.Account, uint32) {
	if domain := x.Domain(k.Version, k.Domain); domain != nil {
		return &domain.Account, k.Domain
	}
	return &x.Account, 0
}

// healthOf returns the sum of the domain of a template at a receive time.
func (d *Decoder) healthOf(k held.Key, receivedNs uint64) *flow.Health {
	account, key := &d.strangers, health.Key{Protocol: uint8(kindOfVersion(k.Version).Number())} //nolint:gosec // small
	if x := d.known(k.Exporter); x != nil {
		account, key.Domain = accountOf(x, k)
		key.Exporter = k.Exporter.As16()
	}
	return d.rows.Book.Open(account, key, receivedNs)
}
