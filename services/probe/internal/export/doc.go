// SPDX-License-Identifier: Apache-2.0

// Package export writes flow records and packets as datagrams.
//
//	meter.Record ──▶ Stream (NetFlow v9, IPFIX), Rows (NetFlow v1, v5) ──▶ message
//	Packet ──▶ Samples (sFlow v5) ──▶ message
//
// A message is handed over as a whole and never longer than it may be. Sequence numbers
// count what the protocol says: RFC 7011 data records, RFC 3954 messages, NetFlow v5 flows.
package export
