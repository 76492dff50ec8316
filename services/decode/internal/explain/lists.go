// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"encoding/binary"
	"fmt"

	"github.com/weirflow/weir/services/decode/internal/ie"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// maxNesting is how deep lists in lists are read, as decode does by default.
const maxNesting = 4

// semantics say how the elements of a list belong together (RFC 6313 §4.4).
var semantics = map[byte]string{0: "none of", 1: "exactly one of", 2: "one or more of", 3: "all of", 4: "ordered", 255: "undefined"}

// list explains a list of RFC 6313 §4.5.
func (b *builder) list(part *Part, how ie.How, at, end int) {
	if b.depth++; b.depth > maxNesting {
		part.wrong(refusal.NestingLimit)
	} else if !b.elements(part, how, at, end) {
		part.wrong(refusal.ListMalformed)
	}
	b.depth--
}

// elements explains what is in a list; false says that an element ends beyond it.
func (b *builder) elements(part *Part, how ie.How, at, end int) bool {
	b.add(part, "semantic", at, 1).Value = semantics[b.p[at]]
	at++
	switch how {
	case ie.BasicList:
		return b.basicList(part, at, end)
	case ie.SubTemplateList:
		return end-at >= 2 && b.listRecords(part, b.number16(part, "template_id", at), at+2, end)
	default:
		return b.multiList(part, at, end)
	}
}

func (b *builder) number16(part *Part, name string, at int) uint16 {
	return uint16(b.number(part, name, at, 2)) //nolint:gosec // 2 octets
}

// basicList explains values of one element (§4.5.1).
func (b *builder) basicList(part *Part, at, end int) bool {
	f, size, ok := specifier(b.p[at:end], true)
	if !ok {
		return false
	}
	spec := b.add(part, nameOf(f), at, size)
	spec.Value = lengthText(f)
	at += size
	if f.Length == 0 {
		return at == end
	}
	for at < end && !b.full() {
		if at = b.fields(part, []template.Field{f}, at, end); at < 0 {
			return false
		}
	}
	return true
}

// multiList explains records of several templates (§4.5.3).
func (b *builder) multiList(part *Part, at, end int) bool {
	const head = 4
	for end-at >= head && !b.full() {
		length := int(binary.BigEndian.Uint16(b.p[at+2:]))
		if length < head || length > end-at {
			return false
		}
		records := b.add(part, "records", at, length)
		id := b.number16(records, "template_id", at)
		b.number(records, "length", at+2, 2)
		if !b.listRecords(records, id, at+head, at+length) {
			return false
		}
		at += length
	}
	return at == end || b.full()
}

// listRecords explains records of a template (§4.5.2).
func (b *builder) listRecords(part *Part, id uint16, at, end int) bool {
	t := b.lookup(id)
	if t == nil {
		part.wrong(refusal.TemplateUnknown)
		return true
	}
	for i := 0; end-at >= minLength(t) && !b.full(); i++ {
		record := b.add(part, fmt.Sprintf("record %d", i), at, 0)
		next := b.fields(record, t.Fields, at, end)
		if next < 0 {
			return false
		}
		record.Octets = next - at
		at = next
	}
	return true
}
