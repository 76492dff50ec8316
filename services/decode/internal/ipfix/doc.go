// SPDX-License-Identifier: Apache-2.0

// Package ipfix decodes IPFIX (RFC 7011) and NetFlow v9 (RFC 3954), which have
// different headers and the same sets.
//
//	header │ set: templates → template.Exporter
//	       │ set: data ─ template ─ Plan → row.Writer
package ipfix
