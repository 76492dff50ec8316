// SPDX-License-Identifier: Apache-2.0

package enrich

import "github.com/weirflow/weir/flow"

// vocabulary numbers texts; 0 is the empty one.
type vocabulary struct {
	values []string
	ids    map[string]uint32
}

func (v *vocabulary) id(s string) uint32 {
	if s == "" {
		return 0
	}
	if v.ids == nil {
		v.ids, v.values = map[string]uint32{}, []string{""}
	}
	id, ok := v.ids[s]
	if !ok {
		id = uint32(len(v.values)) //nolint:gosec // bounded by maxPlaces
		v.values = append(v.values, s)
		v.ids[s] = id
	}
	return id
}

func (v *vocabulary) empty() bool { return len(v.values) == 0 }

func (v *vocabulary) reset() { *v = vocabulary{} }

// textColumn writes texts of a vocabulary to a column. It remembers where they stand in the
// dictionary of the batch in hand, so that a text is hashed once a batch.
type textColumn struct {
	field      flow.Field
	vocabulary *vocabulary
	batch      uint32   // number of the batch in hand
	places     []uint64 // by text: the batch, and the place in its dictionary
}

// begin prepares for a batch that has no rows yet, or for more rows of the last one.
func (c *textColumn) begin(fresh bool) {
	if fresh || c.batch == 0 {
		c.batch++
	}
	if n := len(c.vocabulary.values) - len(c.places); n > 0 {
		c.places = append(c.places, make([]uint64, n)...)
	}
}

// place returns where the text id stands in the dictionary of the batch.
func (c *textColumn) place(out *flow.Batch, id uint32) uint64 {
	if id == 0 {
		return 0
	}
	place := c.places[id]
	if uint32(place>>32) != c.batch {
		place = uint64(c.batch)<<32 | out.AddText(c.field, c.vocabulary.values[id])
		c.places[id] = place
	}
	return place & (1<<32 - 1)
}

// forget is called when the vocabulary was reset.
func (c *textColumn) forget() { c.places = c.places[:0] }
