// SPDX-License-Identifier: Apache-2.0

// Package enrich adds to each flow what its exporter does not say: AS, country and network of both
// ends, names of exporters and interfaces, marks of rules and duplicates. It hides addresses.
//
//	FLOWS ──▶ enricher ──▶ ENRICHED
//	             ▲
//	  files, swapped when they change, and SNMP
//
// It works column by column, and never drops, delays or reorders a flow. What is not known
// stays 0 or empty, and quality says so. Without settings it copies the AS numbers of the exporter
// and passes the rest through.
package enrich
