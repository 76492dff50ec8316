// SPDX-License-Identifier: Apache-2.0

// Package template keeps what an exporter told about its records: templates,
// options templates, sampling intervals and its start time, by NetFlow version and
// observation domain, never by source port.
//
//	fields of a template → Plan: a list of (offset, length, how, field of the flow)
//
// A Plan writes records straight into a flow.Record: no allocation, no maps, no
// interface values. Everything here is bounded by Limits, and Exporter writes
// itself to bytes and back, so that it can outlive the process.
package template
