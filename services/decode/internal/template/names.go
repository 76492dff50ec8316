// SPDX-License-Identifier: Apache-2.0

package template

import (
	"bytes"
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
	places [2][2]uint64 // input or output, name or description
}

// labels are what an exporter names of a kind, by number.
type labels struct {
	all map[uint64]*entry
	// recent are entries that were looked for, in the place of their number: a flow's interface
	// is most of the time one of a few.
	recent *[256]*entry
}

// get returns what has a number, nil where it has no name.
func (s *labels) get(number uint64) *entry {
	p := &s.recent[number*0x9e3779b97f4a7c15>>56]
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
		s.all, s.recent = make(map[uint64]*entry), new([256]*entry)
	}
	s.all[e.number] = e
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
	if x.names[kind].all == nil {
		more += recentOctets
	}
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
	known := &x.names[l.kind]
	var names, descriptions [chunk]uint64
	var last uint64
	var e *entry
	for i := range n {
		v := b.Number(l.number, row+i)
		if v != last {
			last, e = v, known.get(v)
		}
		if last == 0 || e == nil {
			continue
		}
		if e.label.name != "" {
			names[i] = place(b, l.name, e.label.name, &e.places[l.side][0])
		}
		if e.description != "" && l.description != l.name {
			descriptions[i] = place(b, l.description, e.description, &e.places[l.side][1])
		}
	}
	put(b, l.name, row, names[:n])
	if l.description != l.name {
		put(b, l.description, row, descriptions[:n])
	}
}

// put writes the places of names, but not over what the records say themselves.
func put(b *flow.Batch, f flow.Field, row int, places []uint64) {
	var any uint64
	for _, v := range places {
		any |= v
	}
	if any == 0 {
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

// place returns the place of a text in a dictionary. known is where it was the last time, which
// may have been in another batch: then the text is added without looking for it.
func place(b *flow.Batch, f flow.Field, text string, known *uint64) uint64 {
	if texts := b.Texts(f); *known == 0 || *known > uint64(len(texts)) || texts[*known-1] != text {
		*known = b.AddText(f, text)
	}
	return *known
}
