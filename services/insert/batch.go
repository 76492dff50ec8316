// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
)

// batch is the columns of one insert, in the wire form of ClickHouse's native protocol:
// little-endian arrays. Its memory is kept from insert to insert. The same rows make the
// same batch.
type batch struct {
	rows    int
	columns []*encoded          // in the order of the insert
	kept    map[string]*encoded // all that ever were, by name
}

// encoded is one column of a batch.
type encoded struct {
	name string
	typ  columnType
	head []byte // array: where each row's values end; text: the dictionary
	body []byte // the values; text: their places in the dictionary
	text dictionary
}

// reset empties the batch for that many rows.
func (b *batch) reset(rows int) {
	b.rows = rows
	b.columns = b.columns[:0]
}

// add adds a column without values.
func (b *batch) add(name string, typ columnType) *encoded {
	c := b.kept[name]
	if c == nil {
		c = &encoded{name: name}
		if b.kept == nil {
			b.kept = map[string]*encoded{}
		}
		b.kept[name] = c
	}
	c.typ, c.head, c.body = typ, c.head[:0], c.body[:0]
	b.columns = append(b.columns, c)
	return c
}

// size is the octets of all columns.
func (b *batch) size() int {
	n := 0
	for _, c := range b.columns {
		n += len(c.head) + len(c.body)
	}
	return n
}

// copyTo fills the driver's columns, which are in the same order. The driver can take a
// column as the server would send it: this copies whole arrays, where Append converts value
// by value (four times the CPU time).
func (b *batch) copyTo(columns []column.Interface) error {
	arrays := make(net.Buffers, 0, 2*len(b.columns))
	for i, c := range b.columns {
		if got := columns[i]; got.Name() != c.name || string(got.Type()) != c.typ.name {
			return &schemaError{fmt.Sprintf("column %s: has become %s %s", c.name, got.Name(), got.Type())}
		}
		arrays = append(arrays, c.head, c.body)
	}
	r := proto.NewReader(&arrays)
	for _, c := range columns {
		if err := c.Decode(r, b.rows); err != nil {
			return fmt.Errorf("column %s: %w", c.Name(), err)
		}
	}
	if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
		return errors.New("columns are longer than the batch")
	}
	return nil
}

// addValues appends the fixed-width values of rows rows; rows that values lacks are 0.
func (c *encoded) addValues(values []byte, width, rows int) {
	c.body = appendWidened(c.body, values, width, c.typ.width, rows)
}

// addLists appends lists: how many values each of rows rows has, and the values on end.
func (c *encoded) addLists(lengths []byte, lengthWidth int, values []byte, width, rows int) {
	end := uint64(0)
	if n := len(c.head); n > 0 {
		end = binary.LittleEndian.Uint64(c.head[n-8:])
	}
	before := end
	for i := range rows {
		end += at(lengths, lengthWidth, i)
		c.head = binary.LittleEndian.AppendUint64(c.head, end)
	}
	c.body = appendWidened(c.body, values, width, c.typ.width, int(end-before)) //nolint:gosec // a length
}

// appendWidened appends rows values of `from` octets in `to` octets each. Values that src
// lacks are 0; values that are too great are cut.
func appendWidened(dst, src []byte, from, to, rows int) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, rows*to)...)
	out := dst[start:]
	if from == 0 {
		return dst
	}
	src = src[:min(len(src), rows*from)]
	switch {
	case from == to:
		copy(out, src)
	case from == 1:
		for i, v := range src {
			out[i*to] = v
		}
	case from == 2 && to > 2:
		for i := 0; i+2 <= len(src); i += 2 {
			out[i/2*to], out[i/2*to+1] = src[i], src[i+1]
		}
	case from == 4 && to == 8:
		for i := 0; i+4 <= len(src); i += 4 {
			binary.LittleEndian.PutUint32(out[2*i:], binary.LittleEndian.Uint32(src[i:]))
		}
	default:
		for i := range len(src) / from {
			copy(out[i*to:(i+1)*to], src[i*from:(i+1)*from])
		}
	}
	return dst
}

// at returns the value of a row, 0 where there is none.
func at(values []byte, width, row int) uint64 {
	if width == 0 || (row+1)*width > len(values) {
		return 0
	}
	switch p := values[row*width:]; width {
	case 1:
		return uint64(p[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(p))
	case 4:
		return uint64(binary.LittleEndian.Uint32(p))
	default:
		return binary.LittleEndian.Uint64(p)
	}
}
