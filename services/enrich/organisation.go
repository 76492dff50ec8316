// SPDX-License-Identifier: Apache-2.0

package enrich

// organisations remembers who has which AS number.
type organisations struct {
	known *knowledge
	names vocabulary
	cache [1 << 12]owner
}

func (o *organisations) reset(k *knowledge) { *o = organisations{known: k} }

// owner finds who has an AS.
func (o *organisations) owner(as uint32) owner {
	if as == 0 {
		return owner{}
	}
	e := &o.cache[as*2654435761>>20] // the upper 12 bits
	if e.as != as {
		*e = owner{as, o.names.number(o.known.organisation(as))}
	}
	return *e
}
