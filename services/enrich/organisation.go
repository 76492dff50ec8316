// SPDX-License-Identifier: Apache-2.0

package enrich

// organisations remembers who has which AS number.
type organisations struct {
	known      *knowledge
	vocabulary vocabulary
	cache      [1 << 12]struct{ as, id uint32 }
}

func (o *organisations) reset(k *knowledge) {
	o.known = k
	o.vocabulary.reset()
	clear(o.cache[:])
}

// id returns the number of the name in the vocabulary.
func (o *organisations) id(as uint32) uint32 {
	if as == 0 {
		return 0
	}
	e := &o.cache[as*2654435761>>20] // the upper 12 bits
	if e.as != as {
		e.as, e.id = as, o.vocabulary.id(o.known.organisation(as))
	}
	return e.id
}
