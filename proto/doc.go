// SPDX-License-Identifier: Apache-2.0

// Package proto holds the wire contract between the services: the messages of
// package weir.v1, and the Go code generated from them.
//
//	ingest ─DatagramBatch→ decode ─FlowBatch→ enrich ─FlowBatch→ aggregate ─RollupBatch→ insert
//	                         └───────────────CounterBatch──────────────────────────────→ insert
//
// A message is a table. Every field of a row is a column, and a column that no
// row uses is absent. `make generate` writes the Go code again.
package proto
