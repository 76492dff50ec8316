// SPDX-License-Identifier: Apache-2.0

package enrich

import "github.com/weirflow/weir/flow"

// vocabulary numbers texts; 0 is the empty one.
type vocabulary struct {
	texts   []string
	numbers map[string]uint32
}

func (v *vocabulary) number(s string) uint32 {
	if s == "" {
		return 0
	}
	if v.numbers == nil {
		v.numbers, v.texts = map[string]uint32{}, []string{""}
	}
	n, ok := v.numbers[s]
	if !ok {
		n = uint32(len(v.texts)) //nolint:gosec // bounded as what has the texts is
		v.texts = append(v.texts, s)
		v.numbers[s] = n
	}
	return n
}

func (v *vocabulary) empty() bool { return len(v.texts) == 0 }

// things have a number each, from 0 on, and the same kinds of texts: exporters, say, or networks.
type things struct {
	kinds   []vocabulary
	numbers []uint32 // of texts: one of each kind for the first thing, and so on
}

func newThings(kinds int) things { return things{kinds: make([]vocabulary, kinds)} }

// add returns the number of a thing with a text of each kind.
func (t *things) add(texts ...string) uint32 {
	for i, s := range texts {
		t.numbers = append(t.numbers, t.kinds[i].number(s))
	}
	return uint32(t.len() - 1) //nolint:gosec // whoever adds bounds them
}

func (t *things) len() int { return len(t.numbers) / len(t.kinds) }

// text returns the number of a text.
func (t *things) text(thing uint32, kind int) uint32 { return t.numbers[int(thing)*len(t.kinds)+kind] }

func (t *things) reset() {
	t.numbers = t.numbers[:0]
	clear(t.kinds)
}

// textColumn writes texts of a vocabulary to a column. It remembers where they stand in the dictionary
// of the batch in hand, so that none is looked for twice.
type textColumn struct {
	*vocabulary
	field      flow.Field
	places     marks    // by number: place in dictionary + 1
	dictionary []string // of the batch
}

// begin prepares for a batch without rows.
func (c *textColumn) begin() {
	c.places.next()
	c.dictionary = c.dictionary[:0]
}

// forget is called when the vocabulary was reset.
func (c *textColumn) forget() { c.places.next() }

// grow makes room for all texts. It is called before place.
func (c *textColumn) grow() { c.places.grow(len(c.texts)) }

// place returns where a text stands in the dictionary.
func (c *textColumn) place(number uint32) uint64 {
	if number == 0 {
		return 0
	}
	place, ok := c.places.get(number)
	if !ok {
		c.dictionary = append(c.dictionary, c.texts[number])
		place = uint32(len(c.dictionary)) //nolint:gosec // at most one a row
		c.places.set(number, place)
	}
	return uint64(place)
}

// put writes what place has returned.
func (c *textColumn) put(out *flow.Batch, row int, places []uint64) {
	out.PutNumbers(c.field, row, places)
	out.PutTexts(c.field, c.dictionary)
}
