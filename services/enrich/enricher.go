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

	sides  [2]side
	hidden [numHideable]hidden
	twins  *twins // nil where duplicates are not looked for by content

	// One value a row of the batch in hand.
	addrs   [][16]byte
	vrfs    []uint16
	quality []uint32
	values  []uint64
}

// side is one end of the flows of a batch.
type side struct {
	fields  end
	nets    view
	geos    view // city and region
	country textColumn
	asName  textColumn

	// One value a row: the AS as the exporter says and as it is in the databases, what is hidden, and
	// the origin AS.
	told, as []uint32
	hiding   []hiding
	origin   []owner
}

// counts are events since they were last taken.
type counts struct {
	hits, misses, observerHits, observerMisses, ruleErrors, hidden int

	duplicates [numDuplicates]int
}

func newEnricher(l *library, twins *twins) *enricher {
	e := &enricher{library: l, twins: twins}
	p := &e.places
	p.cache, p.geoTexts, p.netTexts = newCache(l.cfg.CacheEntries), newThings(numGeoTexts), newThings(numNetTexts)
	for i, end := range ends() {
		e.sides[i] = side{
			fields:  end,
			nets:    newView(&p.netTexts, end.netTexts[:]...),
			geos:    newView(&p.geoTexts, end.city, end.region),
			country: textColumn{vocabulary: &p.geoTexts.kinds[countryText], field: end.country},
			asName:  textColumn{vocabulary: &p.organisations.names, field: end.asName},
		}
	}
	e.observers.init(l.devices)
	return e
}

// each calls do with every column of text.
func (e *enricher) each(do func(*textColumn)) {
	for i := range e.sides {
		e.sides[i].each(do)
	}
	e.observers.each(do)
}

func (s *side) each(do func(*textColumn)) {
	s.nets.each(do)
	s.geos.each(do)
	do(&s.country)
	do(&s.asName)
}

// enrich adds the flows of in to out, with the columns that are known and the bits of quality
// that go with them. What nothing is configured for is passed on, but for the origin AS.
//
// The columns are written to out, and taken out of in: in's own memory is filled anew with
// the next message, while out still refers to what it took over. Texts in out are valid until an out
// without rows is given.
func (e *enricher) enrich(in, out *flow.Batch) {
	row := out.Rows()
	if row == 0 {
		e.each((*textColumn).begin)
	}
	if k := e.library.current.Load(); k != e.known || e.places.full() {
		e.use(k) // once a batch, so that none mixes two generations
	}
	e.quality = flow.AppendNumbers(e.quality[:0], in, flow.Quality)
	e.observe(in)
	if e.known.knowsAddresses() {
		for i := range e.sides {
			e.lookup(in, &e.sides[i])
		}
	}
	duplicates := e.duplicates(in)
	e.hide(in)
	e.clear(in)
	out.Join(in)
	for i := range e.sides {
		e.putSide(in, out, row, &e.sides[i])
	}
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
	e.observers.use(k)
	for i := range e.hidden {
		e.hidden[i].cache = nil
	}
	e.each((*textColumn).forget)
}

// clear takes the columns out of a batch that are written here.
func (e *enricher) clear(in *flow.Batch) {
	in.Clear(flow.Quality)
	in.Clear(flow.Duplicate)
	clearColumn := func(c *textColumn) { in.Clear(c.field) }
	for i := range e.sides {
		in.Clear(e.sides[i].fields.originAS)
		e.sides[i].each(clearColumn)
	}
	if e.known.knowsExporters() {
		e.observers.each(clearColumn)
		in.Clear(flow.InIfSpeed)
		in.Clear(flow.OutIfSpeed)
	}
}

// lookup finds what is known of the addresses of one side.
func (e *enricher) lookup(in *flow.Batch, s *side) {
	e.addrs = flow.AppendAddresses(e.addrs[:0], in, s.fields.addr)
	e.vrfs = e.known.networks.appendVRFs(e.vrfs[:0], in, s.fields)
	n := len(e.addrs)
	s.as, s.hiding = slices.Grow(s.as[:0], n)[:n], slices.Grow(s.hiding[:0], n)[:n]
	s.geos.ids, s.nets.ids = slices.Grow(s.geos.ids[:0], n)[:n], slices.Grow(s.nets.ids[:0], n)[:n]
	e.places.find(e.addrs, e.vrfs, func(i int, found *entry) {
		s.as[i], s.geos.ids[i], s.nets.ids[i], s.hiding[i] = found.as, found.geo, found.net, found.hiding
	})
	e.counts.misses += e.places.misses
	e.counts.hits += n - e.places.misses
	e.places.misses = 0
}

// putSide writes what follows from the addresses of one side.
func (e *enricher) putSide(in, out *flow.Batch, row int, s *side) {
	s.told = flow.AppendNumbers(s.told[:0], in, s.fields.as)
	if !e.known.knowsAddresses() {
		e.put(out, s.fields.originAS, row, s.told)
		return
	}
	e.chooseAS(s)
	e.putOrigin(out, row, s)
	e.putCountry(out, row, s)
	if !s.geos.empty() {
		s.geos.put(out, row)
	}
	if !s.nets.empty() {
		s.nets.put(out, row)
	}
}

// chooseAS fills in the origin AS, and flags what is unknown.
func (e *enricher) chooseAS(s *side) {
	s.origin = append(s.origin[:0], make([]owner, len(s.told))...)
	for _, source := range slices.Backward(e.known.asnSources) { // the first that knows one overwrites the others
		switch source {
		case asnOfNetworks:
			choose(s.origin, s.nets.ids, e.places.netOwners)
		case asnOfDatabase:
			choose(s.origin, s.as, e.places.owners)
		default:
			for i, told := range s.told {
				if told != 0 && (source == asnOfFlow || namesAS(told)) {
					s.origin[i] = e.places.organisations.owner(told)
				}
			}
		}
	}
	if !e.known.hasASNs {
		return
	}
	for i, o := range s.origin {
		if o.as == 0 && s.geos.ids[i] != nowhere {
			e.quality[i] |= uint32(flow.ASUnknown)
		}
	}
}

// choose overwrites the owners of rows for which another one is known.
func choose(origin []owner, ids []uint32, owners []owner) {
	for i, id := range ids {
		if o := owners[id]; o.as != 0 {
			origin[i] = o
		}
	}
}

// putOrigin writes the origin AS, and who has it.
func (e *enricher) putOrigin(out *flow.Batch, row int, s *side) {
	e.values = e.values[:0]
	for _, o := range s.origin {
		e.values = append(e.values, uint64(o.as))
	}
	out.PutNumbers(s.fields.originAS, row, e.values)
	if !e.known.hasASNs {
		return
	}
	s.asName.grow()
	e.values = e.values[:0]
	for _, o := range s.origin {
		e.values = append(e.values, s.asName.place(o.name))
	}
	s.asName.put(out, row, e.values)
}

// putCountry writes the countries, and flags what is unknown.
func (e *enricher) putCountry(out *flow.Batch, row int, s *side) {
	s.country.grow()
	e.values = e.values[:0]
	for i, geo := range s.geos.ids {
		country := e.places.country(geo, s.nets.ids[i])
		if country == 0 && e.known.hasCountries && geo != nowhere {
			e.quality[i] |= uint32(flow.CountryUnknown)
		}
		e.values = append(e.values, s.country.place(country))
	}
	if !s.country.empty() {
		s.country.put(out, row, e.values)
	}
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
