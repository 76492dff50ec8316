// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"math/rand/v2"
	"time"

	"github.com/weirflow/weir/services/probe/internal/element"
	"github.com/weirflow/weir/services/probe/internal/packet"
)

// Method is how a selector selects, as in IPFIX element 304 (RFC 5477).
type Method uint16

// Methods.
const (
	All        Method = 0
	CountBased Method = 1 // Interval packets, then Space packets not
	TimeBased  Method = 2 // for TimeInterval, then for TimeSpace not
	RandomOfN  Method = 3 // Size of each Population packets
	Uniform    Method = 4 // each with Probability
	Match      Method = 5 // those whose Element has Value
)

// Selector selects packets. It is not safe for concurrent use.
type Selector struct {
	Method
	Interval, Space         uint32
	TimeInterval, TimeSpace time.Duration
	Size, Population        uint32
	Probability             float64
	Element                 element.Element
	Value                   []byte

	seen  uint32 // packets of the present round
	taken uint32 // of them selected
	began int64  // when the present round did, ns since 1970
}

// Select tells whether p is selected.
func (s *Selector) Select(p *packet.Packet) bool {
	switch s.Method {
	case CountBased:
		at := s.seen
		s.seen = (s.seen + 1) % (s.Interval + s.Space)
		return at < s.Interval
	case TimeBased:
		return s.inInterval(p.Time)
	case RandomOfN:
		return s.random()
	case Uniform:
		return rand.Float64() < s.Probability
	case Match:
		return s.Element.Matches(p, s.Value)
	}
	return true
}

// inInterval counts rounds from the first packet on.
func (s *Selector) inInterval(now int64) bool {
	if s.began == 0 {
		s.began = now
	}
	round := int64(s.TimeInterval + s.TimeSpace)
	if passed := now - s.began; passed >= round {
		s.began += passed / round * round
	}
	return now-s.began < int64(s.TimeInterval)
}

// random takes each packet with the probability that makes Size of them by the end of the
// round, whichever they are (Knuth, algorithm 3.4.2 S).
func (s *Selector) random() bool {
	if s.seen == s.Population {
		s.seen, s.taken = 0, 0
	}
	take := rand.Uint32N(s.Population-s.seen) < s.Size-s.taken
	s.seen++
	if take {
		s.taken++
	}
	return take
}

// OneIn is how many packets one stands for, 1 if all are selected, 0 if that is not known.
func (s *Selector) OneIn() float64 {
	switch s.Method {
	case CountBased:
		return float64(s.Interval+s.Space) / float64(s.Interval)
	case RandomOfN:
		return float64(s.Population) / float64(s.Size)
	case Uniform:
		return 1 / s.Probability
	case TimeBased:
		return 0
	}
	return 1
}
