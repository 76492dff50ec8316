// SPDX-License-Identifier: Apache-2.0

package flow

// Join adds the flows of o to the end of b. An empty b takes over the columns of o
// without copying, so o must not be filled or reset while b is used.
func (b *Batch) Join(o *Batch) {
	if b.rows == 0 {
		b.takeOver(o)
		return
	}
	for f := range o.cols {
		c := &o.cols[f]
		if c.used == 0 {
			continue
		}
		switch fields[f].Kind {
		case Text:
			b.joinText(Field(f), o)
		case Address:
			b.cols[f].join(b.rows, c)
		case Numbers, Addresses:
			b.cols[f].join(b.rows, c)
			values := &b.lists[f-firstList]
			values.join(values.rows, &o.lists[f-firstList])
		default:
			b.cols[f].join(b.rows, c)
		}
	}
	b.rows += o.rows
}

func (b *Batch) takeOver(o *Batch) {
	b.Reset()
	b.rows = o.rows
	for f := range o.cols {
		if c := &o.cols[f]; c.used != 0 {
			b.cols[f].adopt(c.buf, c.width, c.rows)
			b.cols[f].used = c.used
		}
	}
	for i := range o.lists {
		if c := &o.lists[i]; c.rows != 0 {
			b.lists[i].adopt(c.buf, c.width, c.rows)
		}
	}
	for i, d := range o.texts {
		if d != nil {
			b.texts[i] = &dictionary{values: d.values[:len(d.values):len(d.values)]}
		}
	}
}

// join writes the values of o behind the first rows values.
func (c *column) join(rows int, o *column) {
	if o.width > c.width {
		c.widen(o.width)
	}
	if o.width == c.width {
		c.pad(rows)
		c.buf = append(c.buf, o.buf[:o.rows*int(o.width)]...)
		c.rows += o.rows
		c.used |= o.used
		return
	}
	for i := range o.rows {
		c.put(rows+i, o.at(i))
	}
}

// joinText writes o's texts as indexes into b's dictionary.
func (b *Batch) joinText(f Field, o *Batch) {
	to := make([]uint64, 1+len(o.texts[f].values))
	for i, v := range o.texts[f].values {
		to[i+1] = b.Intern(f, v)
	}
	c := &o.cols[f]
	for i := range c.rows {
		b.cols[f].put(b.rows+i, to[c.at(i)])
	}
}
