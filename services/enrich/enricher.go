// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"slices"

	"github.com/weirflow/weir/flow"
)

// enricher fills in the columns of one partition. It is not safe for concurrent use.
type enricher struct {
	library   *library
	known     *knowledge // the generation in use
	places    places
	observers observers
	counts    counts

	columns [2][numPlaceTexts]textColumn
	names   [2]textColumn // organisations
	asns    organisations
	hidden  [numHideable]hidden
	twins   *twins // nil where duplicates are not looked for by content

	// One value a row of the batch in hand.
	addrs   [][16]byte
	vrfs    []uint32
	as      []uint32
	found   [2][]uint32 // places
	rows    distinct    // of the end in hand
	quality []uint32
	values  []uint64
	// One value for each place of the end in hand.
	here  []place
	texts []uint64
}

// counts are events since they were last taken.
type counts struct{ hits, misses, errors, observerHits, observerMisses, ruleErrors, duplicates, hidden int }

func newEnricher(l *library, twins *twins) *enricher {
	e := &enricher{library: l, twins: twins}
	e.places.cache = newCache(l.cfg.CacheEntries)
	for i, end := range ends() {
		for n := range e.columns[i] {
			e.columns[i][n] = textColumn{field: end.texts[n], vocabulary: &e.places.vocabularies[n]}
		}
		e.names[i] = textColumn{field: end.asName, vocabulary: &e.asns.vocabulary}
	}
	e.observers.init(l.devices)
	return e
}

// enrich adds the flows of in to out, with the columns that are known and the bits of quality
// that go with them. What nothing is configured for is passed on, but for the origin AS.
//
// The columns are written to out, and taken out of in: in's own memory is filled anew with
// the next message, while out still refers to what it took over.
func (e *enricher) enrich(in, out *flow.Batch) {
	row := out.Rows()
	if k := e.library.current.Load(); k != e.known || len(e.places.list) > maxPlaces {
		e.use(k) // once a batch, so that none mixes two generations
	}
	e.quality = flow.AppendNumbers(e.quality[:0], in, flow.Quality)
	e.observe(in)
	if e.known.knowsAddresses() {
		for i, end := range ends() {
			e.lookup(in, i, end)
		}
	}
	duplicates := e.duplicates(in)
	e.hide(in)
	e.clear(in)
	out.Join(in)
	e.putAddresses(in, out, row)
	e.putHidden(out, row)
	e.putObservers(in, out, row)
	if duplicates != nil {
		e.put(out, flow.Duplicate, row, duplicates)
	}
	e.put(out, flow.Quality, row, e.quality)
}

// use goes on with another generation.
func (e *enricher) use(k *knowledge) {
	e.known = k
	e.places.reset(k)
	e.observers.reset(k)
	e.asns.reset(k)
	for i := range e.hidden {
		e.hidden[i].cache = nil
	}
	for i := range e.columns {
		for n := range e.columns[i] {
			e.columns[i][n].forget()
		}
		e.names[i].forget()
	}
}

// clear takes the columns out of a batch that are written here.
func (e *enricher) clear(in *flow.Batch) {
	in.Clear(flow.Quality)
	in.Clear(flow.Duplicate)
	for i, end := range ends() {
		in.Clear(end.originAS)
		for n := range e.columns[i] {
			if !e.places.vocabularies[n].empty() {
				in.Clear(end.texts[n])
			}
		}
	}
	e.observers.clear(in)
}

// lookup fills e.found for one end.
func (e *enricher) lookup(in *flow.Batch, side int, end end) {
	e.addrs = flow.AppendAddresses(e.addrs[:0], in, end.addr)
	byVRF := e.known.networks.byVRF()
	if byVRF {
		e.vrfs = e.known.networks.appendVRFs(e.vrfs[:0], in, end)
	}
	found := slices.Grow(e.found[side][:0], len(e.addrs))[:len(e.addrs)]
	for i := range e.addrs {
		a, vrf := &e.addrs[i], uint32(0)
		if byVRF {
			vrf = e.vrfs[i]
		}
		found[i] = e.place(a, vrf)
	}
	e.found[side] = found
	e.counts.errors += e.places.errors
	e.places.errors = 0
}

// place finds the place of an address.
func (e *enricher) place(a *[16]byte, vrf uint32) uint32 {
	if *a == [16]byte{} {
		return 0
	}
	p, ok := e.places.cache.find(a, vrf)
	if ok {
		e.counts.hits++
	} else {
		e.counts.misses++
		p.put(a, vrf, e.places.ask(a, vrf))
	}
	return p[0].place
}

// putAddresses writes what follows from the addresses.
func (e *enricher) putAddresses(in, out *flow.Batch, row int) {
	knows := e.known.knowsAddresses()
	for i, end := range ends() {
		e.as = flow.AppendNumbers(e.as[:0], in, end.as)
		if !knows {
			e.put(out, end.originAS, row, e.as)
			continue
		}
		e.rows.gather(e.found[i], len(e.places.list))
		e.here = e.here[:0]
		for _, id := range e.rows.present {
			e.here = append(e.here, e.places.list[id])
		}
		e.chooseAS(e.found[i])
		e.put(out, end.originAS, row, e.as)
		e.putNames(out, row, &e.names[i])
		for n := range e.columns[i] {
			e.putTexts(out, row, &e.columns[i][n], n)
		}
	}
}

// chooseAS makes the exporters' numbers in e.as the origin AS, and flags what is unknown.
func (e *enricher) chooseAS(found []uint32) {
	for i, told := range e.as {
		at := &e.here[e.rows.at[i]]
		as := uint32(0)
		for _, source := range e.known.asnSources {
			switch source {
			case asnOfFlowExceptPrivate:
				if namesAS(told) {
					as = told
				}
			case asnOfNetworks:
				as = at.netAS
			case asnOfDatabase:
				as = at.as
			default:
				as = told
			}
			if as != 0 {
				break
			}
		}
		if as == 0 && e.known.hasASNs && found[i] != 0 {
			e.quality[i] |= uint32(flow.ASUnknown)
		}
		if at.texts[countryText] == 0 && e.known.hasCountries && found[i] != 0 {
			e.quality[i] |= uint32(flow.CountryUnknown)
		}
		e.as[i] = as
	}
}

// putNames writes the organisations of e.as.
func (e *enricher) putNames(out *flow.Batch, row int, c *textColumn) {
	if !e.known.hasASNs {
		return
	}
	e.values = e.values[:0]
	for i, as := range e.as {
		id := e.asns.id(as)
		if i == 0 || int(id) >= len(c.places) {
			c.begin(row == 0 && i == 0)
		}
		e.values = append(e.values, c.place(out, id))
	}
	out.PutNumbers(c.field, row, e.values)
}

// putTexts writes one text of the places of one end.
func (e *enricher) putTexts(out *flow.Batch, row int, c *textColumn, n int) {
	c.begin(row == 0)
	if c.vocabulary.empty() {
		return
	}
	e.texts = e.texts[:0]
	for i := range e.here {
		e.texts = append(e.texts, c.place(out, e.here[i].texts[n]))
	}
	e.values = e.rows.spread(e.values[:0], e.texts)
	out.PutNumbers(c.field, row, e.values)
}

// put writes values to a column from row on.
func (e *enricher) put(b *flow.Batch, f flow.Field, row int, values []uint32) {
	e.values = e.values[:0]
	for _, v := range values {
		e.values = append(e.values, uint64(v))
	}
	b.PutNumbers(f, row, e.values)
}

// namesAS tells whether n is the number of one AS, that an exporter can know better than
// a database. Private numbers (RFC 6996), the one that stands for all that do not fit 16
// bits (RFC 6793) and the last ones (RFC 7300) are not.
func namesAS(n uint32) bool {
	switch {
	case n == 0, n == 23456, n >= 64512 && n <= 65535, n >= 4200000000:
		return false
	default:
		return true
	}
}
