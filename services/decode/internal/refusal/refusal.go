// SPDX-License-Identifier: Apache-2.0

package refusal

// Reason says why something was left out.
type Reason uint8

// Reasons. The comment says what one count is.
const (
	VersionUnknown     Reason = iota // datagram of no protocol that is known
	SFlowVersion                     // sFlow of another version than 5
	HeaderTruncated                  // datagram that ends within its header
	LengthMismatch                   // datagram whose length and count or length field disagree; whole records are decoded
	SetMalformed                     // set with an impossible length: the rest of the message is lost
	SetTruncated                     // set that ends beyond its message; whole records are decoded
	SetReserved                      // set with a reserved id
	TemplateMalformed                // template that ends beyond its set, or has a reserved id
	TemplateEmpty                    // template whose records have no octets
	TemplateLimit                    // template beyond the limits
	TemplateWithdrawn                // withdrawal, which is ignored over UDP
	TemplateExpired                  // data set whose template did not come again in time
	TemplateUnknown                  // data set without a template
	RecordMalformed                  // record whose fields end beyond its set or sample
	RecordLimit                      // datagram with more records than the limit
	ExporterLimit                    // datagram of an exporter beyond the limit
	SamplerLimit                     // sampler beyond the limit
	NameLimit                        // name of an interface, VRF or application beyond the limit
	ListMalformed                    // list (RFC 6313) whose elements end beyond it; those before are taken
	NestingLimit                     // list in lists beyond the limit
	SampleUnknown                    // sFlow sample of an unknown format
	SampleMalformed                  // sFlow sample that ends beyond the datagram
	CounterUnknown                   // counter record of an unknown format in an sFlow sample
	AggregationUnknown               // NetFlow v8 datagram of an unknown scheme
	numReasons
)

var names = [numReasons]string{
	VersionUnknown:     "version_unknown",
	SFlowVersion:       "sflow_version",
	HeaderTruncated:    "header_truncated",
	LengthMismatch:     "length_mismatch",
	SetMalformed:       "set_malformed",
	SetTruncated:       "set_truncated",
	SetReserved:        "set_reserved",
	TemplateMalformed:  "template_malformed",
	TemplateEmpty:      "template_empty",
	TemplateLimit:      "template_limit",
	TemplateWithdrawn:  "template_withdrawn",
	TemplateExpired:    "template_expired",
	TemplateUnknown:    "template_unknown",
	RecordMalformed:    "record_malformed",
	RecordLimit:        "record_limit",
	ExporterLimit:      "exporter_limit",
	SamplerLimit:       "sampler_limit",
	NameLimit:          "name_limit",
	ListMalformed:      "list_malformed",
	NestingLimit:       "nesting_limit",
	SampleUnknown:      "sample_unknown",
	SampleMalformed:    "sample_malformed",
	CounterUnknown:     "counter_unknown",
	AggregationUnknown: "aggregation_unknown",
}

// String returns the reason as it stands in metrics.
func (r Reason) String() string { return names[r] }

// Counts has a count per reason.
type Counts [numReasons]uint64

// Add counts one more.
func (c *Counts) Add(r Reason) { c[r]++ }

// Total is the sum of all counts.
func (c *Counts) Total() (n uint64) {
	for _, v := range c {
		n += v
	}
	return n
}
