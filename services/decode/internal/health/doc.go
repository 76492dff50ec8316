// SPDX-License-Identifier: Apache-2.0

// Package health sums what came of exporters, for the table exporter_health: a row for each
// exporter, protocol, observation domain and minute that something came of, with what is
// new since the last one.
//
//	messages ─▶ Account of a domain ─ end of an input ─▶ Book ─▶ flow.Counters
package health
