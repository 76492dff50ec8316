// SPDX-License-Identifier: Apache-2.0

package refusal

// why says for people what was left out, and by which rule.
var why = [numReasons]string{
	VersionUnknown:     "datagram of no protocol that is read: NetFlow 1, 5, 7, 8, 9, IPFIX, sFlow 5",
	SFlowVersion:       "sFlow of another version than 5, such as 2 or 4, which have other headers",
	HeaderTruncated:    "datagram that ends within its header",
	LengthMismatch:     "length or count in the header differs from the datagram; its whole records are decoded (RFC 7011 §3.1)",
	SetMalformed:       "set shorter than its own header; the rest of the message can't be found (RFC 7011 §3.3.2)",
	SetTruncated:       "set that ends beyond its message; its whole records are decoded (RFC 7011 §3.3.2)",
	SetReserved:        "set with a reserved id: below 256 and not one of templates (RFC 7011 §3.3.2, RFC 3954 §5.2)",
	TemplateMalformed:  "template that ends beyond its set, or with an id below 256 (RFC 7011 §3.4.1, RFC 3954 §5.2)",
	TemplateEmpty:      "template whose records have no octets (RFC 7011 §3.4.1)",
	TemplateLimit:      "template beyond the limits of templates, fields or memory",
	TemplateWithdrawn:  "withdrawal of a template, which must not be sent over UDP and is ignored (RFC 7011 §8.4)",
	TemplateExpired:    "data set whose template did not come again within template_ttl (RFC 7011 §8.4)",
	TemplateUnknown:    "data set without a template before it (RFC 7011 §8, RFC 3954 §9)",
	RecordMalformed:    "record whose fields end beyond its set or sample",
	RecordLimit:        "datagram with more flows than the limit",
	ExporterLimit:      "datagram of an exporter or domain beyond the limit",
	SamplerLimit:       "sampler beyond the limit",
	NameLimit:          "name of an interface, VRF or application beyond the limit",
	ListMalformed:      "list whose elements end beyond it; those before are taken (RFC 6313 §4.5)",
	NestingLimit:       "list in lists beyond the limit (RFC 6313 §4.5)",
	SampleUnknown:      "sFlow sample of an unknown format (sFlow v5 §5.3)",
	SampleMalformed:    "sFlow sample that ends beyond the datagram (sFlow v5 §5.3)",
	CounterUnknown:     "counter record of a format that is not read (sFlow v5 §5.4); the others of its sample are",
	AggregationUnknown: "NetFlow v8 datagram of an unknown aggregation scheme",
}

// Why says for people what was left out, and by which rule.
func (r Reason) Why() string { return why[r] }
