// SPDX-License-Identifier: Apache-2.0

package ie

import "github.com/weirflow/weir/flow"

// Element names an information element; PEN is 0 for IANA's.
type Element struct {
	PEN uint32
	ID  uint16
}

// Reverse is the enterprise number of reverse information elements (RFC 5103 §6.1).
const Reverse = 29305

// How says what an element's octets mean to a flow. Numbers are big-endian.
type How uint8

// Ways.
const (
	Number               How = iota + 1 // unsigned, 1 to 8 octets
	AddressV4                           // 4 octets; a flow address also tells the EtherType
	AddressV6                           // 16 octets
	NumberV4                            // Number, of a flow of IPv4 only
	NumberV6                            // Number, of a flow of IPv6 only
	Seconds                             // Unix time
	Milliseconds                        // Unix time
	NTPMicro                            // seconds since 1900 and a fraction, 32 bits each (RFC 7011 §6.1.9)
	NTPNano                             // the same with all bits of the fraction (RFC 7011 §6.1.10)
	Uptime                              // ms since the exporter started
	MicrosecondsAgo                     // before the export time
	SystemInit                          // Unix ms at which the exporter started
	DurationMilli                       // from start to end
	DurationMicro                       // from start to end
	ICMPTypeCode                        // type × 256 + code
	MPLSLabelSection                    // 20 bits of label, 3 of EXP, 1 of bottom of stack
	ListV4                              // IPv4 address, one more of a list
	ListV6                              // IPv6 address, one more of a list
	Segment                             // of layer 2: kind in the highest octet, identifier in the lowest three (element 351)
	IPVersion                           // 4 or 6, tells the EtherType
	Sampler                             // id of the sampler or selector that made the record
	Interval                            // 1 in N, said in the record itself
	Frame                               // section of a packet, from its Ethernet header
	IPPacket                            // section of a packet, from its IP header
	NumberLittle                        // Number, little-endian
	ListNumber                          // Number, one more of a list
	ListWords                           // numbers of 4 octets, all of them more of a list
	Words                               // numbers of 4 octets, as text in hexadecimal
	CodePoint                           // differentiated services code point: the upper 6 bits of an octet
	Precedence                          // IP precedence: the upper 3 bits of an octet
	RoutingHeader                       // segment routing header (RFC 8754 §2)
	SegmentsV6                          // IPv6 addresses, all of them more of a list
	Text                                // name, padded with zeros
	BasicList                           // values of one element (RFC 6313 §4.5.1)
	SubTemplateList                     // records of a template (RFC 6313 §4.5.2)
	SubTemplateMultiList                // records of several templates (RFC 6313 §4.5.3)
)

// Use is one thing that an element is used for.
type Use struct {
	How   How
	Field flow.Field
	// Rank orders the elements that fill the same field: a greater one that is not 0
	// wins over a lesser one, whatever their order in the record.
	Rank uint8
}

// Uses returns what an element is used for; nil for nothing.
func Uses(e Element) []Use {
	switch e.PEN {
	case 0:
		return uses[e.ID]
	case juniper:
		return juniperUses[e.ID]
	default:
		return nil
	}
}

const juniper = 2636

var juniperUses = map[uint16][]Use{
	137: {{Number, flow.ExceptionCode, normal}},
}

// uses is by element number. It is looked at when a template is learned, not for a record.
var uses = func() map[uint16][]Use {
	table := make(map[uint16][]Use, len(rows))
	for _, r := range rows {
		table[r.id] = append(table[r.id], r.use)
	}
	return table
}()
