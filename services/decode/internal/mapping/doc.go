// SPDX-License-Identifier: Apache-2.0

// Package mapping reads the file that says which further elements, and bits of a
// packet's headers, fill which fields. Its form is that of GoFlow2: the sections
// ipfix, netflowv9, sflow and formatter. What is meant for GoFlow2's output only is
// passed over. A destination is a field of a flow, or a name that formatter.protobuf
// declares: in their order these are custom_1 and so on.
package mapping
