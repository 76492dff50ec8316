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

	places [2][2]uint64 // input or output, name or description
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
	e := x.names[kind][key]
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
		if x.names[kind] == nil {
			x.names[kind] = make(map[uint64]*entry)
		}
		x.names[kind][key] = &entry{label: *l}
	} else {
		*e = entry{label: *l}
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
		known := x.names[l.kind]
		if len(known) == 0 || !b.Has(l.number) {
			continue
		}
		var last uint64
		var e *entry
		for at := row; at < row+n; at++ {
			if v := b.Number(l.number, at); v != last {
				last, e = v, known[v]
			}
			if last != 0 && e != nil {
				e.write(b, l, at)
			}
		}
	}
}

func (e *entry) write(b *flow.Batch, l *link, row int) {
	if e.label.name != "" {
		b.PutNumber(l.name, row, place(b, l.name, e.label.name, &e.places[l.side][0]))
	}
	if e.description != "" && l.description != l.name {
		b.PutNumber(l.description, row, place(b, l.description, e.description, &e.places[l.side][1]))
	}
}

// place returns the place of a text in a dictionary. known is where it was the last time, which
// may have been in another batch.
func place(b *flow.Batch, f flow.Field, text string, known *uint64) uint64 {
	if texts := b.Texts(f); *known == 0 || *known > uint64(len(texts)) || texts[*known-1] != text {
		*known = b.Intern(f, text)
	}
	return *known
}
