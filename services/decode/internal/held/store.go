// SPDX-License-Identifier: Apache-2.0

package held

import (
	"encoding/binary"
	"iter"
	"maps"
	"net/netip"

	"github.com/weirflow/weir/flow"
)

// Limits bound what a Store keeps.
type Limits struct {
	AgeNs          int64 // of a set, by the times of inputs
	ExporterSets   int
	ExporterOctets int
	// Octets bounds the sets of all exporters, and of the log what must be kept of it: also sets that
	// were released behind one that is still held.
	Octets int
}

// Input is an input message: its sequence, and when it was stored, Unix ns.
type Input struct {
	Sequence uint64
	TimeNs   int64
}

// Key names a template.
type Key struct {
	Exporter netip.Addr
	Version  uint16 // of the message
	Domain   uint32
	ID       uint16
}

// Set is a data set that waits for its template.
type Set struct {
	Key
	Input
	Source       netip.AddrPort
	ListenerPort uint16
	ReceivedNs   uint64
	// Message is the header of its message and the set.
	Message []byte

	gone bool // released
}

// Outcome is what became of a set.
type Outcome uint8

// Outcomes. All but the first two are sets that are given up.
const (
	Held Outcome = iota
	Released
	Aged           // its template did not come in time
	ExporterSets   // the exporter has as many sets as it may
	ExporterOctets // or as many octets
	Octets         // all exporters together have as many octets as they may
	NumOutcomes    = iota
)

// String returns the outcome as it stands in metrics.
func (o Outcome) String() string {
	return [NumOutcomes]string{"held", "released", "age", "exporter_sets", "exporter_bytes", "bytes"}[o]
}

// setOctets is what a set takes beside its message, in memory and in the log, about.
const setOctets = 256

func (s *Set) cost() int { return setOctets + len(s.Message) }

// Store keeps sets. It is not safe for concurrent use.
type Store struct {
	limits Limits
	log    *Log
	now    Input
	// queue has all sets from the oldest one on that is held; those behind it may be gone.
	queue     []*Set
	octets    int // of the queue
	templates map[Key][]*Set
	exporters map[netip.Addr]*usage
	total     usage
}

// usage is what is held.
type usage struct{ sets, octets int }

func (u *usage) add(n int, s *Set) {
	u.sets += n
	u.octets += n * s.cost()
}

// New returns an empty store that writes to log.
func New(limits Limits, log *Log) *Store {
	return &Store{limits: limits, log: log, templates: map[Key][]*Set{}, exporters: map[netip.Addr]*usage{}}
}

// Sets and Octets return how much is held.
func (s *Store) Sets() int { return s.total.sets }

// Octets returns how many octets of memory are held, about.
func (s *Store) Octets() int { return s.total.octets }

// Oldest returns the oldest set that is held, nil where there is none.
func (s *Store) Oldest() *Set {
	if len(s.queue) == 0 {
		return nil
	}
	return s.queue[0]
}

// Begin says which input comes, and gives up what is too old by then.
func (s *Store) Begin(now Input, aged func(*Set)) {
	s.now = now
	for len(s.queue) != 0 && now.TimeNs-s.queue[0].TimeNs > s.limits.AgeNs {
		old := s.queue[0]
		s.drop(old.Key, 1) // the oldest of all is the oldest of its template
		aged(old)
	}
}

// Hold keeps a set, if there is room.
func (s *Store) Hold(set *Set) Outcome {
	set.Input = s.now
	if u := s.exporters[set.Exporter]; u != nil {
		switch {
		case u.sets >= s.limits.ExporterSets:
			return ExporterSets
		case u.octets+set.cost() > s.limits.ExporterOctets:
			return ExporterOctets
		}
	}
	if s.octets+set.cost() > s.limits.Octets {
		return Octets
	}
	s.add(set)
	s.log.hold(set)
	return Held
}

// Waiting tells whether sets wait for a template.
func (s *Store) Waiting(k Key) bool { return len(s.templates[k]) != 0 }

// Templates yields the templates that sets wait for.
func (s *Store) Templates() iter.Seq[Key] { return maps.Keys(s.templates) }

// Release calls do with sets for which known tells their template is there, from the oldest on,
// until they had so many octets.
func (s *Store) Release(octets int, known func(Key) bool, do func(*Set)) {
	var keys []Key
	released := map[Key]int{}
	for _, set := range s.queue {
		if set.gone || !known(set.Key) {
			continue
		}
		if octets <= 0 {
			break
		}
		octets -= set.cost()
		if released[set.Key]++; released[set.Key] == 1 {
			keys = append(keys, set.Key)
		}
		do(set)
	}
	for _, k := range keys {
		s.log.release(s.now, k, released[k])
		s.drop(k, released[k])
	}
}

func (s *Store) add(set *Set) {
	s.queue = append(s.queue, set)
	s.octets += set.cost()
	s.templates[set.Key] = append(s.templates[set.Key], set)
	u := s.exporters[set.Exporter]
	if u == nil {
		u = &usage{}
		s.exporters[set.Exporter] = u
	}
	u.add(1, set)
	s.total.add(1, set)
}

// drop lets the n oldest sets of a template go, and of the queue what is gone in front.
func (s *Store) drop(k Key, n int) {
	sets := s.templates[k]
	n = min(n, len(sets))
	for _, set := range sets[:n] {
		set.gone = true
		s.total.add(-1, set)
		u := s.exporters[k.Exporter]
		if u.add(-1, set); u.sets == 0 {
			delete(s.exporters, k.Exporter)
		}
	}
	if n == len(sets) {
		delete(s.templates, k)
	} else {
		s.templates[k] = sets[n:]
	}
	for len(s.queue) != 0 && s.queue[0].gone {
		s.octets -= s.queue[0].cost()
		s.queue[0] = nil
		s.queue = s.queue[1:]
	}
}

const (
	versionIPFIX = 10
	headerIPFIX  = 16 // octets
	headerV9     = 20
	setHeader    = 4
)

func headerOctets(version uint16) int {
	if version == versionIPFIX {
		return headerIPFIX
	}
	return headerV9
}

// Message makes a message of one set: the header of the message that it came in, its id and what follows
// its own header.
func Message(header []byte, id uint16, records []byte) []byte {
	size := len(header) + setHeader + len(records)
	m := append(make([]byte, 0, size), header...)
	if binary.BigEndian.Uint16(header) == versionIPFIX {
		binary.BigEndian.PutUint16(m[2:], uint16(size)) //nolint:gosec // a part of a datagram
	}
	m = binary.BigEndian.AppendUint16(m, id)
	m = binary.BigEndian.AppendUint16(m, uint16(setHeader+len(records))) //nolint:gosec // a part of a datagram
	return append(m, records...)
}

// KeyOf names the template of a set by the header of its message.
func KeyOf(exporter netip.Addr, header []byte, id uint16) Key {
	return Key{exporter, binary.BigEndian.Uint16(header), binary.BigEndian.Uint32(header[len(header)-4:]), id}
}

// Datagram returns the set as a datagram of its own, which shares its memory.
func (s *Set) Datagram() *flow.Datagram {
	return &flow.Datagram{
		Exporter: s.Exporter, Source: s.Source, ListenerPort: s.ListenerPort, ReceivedNs: s.ReceivedNs, Payload: s.Message,
	}
}

// Parts returns the header of the message and the set behind its own header.
func (s *Set) Parts() (header, records []byte) {
	n := headerOctets(s.Version)
	return s.Message[:n], s.Message[n+setHeader:]
}
