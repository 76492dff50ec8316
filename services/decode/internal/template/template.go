// SPDX-License-Identifier: Apache-2.0

package template

import (
	"slices"

	"github.com/weirflow/weir/services/decode/internal/ie"
)

// Variable is the length of a field whose records say its length (RFC 7011 §7).
const Variable = 65535

// ScopePEN marks the scope fields of NetFlow v9, which are numbered apart from the
// elements (RFC 3954 §6.1). No enterprise has it.
const ScopePEN = 1<<32 - 1

// Field is a field specifier.
type Field struct {
	ie.Element
	Length uint16
}

// Template describes the records of a data set.
type Template struct {
	ID      uint16 // from 256
	Options bool   // records tell about the exporter, not about flows
	Scope   uint16 // leading fields of an options template that are its scope
	Fields  []Field
	// Plan decodes flow records; nil for an options template.
	Plan *Plan
	// Reverse decodes the other direction of biflow records; nil where they have none.
	Reverse *Plan

	seenNs uint64 // when it came the last time, 0 unknown
}

// MinLength returns the least octets that a record has; 0 is a template that must be
// refused, for its records would never end.
func MinLength(fields []Field) int {
	n := 0
	for _, f := range fields {
		if f.Length == Variable {
			n++ // the length octet
		} else {
			n += int(f.Length)
		}
	}
	return n
}

// equal tells whether two templates describe the same records.
func (t *Template) equal(o *Template) bool {
	return t.Options == o.Options && t.Scope == o.Scope && slices.Equal(t.Fields, o.Fields)
}
