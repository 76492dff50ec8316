// SPDX-License-Identifier: Apache-2.0

// Package insert writes flows, rollups and counters into ClickHouse.
//
//	ENRICHED ─▶ batch of columns ─┐
//	ROLLUPS ──▶ batch of columns ─┼─▶ one block an insert, native protocol ─▶ ClickHouse
//	COUNTERS ─▶ batch of columns ─┘
//
// The promise: the rows of a message are in the table once, whatever is killed in between.
// bus.Sink gives every batch a token and repeats a batch that was not confirmed with the
// same messages and the same token; the same messages make the same block, and ClickHouse
// drops a block whose token it has seen (insert_deduplication_token), which insert believes
// if it finds the mark of that block in the table. While ClickHouse is away or refuses for
// a time, insert waits and tries again; nothing counts as written before it is confirmed.
//
// Columns go from the message to the socket as arrays: they are widened to the type of the
// table's column, and no value is looked at on its own.
package insert
