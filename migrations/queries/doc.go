// SPDX-License-Identifier: Apache-2.0

// Command queries fills a migrated database with a day of flows, and measures the queries of docs/queries.md on it.
//
//	flows.sql, rollups.sql ─▶ ClickHouse ◀─ docs/queries.md ─▶ a table of times and rows read
//
// The test tries every query on a small database, and that it uses the index it should.
package main
