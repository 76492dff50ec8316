// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"cmp"
	"slices"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/flow/rollup"
)

// place is where a key stands in the words of an entry: in part of one, or, for an address
// that is kept whole, in two.
type place struct {
	word  int
	shift int
	mask  uint64
	wide  bool
}

func (p place) get(key []uint64) uint64 { return key[p.word] >> p.shift & p.mask }

func (p place) put(key []uint64, v uint64) { key[p.word] |= (v & p.mask) << p.shift }

// layout places keys in words, the wide ones first, so that none crosses a word.
type layout struct {
	keys   []rollup.Key
	places []place // of the keys
	words  int
}

func newLayout(keys []rollup.Key) layout {
	order := make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(width(keys[b]), width(keys[a])) })
	l := layout{keys: keys, places: make([]place, len(keys))}
	at := 0 // bit
	for _, i := range order {
		w := 8 * width(keys[i])
		l.places[i] = place{word: at / 64, shift: at % 64, mask: ^uint64(0) >> (64 - min(w, 64)), wide: w == 128}
		at += w
	}
	l.words = (at + 63) / 64
	return l
}

// width is the octets of a key in an entry. Texts and exporters are there as numbers of a
// dictionary.
func width(k rollup.Key) int {
	if k.Kind == flow.Text || isExporter(k) {
		return 4
	}
	return k.Width
}

// isExporter tells whether a key is one of the few addresses that send us flows.
func isExporter(k rollup.Key) bool {
	return k.Source == rollup.FromField && k.Field == flow.SamplerAddress && !k.Prefix.Set
}

// find returns the place of a key.
func (l layout) find(k rollup.Key) (place, bool) {
	i := slices.Index(l.keys, k)
	if i < 0 {
		return place{}, false
	}
	return l.places[i], true
}
