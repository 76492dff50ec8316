// SPDX-License-Identifier: Apache-2.0

// Package decode turns export datagrams into flows: NetFlow, IPFIX and sFlow.
//
//	DATAGRAMS ─ version ─ netflow5 / ipfix / sflow ─ row.Writer ─▶ FLOWS
//	                          ├ templates, sampling ⇄ TEMPLATES (KV)
//	                          └ data without a template ⇄ HELD
//
// The promise: every whole record that a datagram has, and whose template is
// known or comes in time, becomes one row; what does not is counted by reason; no bytes, however
// hostile, stop the worker or make it grow beyond the limits in Config.
//
// What exporters tell about their records (templates, sampling intervals) is
// written to the bucket TEMPLATES when it changes, before the flows of the same
// datagrams are appended, and read when a partition is opened.
package decode
