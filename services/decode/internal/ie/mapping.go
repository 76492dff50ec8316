// SPDX-License-Identifier: Apache-2.0

package ie

import "github.com/weirflow/weir/flow"

// custom is the rank of uses that a configuration adds: above those of the table.
const custom = 200

// Mapping are uses that a configuration adds.
type Mapping map[Element][]Use

// Uses returns what an element is used for, by the table and by the mapping.
func (m Mapping) Uses(e Element) []Use {
	added := m[e]
	if len(added) == 0 {
		return Uses(e)
	}
	return append(append([]Use(nil), Uses(e)...), added...)
}

// Custom returns the uses of an element that should fill a field; little says that its numbers
// are little-endian.
func Custom(f flow.Field, little bool) []Use {
	switch f.Info().Kind {
	case flow.Address:
		return []Use{{AddressV4, f, custom}, {AddressV6, f, custom}}
	case flow.Addresses:
		return []Use{{ListV4, f, custom}, {ListV6, f, custom}}
	case flow.Numbers:
		return []Use{{ListNumber, f, custom}}
	case flow.Text:
		return []Use{{Text, f, custom}}
	case flow.Number:
	}
	switch {
	case f == flow.SamplingRate && !little:
		return []Use{{Interval, f, custom}}
	case little:
		return []Use{{NumberLittle, f, custom}}
	default:
		return []Use{{Number, f, custom}}
	}
}
