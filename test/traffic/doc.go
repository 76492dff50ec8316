// SPDX-License-Identifier: Apache-2.0

// Package traffic makes traffic whose totals are known exactly.
//
//	WriteCapture: packets ──pcap──▶ Softflowd, Pmacctd ──NetFlow, IPFIX, sFlow──▶ collector
//	Load:         made-up flows ────────────────────────NetFlow, IPFIX, sFlow──▶ collector
//
// WriteCapture writes packets into a file that real exporters read; Softflowd and Pmacctd
// run these exporters. Load is an exporter of its own, fast and deterministic, that knows
// for each datagram what it holds.
package traffic
