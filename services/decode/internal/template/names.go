// SPDX-License-Identifier: Apache-2.0

package template

import (
	"bytes"
	"math/bits"
	"strings"

	"github.com/weirflow/weir/flow"
)

// Kinds of things that exporters name.
const (
	interfaces = iota
	vrfs
	applications
	numKinds
)

// maxText cuts names, and maxTexts bounds the octets of all names of an exporter, and with them
// the length of its state.
const (
	maxText  = 255
	maxTexts = 256 << 10
)

// label is how an exporter calls something.
type label struct {
	name, description string
}

func (l *label) octets() int { return len(l.name) + len(l.description) }

// entry is a label with its places in the dictionaries of the batch that was written last.
type entry struct {
	label

	number uint64
	epoch  *flow.Epoch  // of that batch
	places [2][2]uint64 // input or output, name or description
}

// labels are what an exporter names of a kind, by number.
type labels struct {
	all map[uint64]*entry
	// recent are entries that were looked for, each in the place that its number hashes to. It has
	// at least twice as many places as there are entries, a power of two.
	recent []*entry
	shift  int // of a hash, that leaves a place
}

// leastPlaces are the places of the smallest table of recent entries.
const leastPlaces = 16

// get returns what has a number, nil where it has no name.
func (s *labels) get(number uint64) *entry {
	p := &s.recent[number*0x9e3779b97f4a7c15>>s.shift]
	if *p == nil || (*p).number != number {
		e := s.all[number]
		if e == nil {
			return nil
		}
		*p = e
	}
	return *p
}

// add keeps an entry with a number that is not there.
func (s *labels) add(e *entry) {
	if s.all == nil {
		s.all = make(map[uint64]*entry)
	}
	s.all[e.number] = e
	if places := len(s.recent); places < 2*len(s.all) {
		places = max(2*places, leastPlaces)
		s.recent, s.shift = make([]*entry, places), 64-bits.TrailingZeros(uint(places)) //nolint:gosec // a length
	}
}

// link says which numbers of a flow have names of which kind.
type link struct {
	kind, side        int
	number            flow.Field
	name, description flow.Field // description is the same as name where there is none
}

var links = [...]link{
	{interfaces, 0, flow.InIf, flow.InIfName, flow.InIfDescription},
	{interfaces, 1, flow.OutIf, flow.OutIfName, flow.OutIfDescription},
	{vrfs, 0, flow.IngressVRFID, flow.IngressVRFName, flow.IngressVRFName},
	{vrfs, 1, flow.EgressVRFID, flow.EgressVRFName, flow.EgressVRFName},
	{applications, 0, flow.ApplicationID, flow.ApplicationName, flow.ApplicationName},
}

// textOf returns a name without the padding of its field. What is not UTF-8 is replaced.
func textOf(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	b = bytes.TrimSpace(b[:min(len(b), maxText)])
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// name keeps a label, and tells whether it is new. One beyond the limits is refused.
func (x *Exporter) name(kind int, key uint64, l *label) (changed, beyond bool) {
	if key == 0 || l.octets() == 0 {
		return false, false
	}
	e := x.names[kind].all[key]
	if e != nil && e.label == *l {
		return false, false
	}
	more := l.octets()
	if e == nil {
		more += nameOctets
	} else {
		more -= e.octets()
	}
	fresh := e == nil
	if fresh && x.named >= x.limits.Names || x.texts+more > maxTexts || !x.budget.take(more) {
		return false, true
	}
	x.texts += more
	if fresh {
		x.named++
		x.names[kind].add(&entry{label: *l, number: key})
	} else {
		*e = entry{label: *l, number: key}
	}
	return true, false
}

// Name writes the names of what n rows from row on have numbers of.
func (x *Exporter) Name(b *flow.Batch, row, n int) {
	if x.named == 0 {
		return
	}
	for i := range links {
		l := &links[i]
		if len(x.names[l.kind].all) == 0 || !b.Has(l.number) {
			continue
		}
		for at := row; at < row+n; at += chunk {
			x.link(b, l, at, min(chunk, row+n-at))
		}
	}
}

// chunk is how many rows are named at once.
const chunk = 64

// link writes the names of what at most chunk rows have numbers of.
func (x *Exporter) link(b *flow.Batch, l *link, row, n int) {
	known, epoch := &x.names[l.kind], b.Epoch()
	var names, descriptions [chunk]uint64
	var last uint64
	var e *entry
	for i := range n {
		v := b.Number(l.number, row+i)
		if v == 0 {
			continue
		}
		if v != last {
			if last, e = v, known.get(v); e != nil {
				e.place(b, l, epoch)
			}
		}
		if e != nil {
			names[i], descriptions[i] = e.places[l.side][0], e.places[l.side][1]
		}
	}
	put(b, l.name, row, names[:n])
	if l.description != l.name {
		put(b, l.description, row, descriptions[:n])
	}
}

// place sees to it that the texts of the entry are in the dictionaries of a batch.
func (e *entry) place(b *flow.Batch, l *link, epoch *flow.Epoch) {
	if e.epoch != epoch {
		e.epoch, e.places = epoch, [2][2]uint64{}
	}
	at := &e.places[l.side]
	if at[0] == 0 && e.label.name != "" {
		at[0] = b.AddText(l.name, e.label.name)
	}
	if at[1] == 0 && e.description != "" && l.description != l.name {
		at[1] = b.AddText(l.description, e.description)
	}
}

// put writes the places of names, but not over what the records say themselves.
func put(b *flow.Batch, f flow.Field, row int, places []uint64) {
	var all uint64
	for _, v := range places {
		all |= v
	}
	if all == 0 {
		return
	}
	if b.Free(f, row) {
		b.PutNumbers(f, row, places)
		return
	}
	for i, v := range places {
		if v != 0 && b.Free(f, row+i) {
			b.PutNumber(f, row+i, v)
		}
	}
}
