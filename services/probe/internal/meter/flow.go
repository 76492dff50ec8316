// SPDX-License-Identifier: Apache-2.0

package meter

import "github.com/weirflow/weir/services/probe/internal/packet"

// Reasons for which flows end (IPFIX element 136).
const (
	EndIdle     = 1
	EndActive   = 2
	EndDetected = 3 // TCP FIN or RST
	EndForced   = 4
	EndFull     = 5 // lack of resources
)

// Counts are what a flow sums up of one direction.
type Counts struct {
	Start, End           int64 // ns since 1970, of the first and last packet; 0: none
	Packets              uint64
	Octets               uint64 // from the IP header on; of other packets the frame
	Layer2Octets         uint64
	MinLength, MaxLength uint32 // IP
	TCPFlags             uint8
	MinTTL, MaxTTL       uint8
}

func (c *Counts) add(p *packet.Packet) {
	octets := p.IPLength
	if p.Version == 0 {
		octets = uint32(p.Length)
	}
	if c.Packets == 0 {
		c.Start, c.MinTTL, c.MaxTTL, c.MinLength, c.MaxLength = p.Time, p.TTL, p.TTL, octets, octets
	}
	c.Start, c.End = min(c.Start, p.Time), max(c.End, p.Time)
	c.Packets++
	c.Octets += uint64(octets)
	c.Layer2Octets += uint64(p.Length)
	c.TCPFlags |= p.TCPFlags
	c.MinTTL, c.MaxTTL = min(c.MinTTL, p.TTL), max(c.MaxTTL, p.TTL)
	c.MinLength, c.MaxLength = min(c.MinLength, octets), max(c.MaxLength, octets)
}

// Record is a flow that ended, or of a permanent cache one that is told of. It is valid
// during the call that it is handed to.
type Record struct {
	Shape *Shape
	Row   []byte // values of packets, each at its field's place; one of variable length is the last
	Counts
	Reverse   Counts
	EndReason uint8
}

// flow is a flow in the cache. Indexes are those of other flows; none is -1.
type flow struct {
	Counts
	reverse Counts
	hash    uint64
	active  int64 // when the cache last reported on it, or began it
	shape   uint8
	bucket  int32 // the next flow of the same bucket, or the next free one
	quiet   links // by the time of the last packet
	old     links // by active
}

// none is no flow.
const none = -1

// links are the neighbours in a list.
type links struct{ before, after int32 }

// list is a list of flows, the one whose turn comes first at its head.
type list struct{ head, tail int32 }

func (c *Cache) append(l *list, of func(*flow) *links, i int32) {
	*of(&c.flows[i]) = links{l.tail, none}
	if l.tail == none {
		l.head = i
	} else {
		of(&c.flows[l.tail]).after = i
	}
	l.tail = i
}

func (c *Cache) remove(l *list, of func(*flow) *links, i int32) {
	at := *of(&c.flows[i])
	if at.before == none {
		l.head = at.after
	} else {
		of(&c.flows[at.before]).after = at.after
	}
	if at.after == none {
		l.tail = at.before
	} else {
		of(&c.flows[at.after]).before = at.before
	}
}

func quiet(f *flow) *links { return &f.quiet }
func old(f *flow) *links   { return &f.old }
