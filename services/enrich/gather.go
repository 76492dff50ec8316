// SPDX-License-Identifier: Apache-2.0

package enrich

// distinct is a column of ids as the different ones and a place among them for each row, so
// that work is done once for those that a batch has often.
type distinct struct {
	present []uint32 // the different ids
	at      []uint32 // a place in present a row

	batch uint32
	marks []uint64 // by id: the batch, and the place in present
}

// gather replaces what was gathered before. All ids are below n.
func (d *distinct) gather(ids []uint32, n int) {
	d.batch++
	if n > len(d.marks) {
		d.marks = append(d.marks, make([]uint64, n-len(d.marks))...)
	}
	d.present, d.at = d.present[:0], d.at[:0]
	for _, id := range ids {
		mark := d.marks[id]
		if uint32(mark>>32) != d.batch { //nolint:gosec // the upper half
			mark = uint64(d.batch)<<32 | uint64(len(d.present))
			d.marks[id] = mark
			d.present = append(d.present, id)
		}
		d.at = append(d.at, uint32(mark)) //nolint:gosec // the lower half
	}
}

// spread makes a value a row of one value for each that is present.
func (d *distinct) spread(dst, values []uint64) []uint64 {
	for _, at := range d.at {
		dst = append(dst, values[at])
	}
	return dst
}
