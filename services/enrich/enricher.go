// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"slices"

	"github.com/weirflow/weir/flow"
)

// end is one side of a flow: what is looked up and where it goes.
type end struct{ addr, as, originAS, country flow.Field }

func ends() [2]end {
	return [2]end{
		{flow.SrcAddr, flow.SrcAS, flow.SrcOriginAS, flow.SrcCountry},
		{flow.DstAddr, flow.DstAS, flow.DstOriginAS, flow.DstCountry},
	}
}

// enricher fills in the columns of one partition. It is not safe for concurrent use.
type enricher struct {
	library *library
	answers *databases // the generation that the cache holds answers of
	cache   cache
	counts  counts

	// One value a row of the batch in hand.
	addrs   [][16]byte
	as      []uint32
	found   []answer
	quality []uint32
	// texts are the indexes of countries in the dictionary of the batch in hand.
	texts [numCountries]uint32
}

// counts are events since they were last taken.
type counts struct{ hits, misses, errors int }

func newEnricher(l *library, cacheEntries int) *enricher {
	e := &enricher{library: l}
	if !l.empty() {
		e.cache = newCache(cacheEntries)
	}
	return e
}

// enrich adds the flows of in to out, with the columns of origin AS and country and the
// bits of quality that go with them. What no database is configured for is passed on, but
// for the origin AS, which is then the exporter's.
//
// The columns are written to out, and taken out of in: in's own memory is filled anew with
// the next message, while out still refers to what it took over.
func (e *enricher) enrich(in, out *flow.Batch) {
	row := out.Rows()
	if e.library.empty() {
		e.join(in, out)
		e.copyAS(in, out, row)
		return
	}
	db := e.library.current.Load() // once, so that no batch mixes two generations
	if db != e.answers {
		e.answers = db
		e.cache.reset()
	}
	e.quality = flow.AppendNumbers(e.quality[:0], in, flow.Quality)
	in.Clear(flow.Quality)
	e.join(in, out)
	for _, end := range ends() {
		e.lookup(in, end)
		e.putAS(in, out, row, end)
		if e.library.hasCountries {
			e.putCountries(out, row, end)
		}
	}
	put(out, flow.Quality, row, e.quality)
}

// join joins in to out without the columns that are written here.
func (e *enricher) join(in, out *flow.Batch) {
	for _, end := range ends() {
		in.Clear(end.originAS)
		if e.library.hasCountries {
			in.Clear(end.country)
		}
	}
	out.Join(in)
}

// copyAS makes the exporter's AS numbers the origin.
func (e *enricher) copyAS(in, out *flow.Batch, row int) {
	for _, end := range ends() {
		e.as = flow.AppendNumbers(e.as[:0], in, end.as)
		put(out, end.originAS, row, e.as)
	}
}

// lookup fills e.addrs and e.found for one end.
func (e *enricher) lookup(b *flow.Batch, end end) {
	e.addrs = flow.AppendAddresses(e.addrs[:0], b, end.addr)
	e.found = slices.Grow(e.found[:0], len(e.addrs))[:len(e.addrs)]
	for i := range e.addrs {
		a := &e.addrs[i]
		if *a == [16]byte{} {
			e.found[i] = answer{}
			continue
		}
		p, ok := e.cache.find(a)
		if ok {
			e.counts.hits++
		} else {
			e.counts.misses++
			p.put(a, e.ask(a))
		}
		e.found[i] = p[0].answer
	}
}

// ask looks an address up in the databases.
func (e *enricher) ask(a *[16]byte) answer {
	ans, err := e.answers.lookup(*a)
	if err != nil {
		e.counts.errors++
	}
	return ans
}

// putAS writes the origin AS of one end.
func (e *enricher) putAS(in, out *flow.Batch, row int, end end) {
	e.as = flow.AppendNumbers(e.as[:0], in, end.as)
	for i, exporter := range e.as {
		if namesAS(exporter) {
			continue
		}
		if found := e.found[i].as; found != 0 {
			e.as[i] = found
		} else if exporter == 0 && e.library.hasASNs && e.addrs[i] != [16]byte{} {
			e.quality[i] |= uint32(flow.ASUnknown)
		}
	}
	put(out, end.originAS, row, e.as)
}

// putCountries writes the countries of one end.
func (e *enricher) putCountries(out *flow.Batch, row int, end end) {
	clear(e.texts[:])
	for i := range e.found {
		c := e.found[i].country
		if c == 0 {
			if e.addrs[i] != [16]byte{} {
				e.quality[i] |= uint32(flow.CountryUnknown)
			}
			continue
		}
		if e.texts[c] == 0 {
			e.texts[c] = uint32(out.Intern(end.country, c.String())) //nolint:gosec // at most numCountries
		}
		out.PutNumber(end.country, row+i, uint64(e.texts[c]))
	}
}

// put writes values to a column from row on.
func put(b *flow.Batch, f flow.Field, row int, values []uint32) {
	for i, v := range values {
		b.PutNumber(f, row+i, uint64(v))
	}
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
