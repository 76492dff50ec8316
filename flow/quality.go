// SPDX-License-Identifier: Apache-2.0

package flow

// Bits of the field Quality: what a row lacks, or what was assumed in it. No flow is
// dropped for being incomplete.
const (
	// SamplingUnknown: no sampling interval was told; sampling_rate is 0.
	SamplingUnknown uint64 = 1 << iota
	// TimeFromReceipt: the exporter gave no time of the flow; start and end are those of its
	// datagram: the export time, or the receive time where there is none.
	TimeFromReceipt
	// TimeSkewed: the exporter's time is implausible beside the receive time, and was replaced.
	TimeSkewed
	// HeaderTruncated: the sampled header ends within a protocol header.
	HeaderTruncated
	// ValueOutOfRange: a value did not fit its field and was left out.
	ValueOutOfRange
	// ListTruncated: a list was longer than MaxList and was cut.
	ListTruncated
	// CountryUnknown: a country database is configured, and does not know an address.
	CountryUnknown
	// ASUnknown: an AS database is configured, and neither the exporter nor it knows the AS
	// of an address.
	ASUnknown
	// ExporterUnknown: names of exporters are configured, and there is none for this one.
	ExporterUnknown
	// InterfaceUnknown: names of interfaces are configured, and there is none for one of these.
	InterfaceUnknown
	// AddressHidden: an address was truncated or encrypted before it was stored.
	AddressHidden
	// SamplingAssumed: the exporter told no sampling interval; sampling_rate is a configured one.
	SamplingAssumed
	// DecodedLate: the flow waited for its template, and was decoded when it came.
	DecodedLate
)
