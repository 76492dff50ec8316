// SPDX-License-Identifier: Apache-2.0

// Package enrich adds to each flow what its exporter does not say: the AS and the country
// of both ends, from MaxMind databases.
//
//	FLOWS ──▶ enricher ──▶ ENRICHED
//	             ▲
//	        .mmdb files, swapped when they change
//
// It works column by column, and never drops, delays or reorders a flow. What no database
// knows stays 0 or empty, and quality says so. Without databases it copies the AS numbers
// of the exporter and passes the rest through.
package enrich
