// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"hash/maphash"
	"time"

	"github.com/weirflow/weir/services/probe/internal/packet"
)

// Kind is the kind of a cache (RFC 6728 section 4.3).
type Kind uint8

const (
	// Immediate makes a record of each packet.
	Immediate Kind = iota
	// Timeout ends flows by their timeouts.
	Timeout
	// Natural also ends a TCP flow with a FIN or RST.
	Natural
	// Permanent ends no flow and tells of all at an interval.
	Permanent
)

// Config says how a cache works.
type Config struct {
	Kind     Kind
	MaxFlows int
	Active   time.Duration // 0: never
	Idle     time.Duration // 0: never
	Interval time.Duration // of a permanent cache
	Biflow   bool          // both directions are one flow (RFC 5103)
	Layout   []Field
}

// Stats count what happened to packets and flows.
type Stats struct {
	Packets   uint64 // measured
	Skipped   uint64 // without the addresses that the layout has
	Refused   uint64 // of a new flow while a permanent cache is full
	Evictions uint64
	Records   uint64
}

// Cache holds flows. It is not safe for concurrent use.
type Cache struct {
	Stats
	cfg    Config
	shapes [3]Shape
	emit   func(*Record)
	seed   maphash.Seed

	stride  int
	rows    []byte
	flows   []flow
	buckets []int32
	mask    uint64
	free    int32
	count   int
	quiet   list
	old     list

	key      []byte // of the packet, as looked up last
	hash     uint64 // of key
	record   Record
	reported int64 // when a permanent cache last told of its flows
	due      int64 // before this no flow ends by a timeout, ns since 1970
}

// New makes a cache that hands its records to emit.
func New(cfg Config, emit func(*Record)) *Cache {
	c := &Cache{cfg: cfg, shapes: shapes(cfg.Layout), emit: emit, seed: maphash.MakeSeed(), free: none}
	c.quiet, c.old = list{none, none}, list{none, none}
	for i := range c.shapes {
		c.stride = max(c.stride, c.shapes[i].row)
	}
	c.key = make([]byte, 0, c.stride+1)
	c.resize(1024)
	return c
}

// Shapes returns the forms that records can have.
func (c *Cache) Shapes() *[3]Shape { return &c.shapes }

// Flows returns how many flows the cache holds.
func (c *Cache) Flows() int { return c.count }

// Add measures a packet. Times may go back a little; flows end by the latest.
func (c *Cache) Add(p *packet.Packet) {
	s := c.shapeOf(p)
	if !s.Takes {
		c.Skipped++
		return
	}
	c.Expire(p.Time)
	if c.cfg.Kind == Immediate {
		c.single(s, p)
		return
	}
	i, reverse := c.find(s, p)
	if i == none {
		if i = c.insert(s, p); i == none {
			c.Refused++
			return
		}
	}
	c.Packets++
	f := &c.flows[i]
	if reverse {
		f.reverse.add(p)
	} else {
		f.add(p)
	}
	if c.cfg.Kind == Natural && p.Proto == packet.ProtoTCP && p.TCPFlags&(packet.FIN|packet.RST) != 0 {
		c.end(i, EndDetected)
		return
	}
	if c.quiet.tail != i {
		c.remove(&c.quiet, quiet, i)
		c.append(&c.quiet, quiet, i)
	}
}

func (c *Cache) shapeOf(p *packet.Packet) *Shape {
	switch p.Version {
	case 4:
		return &c.shapes[0]
	case 6:
		return &c.shapes[1]
	}
	return &c.shapes[2]
}

// find returns the flow of p and whether p goes against it.
func (c *Cache) find(s *Shape, p *packet.Packet) (int32, bool) {
	i := c.lookup(s, p)
	if i != none || !c.cfg.Biflow {
		return i, false
	}
	other := *p
	other.Reverse()
	if i = c.lookup(s, &other); i != none {
		return i, true
	}
	c.lookup(s, p) // its key is the one to insert
	return none, false
}

// lookup makes the key of p and finds its flow.
func (c *Cache) lookup(s *Shape, p *packet.Packet) int32 {
	c.key = appendValues(append(c.key[:0], byte(s.Index)), p, s.keys)
	c.hash = maphash.Bytes(c.seed, c.key)
	for i := c.buckets[c.hash&c.mask]; i != none; i = c.flows[i].bucket {
		f := &c.flows[i]
		if f.hash == c.hash && int(f.shape) == s.Index && string(c.row(i)[:s.key]) == string(c.key[1:]) {
			return i
		}
	}
	return none
}

func (c *Cache) row(i int32) []byte { return c.rows[int(i)*c.stride : (int(i)+1)*c.stride] }

// insert begins the flow whose key was looked up.
func (c *Cache) insert(s *Shape, p *packet.Packet) int32 {
	if c.count >= c.cfg.MaxFlows {
		if c.cfg.Kind == Permanent {
			return none
		}
		c.Evictions++
		c.end(c.quiet.head, EndFull)
	}
	i := c.slot()
	bucket := &c.buckets[c.hash&c.mask]
	c.flows[i] = flow{hash: c.hash, shape: uint8(s.Index), bucket: *bucket, active: p.Time}
	*bucket = i
	appendValues(append(c.row(i)[:0], c.key[1:]...), p, s.first)
	c.append(&c.quiet, quiet, i)
	c.append(&c.old, old, i)
	c.count++
	return i
}

// slot returns room for a flow.
func (c *Cache) slot() int32 {
	if c.free != none {
		i := c.free
		c.free = c.flows[i].bucket
		return i
	}
	if len(c.flows) >= len(c.buckets) {
		c.resize(2 * len(c.buckets))
	}
	c.flows = append(c.flows, flow{})
	c.rows = append(c.rows, make([]byte, c.stride)...)
	return int32(len(c.flows) - 1)
}

// resize spreads the flows over more buckets.
func (c *Cache) resize(buckets int) {
	c.buckets, c.mask = make([]int32, buckets), uint64(buckets-1)
	for i := range c.buckets {
		c.buckets[i] = none
	}
	for i := c.quiet.head; i != none; i = c.flows[i].quiet.after {
		f := &c.flows[i]
		bucket := &c.buckets[f.hash&c.mask]
		f.bucket, *bucket = *bucket, i
	}
}
