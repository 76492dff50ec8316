// SPDX-License-Identifier: Apache-2.0

package flow

import "encoding/binary"

// PutIndexed sets a field of kind Number, or of kind Text to indexes, in the rows from row on: that
// of row+i is values[at[i]]. Otherwise it is as PutNumbers.
func (b *Batch) PutIndexed(f Field, row int, values []uint64, at []uint32) {
	c := &b.cols[f]
	var all uint64
	for _, v := range values {
		all |= v
	}
	if c.width == 0 || c.rows != row || all > c.max {
		c.prepare(row, all)
	}
	c.grow(len(at) << c.shift)
	c.used |= all
	c.rows = row + len(at)
	from := row << c.shift
	c.buf = c.buf[:c.rows<<c.shift]
	switch buf := c.buf[from:]; c.width {
	case 1:
		for i, k := range at {
			buf[i] = byte(values[k])
		}
	case 2:
		for i, k := range at {
			binary.LittleEndian.PutUint16(buf[2*i:], uint16(values[k])) //nolint:gosec // at most c.max
		}
	case 4:
		for i, k := range at {
			binary.LittleEndian.PutUint32(buf[4*i:], uint32(values[k])) //nolint:gosec // at most c.max
		}
	default:
		for i, k := range at {
			binary.LittleEndian.PutUint64(buf[8*i:], values[k])
		}
	}
}

// PutTexts makes texts the dictionary of a field of kind Text: index n is texts[n-1]. It must stay as
// it is until the batch is reset, but may be put again with more behind it.
func (b *Batch) PutTexts(f Field, texts []string) {
	b.texts[f] = &dictionary{values: texts[:len(texts):len(texts)]}
}
