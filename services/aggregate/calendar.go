// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math"
	"time"
)

// calendar divides time into windows, half-open and without gaps: multiples of a length
// since 1970, or the days of a time zone. It remembers the last one, which is most often
// the next one too.
type calendar struct {
	length     uint64         // ns
	zone       *time.Location // nil but for days
	start, end uint64         // ns
}

// window returns the window that ns is in.
func (c *calendar) window(ns uint64) (start, end uint64) {
	if ns-c.start >= c.end-c.start {
		c.move(ns)
	}
	return c.start, c.end
}

func (c *calendar) move(ns uint64) {
	if c.zone != nil && ns < math.MaxInt64-uint64(48*time.Hour) {
		c.moveToDay(ns)
		return
	}
	c.start = ns - ns%c.length
	c.end = c.start + c.length
	if c.end < c.start {
		c.end = math.MaxUint64
	}
}

// moveToDay looks at the days around ns: where a midnight does not exist, the day that
// time.Date makes of it may begin before or after it.
func (c *calendar) moveToDay(ns uint64) {
	y, m, d := time.Unix(0, int64(ns)).In(c.zone).Date() //nolint:gosec // below MaxInt64
	at := func(offset int) uint64 {
		return uint64(max(time.Date(y, m, d+offset, 0, 0, 0, 0, c.zone).UnixNano(), 0)) //nolint:gosec // not negative
	}
	c.start, c.end = at(0), at(1)
	switch {
	case ns < c.start:
		c.start, c.end = at(-1), c.start
	case ns >= c.end:
		c.start, c.end = c.end, at(2)
	}
}
