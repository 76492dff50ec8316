// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"errors"
	"fmt"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxRows bounds the rows of one message.
const maxRows = 1 << 20

// numberOfRows is the field number of FlowBatch.rows.
const numberOfRows = 2000

// ErrMalformed is returned by UnmarshalVTUnsafe for bytes that are not a FlowBatch.
var ErrMalformed = errors.New("malformed flow batch")

// byNumber finds a field by its number on the wire.
var byNumber = func() map[protowire.Number]Field {
	m := make(map[protowire.Number]Field, numFields)
	for f, info := range fields {
		if info.Number != 0 {
			m[protowire.Number(info.Number)] = Field(f)
		}
	}
	return m
}()

// SizeVT returns the length of the wire form, or a little more.
func (b *Batch) SizeVT() int {
	const overhead = 24 // tags and lengths of a column and of the two within it
	n := overhead
	for f := range b.cols {
		w := int(b.cols[f].least())
		if w == 0 {
			continue
		}
		n += overhead + w*b.rows
		switch {
		case f >= firstList:
			values := &b.lists[f-firstList]
			n += values.rows * int(values.width)
		case f < numNumbers && b.texts[f] != nil:
			for _, v := range b.texts[f].values {
				n += 5 + len(v)
			}
		}
	}
	return n
}

// AppendVT appends the wire form of weir.v1.FlowBatch.
func (b *Batch) AppendVT(dst []byte) []byte {
	dst = protowire.AppendTag(dst, numberOfRows, protowire.VarintType)
	dst = protowire.AppendVarint(dst, uint64(b.rows))
	for f := range b.cols {
		c := &b.cols[f]
		if c.used == 0 {
			continue
		}
		dst = protowire.AppendTag(dst, protowire.Number(fields[f].Number), protowire.BytesType)
		switch fields[f].Kind {
		case Text:
			dst = appendText(dst, c, b.texts[f].values, b.rows)
		case Numbers, Addresses:
			dst = b.appendLists(dst, c, &b.lists[f-firstList])
		default:
			dst = appendColumn(dst, c, b.rows)
		}
	}
	return dst
}

// appendColumn appends a length and the column's values.
func appendColumn(dst []byte, c *column, rows int) []byte {
	dst = protowire.AppendVarint(dst, uint64(rows)*uint64(c.least()))
	return c.wire(dst, rows)
}

// appendText appends a TextColumn and its length.
func appendText(dst []byte, c *column, values []string, rows int) []byte {
	n := protowire.SizeTag(2) + protowire.SizeBytes(rows*int(c.least()))
	for _, v := range values {
		n += protowire.SizeTag(1) + protowire.SizeBytes(len(v))
	}
	dst = protowire.AppendVarint(dst, uint64(n))
	for _, v := range values {
		dst = protowire.AppendString(protowire.AppendTag(dst, 1, protowire.BytesType), v)
	}
	return appendColumn(protowire.AppendTag(dst, 2, protowire.BytesType), c, rows)
}

// appendLists appends a ListColumn and its length.
func (b *Batch) appendLists(dst []byte, lengths, values *column) []byte {
	if values.used == 0 { // lists of zeros are lists all the same
		values.used = 1
	}
	n := 2*protowire.SizeTag(1) + protowire.SizeBytes(b.rows*int(lengths.least())) +
		protowire.SizeBytes(values.rows*int(values.least()))
	dst = protowire.AppendVarint(dst, uint64(n))
	dst = appendColumn(protowire.AppendTag(dst, 1, protowire.BytesType), lengths, b.rows)
	return appendColumn(protowire.AppendTag(dst, 2, protowire.BytesType), values, values.rows)
}

// UnmarshalVTUnsafe replaces the batch by the message p, and aliases it: p must stay as it
// is while the batch is used. Columns that this version does not know are passed over.
func (b *Batch) UnmarshalVTUnsafe(p []byte) error {
	b.Reset()
	rows, err := rowsOf(p, numberOfRows)
	if err != nil {
		return err
	}
	b.rows = rows
	return eachField(p, func(num protowire.Number, v []byte) error {
		f, ok := byNumber[num]
		if !ok {
			return nil
		}
		if err := b.adopt(f, v); err != nil {
			return fmt.Errorf("column %s: %w", f, err)
		}
		return nil
	})
}

// adopt takes over one column of a message.
func (b *Batch) adopt(f Field, v []byte) error {
	c := &b.cols[f]
	switch fields[f].Kind {
	case Text:
		d, err := adoptText(c, v, b.rows, fields[f])
		b.texts[f] = d
		return err
	case Numbers, Addresses:
		return b.adoptLists(f, v)
	default:
		return adoptColumn(c, v, b.rows, fields[f])
	}
}

// adoptColumn takes over rows values, whose width follows from their length.
func adoptColumn(c *column, v []byte, rows int, info Info) error {
	if rows == 0 || len(v)%rows != 0 {
		return ErrMalformed
	}
	width := len(v) / rows
	isAddress := info.Kind == Address || info.Kind == Addresses
	if width > info.Width || isAddress != (width == 16) || (width != 1 && width != 2 && width != 4 && width != 8 && width != 16) {
		return ErrMalformed
	}
	c.adopt(v, uint8(width), rows) //nolint:gosec // at most 16
	return nil
}

// adoptText takes over a TextColumn.
func adoptText(c *column, v []byte, rows int, info Info) (*dictionary, error) {
	d := &dictionary{}
	var indexes []byte
	err := eachField(v, func(num protowire.Number, v []byte) error {
		switch num {
		case 1:
			d.values = append(d.values, unsafe.String(unsafe.SliceData(v), len(v)))
		case 2:
			indexes = v
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := adoptColumn(c, indexes, rows, info); err != nil {
		return nil, err
	}
	for i := range c.rows {
		if c.at(i) > uint64(len(d.values)) {
			c.reset()
			return nil, ErrMalformed
		}
	}
	return d, nil
}

func (b *Batch) adoptLists(f Field, v []byte) error {
	var lengths, values []byte
	err := eachField(v, func(num protowire.Number, v []byte) error {
		switch num {
		case 1:
			lengths = v
		case 2:
			values = v
		}
		return nil
	})
	if err != nil {
		return err
	}
	c, sum := &b.cols[f], 0
	if err := adoptColumn(c, lengths, b.rows, Info{Kind: Number, Width: 2}); err != nil {
		return err
	}
	for i := range c.rows {
		sum += int(c.at(i)) //nolint:gosec // at most 65535
	}
	if sum == 0 && len(values) == 0 {
		return nil
	}
	if err := adoptColumn(&b.lists[f-firstList], values, sum, fields[f]); err != nil {
		c.reset()
		return err
	}
	return nil
}

// rowsOf reads the number of rows, which may stand anywhere in the message, from field number.
func rowsOf(p []byte, number protowire.Number) (int, error) {
	for len(p) > 0 {
		num, typ, n := protowire.ConsumeTag(p)
		if n < 0 {
			return 0, ErrMalformed
		}
		p = p[n:]
		if num == number && typ == protowire.VarintType {
			rows, n := protowire.ConsumeVarint(p)
			if n < 0 || rows > maxRows {
				return 0, ErrMalformed
			}
			return int(rows), nil //nolint:gosec // at most maxRows
		}
		if n = protowire.ConsumeFieldValue(num, typ, p); n < 0 {
			return 0, ErrMalformed
		}
		p = p[n:]
	}
	return 0, nil
}

// eachField calls do for each length-delimited field.
func eachField(p []byte, do func(protowire.Number, []byte) error) error {
	for len(p) > 0 {
		num, typ, n := protowire.ConsumeTag(p)
		if n < 0 {
			return ErrMalformed
		}
		p = p[n:]
		if typ != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(num, typ, p); n < 0 {
				return ErrMalformed
			}
			p = p[n:]
			continue
		}
		v, n := protowire.ConsumeBytes(p)
		if n < 0 {
			return ErrMalformed
		}
		p = p[n:]
		if err := do(num, v); err != nil {
			return err
		}
	}
	return nil
}
