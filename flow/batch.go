// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"math/bits"
	"strings"
)

// Batch is a table of flows, in columns: weir.v1.FlowBatch. It is filled row by row with
// Append or column by column with the Put methods, or read from a message. It is not safe
// for concurrent use.
type Batch struct {
	cols  [numFields]column // lists: the lengths
	rows  int
	texts [numNumbers]*dictionary
	lists [numLists]column // the values
	epoch *Epoch
}

// Epoch is a time between two resets of a batch.
type Epoch struct{ _ bool }

// Epoch returns the present epoch: as long as it is the same, texts stay where Intern and AddText
// have put them.
func (b *Batch) Epoch() *Epoch {
	if b.epoch == nil {
		b.epoch = new(Epoch)
	}
	return b.epoch
}

// dictionary is the distinct values of a text column; index 0 is the empty text.
type dictionary struct {
	values []string
	index  map[string]uint64
	// own says that values is not part of a message or of another batch.
	own bool
}

// reset forgets the values and returns the dictionary if its memory can be used again, else nil.
func (d *dictionary) reset() *dictionary {
	if d == nil || !d.own {
		return nil
	}
	clear(d.values)
	d.values, d.index = d.values[:0], nil
	return d
}

func (d *dictionary) intern(s string) uint64 {
	if s == "" {
		return 0
	}
	if d.index == nil {
		d.index = make(map[string]uint64, len(d.values))
		for i, v := range d.values {
			d.index[v] = uint64(i + 1)
		}
	}
	i, ok := d.index[s]
	if !ok {
		d.values = append(d.values, s)
		i = uint64(len(d.values))
		d.index[s] = i
	}
	return i
}

// Rows returns the number of flows.
func (b *Batch) Rows() int { return b.rows }

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	b.rows, b.epoch = 0, nil
	for f := range b.cols {
		b.cols[f].reset()
	}
	for i := range b.lists {
		b.lists[i].reset()
	}
	for i, d := range b.texts {
		b.texts[i] = d.reset()
	}
}

// Append adds a flow.
func (b *Batch) Append(r *Record) {
	row := b.rows
	b.rows++
	for w := range firstAddress / 64 {
		for m := r.set[w] &^ qualityBit[w]; m != 0; m &= m - 1 {
			f := Field(w*64 + bits.TrailingZeros64(m)) //nolint:gosec // below numFields
			if c, v := &b.cols[f], r.numbers[f]; !c.next(row, v) {
				if int(least(v)) > fields[f].Width {
					r.Flag(ValueOutOfRange)
					v = 0
				}
				c.put(row, v)
			}
		}
	}
	for m := r.set[firstAddress/64]; m != 0; m &= m - 1 {
		f := Field(firstAddress + bits.TrailingZeros64(m)) //nolint:gosec // below numFields
		if f < firstList {
			b.cols[f].putAddress(row, &r.addrs[f-firstAddress])
		} else {
			b.appendList(row, f, &r.lists[f-firstList])
		}
	}
	if r.Has(Quality) {
		b.cols[Quality].put(row, r.numbers[Quality])
	}
}

// qualityBit keeps Quality back until the others had their say in it.
var qualityBit = [firstAddress / 64]uint64{Quality / 64: 1 << (Quality % 64)}

func (b *Batch) appendList(row int, f Field, l *list) {
	b.cols[f].put(row, uint64(l.n))
	values := &b.lists[f-firstList]
	if fields[f].Kind != Addresses {
		values.putAll(values.rows, l.numbers[:l.n])
		return
	}
	for i := range l.n {
		values.putAddress(values.rows, &l.addrs[i])
	}
}

// Has tells whether any row uses f.
func (b *Batch) Has(f Field) bool { return b.cols[f].used != 0 }

// Intern returns the index of a text in the dictionary of f, for Record.SetNumber.
func (b *Batch) Intern(f Field, s string) uint64 {
	if b.texts[f] == nil {
		b.texts[f] = &dictionary{own: true}
	}
	return b.texts[f].intern(s)
}

// InternBytes is Intern for octets, which it copies when they are new.
func (b *Batch) InternBytes(f Field, s []byte) uint64 {
	if d := b.texts[f]; d != nil && d.index != nil {
		if i, ok := d.index[string(s)]; ok {
			return i
		}
	}
	return b.Intern(f, strings.ToValidUTF8(string(s), "\uFFFD"))
}

// AddText is Intern for a text that the caller has not added to this batch yet: it does not look
// for it. A text that is in the dictionary twice does no harm.
func (b *Batch) AddText(f Field, s string) uint64 {
	d := b.texts[f]
	if d == nil {
		d = &dictionary{own: true}
		b.texts[f] = d
	}
	d.values = append(d.values, s)
	if d.index != nil {
		d.index[s] = uint64(len(d.values))
	}
	return uint64(len(d.values))
}
