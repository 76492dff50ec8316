// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"math"

	"github.com/weirflow/weir/services/probe/internal/packet"
)

// Expire ends the flows whose time is over at now, ns since 1970. A permanent cache tells
// of its flows if its interval is over.
func (c *Cache) Expire(now int64) {
	switch c.cfg.Kind {
	case Immediate:
		return
	case Permanent:
		if c.reported == 0 {
			c.reported = now
		}
		if c.cfg.Interval > 0 && now-c.reported >= int64(c.cfg.Interval) {
			c.reported = now
			c.tell()
		}
		return
	}
	if now < c.due {
		return
	}
	idle, active := int64(c.cfg.Idle), int64(c.cfg.Active)
	c.due = math.MaxInt64
	if idle > 0 {
		c.due = now + idle // of a flow that begins now
		for c.quiet.head != none {
			f := &c.flows[c.quiet.head]
			if end := max(f.End, f.reverse.End) + idle; now < end {
				c.due = min(c.due, end)
				break
			}
			c.end(c.quiet.head, EndIdle)
		}
	}
	if active > 0 {
		c.due = min(c.due, now+active)
		for c.old.head != none {
			if end := c.flows[c.old.head].active + active; now < end {
				c.due = min(c.due, end)
				break
			}
			c.end(c.old.head, EndActive)
		}
	}
}

// Flush ends all flows.
func (c *Cache) Flush() {
	for c.old.head != none {
		c.end(c.old.head, EndForced)
	}
}

// end hands flow i over and forgets it. The rest of a flow that was too old is a new flow.
func (c *Cache) end(i int32, reason uint8) {
	c.hand(i, reason)
	f := &c.flows[i]
	for at := &c.buckets[f.hash&c.mask]; ; at = &c.flows[*at].bucket {
		if *at == i {
			*at = f.bucket
			break
		}
	}
	c.remove(&c.quiet, quiet, i)
	c.remove(&c.old, old, i)
	f.bucket, c.free = c.free, i
	c.count--
}

// tell hands all flows of a permanent cache over that had packets since the last time.
// Counters begin anew: they are deltas.
func (c *Cache) tell() {
	for i := c.old.head; i != none; i = c.flows[i].old.after {
		f := &c.flows[i]
		if f.Packets+f.reverse.Packets > 0 {
			c.hand(i, EndActive)
			f.Counts, f.reverse = Counts{}, Counts{}
		}
	}
}

// hand gives flow i to emit.
func (c *Cache) hand(i int32, reason uint8) {
	f := &c.flows[i]
	if f.Packets+f.reverse.Packets == 0 {
		return
	}
	r := &c.record
	r.Shape, r.Row = &c.shapes[f.shape], c.row(i)
	r.Counts, r.Reverse, r.EndReason = f.Counts, f.reverse, reason
	c.Records++
	c.emit(r)
}

// single hands a packet over as a record.
func (c *Cache) single(s *Shape, p *packet.Packet) {
	r := &c.record
	c.key = appendValues(appendValues(c.key[:0], p, s.keys), p, s.first)
	r.Shape, r.Row, r.Counts, r.Reverse, r.EndReason = s, c.key, Counts{}, Counts{}, EndForced
	r.add(p)
	c.Packets++
	c.Records++
	c.emit(r)
}
