// SPDX-License-Identifier: Apache-2.0

// Package sequence accounts for the sequence numbers of 32 bits that exporters give to what
// they send: what is missing, what came late, twice, or from an exporter that began anew.
package sequence

import "slices"

// How far a number may be behind the next one, in units, and still be of a datagram that came late
// or twice; beyond, the exporter began anew.
const (
	ReachDatagrams = 64      // where numbers count datagrams
	ReachRecords   = 64 * 32 // where they count records or flows
)

const (
	// window is how far ahead a number may be and still tell of a loss: beyond, the exporter
	// began anew.
	window = 1 << 24
	// anew is how many numbers from before must follow each other: then the exporter began
	// anew, though it had not come far.
	anew = 3
	// maxGaps bounds the gaps that late datagrams may fill.
	maxGaps = 8
)

// Verdict is what a number tells.
type Verdict struct {
	// Missing is how many units are missing before it; below 0 a late one gives back what was
	// missing.
	Missing int64

	Gap       bool // units are missing before it
	Late      bool // it came behind its successors
	Duplicate bool // it came before
	Reset     bool // the exporter began anew
}

// Tracker follows one sequence. Its zero value takes any number as the first.
type Tracker struct {
	next  uint32
	known bool
	// Of numbers from before: the one that would follow the last, and how many have.
	behind uint32
	streak uint8

	gaps []gap // the last ones, that nothing filled yet
}

// gap is units that are missing: those from first on, before end.
type gap struct{ first, end uint32 }

// Advance takes the number of a datagram that covers n units.
func (t *Tracker) Advance(number, n, reach uint32) Verdict {
	ahead := number - t.next
	switch {
	case !t.known:
		t.start(number + n)
		return Verdict{}
	case ahead == 0:
		t.next, t.streak = number+n, 0
		return Verdict{}
	case ahead < window:
		t.miss(gap{t.next, number})
		t.next, t.streak = number+n, 0
		return Verdict{Gap: true, Missing: int64(ahead)}
	case -ahead > reach:
		t.start(number + n)
		return Verdict{Reset: true}
	case n == 0: // it has no units: nothing tells whether it was there
		return Verdict{}
	}
	if filled := t.fill(number, n); filled != 0 {
		return Verdict{Late: true, Missing: -int64(filled)}
	}
	return t.again(number, n)
}

// again takes a number from before that fills no gap.
func (t *Tracker) again(number, n uint32) Verdict {
	if number != t.behind {
		t.streak = 0
	}
	t.streak++
	t.behind = number + n
	if t.streak == anew {
		t.start(number + n)
		return Verdict{Reset: true}
	}
	return Verdict{Duplicate: true}
}

func (t *Tracker) start(next uint32) {
	t.next, t.known, t.streak, t.gaps = next, true, 0, t.gaps[:0]
}

// miss keeps a gap, in the place of the oldest where there are too many.
func (t *Tracker) miss(g gap) {
	if len(t.gaps) == maxGaps {
		t.gaps = slices.Delete(t.gaps, 0, 1)
	}
	t.gaps = append(t.gaps, g)
}

// fill takes units out of the gap that the number lies in, and returns how many.
func (t *Tracker) fill(number, n uint32) uint32 {
	for i, g := range t.gaps {
		if number-g.first >= g.end-g.first {
			continue
		}
		filled := min(n, g.end-number)
		t.gaps = slices.Delete(t.gaps, i, i+1)
		if number != g.first {
			t.miss(gap{g.first, number})
		}
		if number+filled != g.end {
			t.miss(gap{number + filled, g.end})
		}
		return filled
	}
	return 0
}

// Lose forgets the sequence, where a datagram's units could not be counted.
func (t *Tracker) Lose() { t.known = false }

// maxSources bounds the sources of a domain whose samples are accounted for.
const maxSources = 1024

// sourceOctets is what a source takes, about.
const sourceOctets = 64

// Sources follows the sequences of samples of sFlow's data sources, which the datagrams of one
// sub-agent carry.
type Sources struct {
	// Left is the memory that is left for sources, octets; nil is none.
	Left *int

	all  map[uint64]*source
	last *source
}

type source struct {
	id          uint64
	first, next uint32
	known       bool
}

// Octets returns how much memory the sources have taken.
func (s *Sources) Octets() int { return len(s.all) * sourceOctets }

// of returns a source, new if need be; nil where there is no room for it.
func (s *Sources) of(id uint64) *source {
	if s.last != nil && s.last.id == id {
		return s.last
	}
	x := s.all[id]
	if x == nil {
		if len(s.all) >= maxSources || s.Left == nil || *s.Left < sourceOctets {
			return nil
		}
		*s.Left -= sourceOctets
		if s.all == nil {
			s.all = make(map[uint64]*source)
		}
		x = &source{id: id}
		s.all[id] = x
	}
	s.last = x
	return x
}

// Advance takes the number of a sample in a datagram that v is said of, and returns how many samples
// are missing before it; below 0 where it came late.
func (s *Sources) Advance(id uint64, number uint32, v Verdict) int64 {
	if x := s.last; x != nil && x.id == id && x.next == number && x.known {
		x.next++
		return 0
	}
	return s.advance(id, number, v)
}

func (s *Sources) advance(id uint64, number uint32, v Verdict) int64 {
	if v.Duplicate {
		return 0
	}
	x := s.of(id)
	if x == nil {
		return 0
	}
	ahead, known := number-x.next, x.known
	if known && v.Late && -ahead < window {
		if number-x.first >= window { // before the first one that was followed
			return 0
		}
		return -1
	}
	if !known || v.Reset || ahead >= window {
		x.first = number
	}
	x.first = number - min(number-x.first, window/2) // near enough to be behind when numbers wrap
	x.next, x.known = number+1, true
	if !known || v.Reset || ahead >= window {
		return 0
	}
	return int64(ahead)
}
