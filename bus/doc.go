// SPDX-License-Identifier: Apache-2.0

// Package bus is JetStream as this project uses it: streams that are split into
// partitions, each processed by one worker of a stage at a time, exactly once by position.
//
//	input stream, partition p ──▶ Handler ──▶ output stream, partition p, with the position
//
// The promise: what a stage has appended to its output covers its input up to a position,
// once and without a gap, whatever is killed or suspended in between. The position stands
// in the output itself, and a message is appended only if nobody else appended since it
// was read (expected last sequence of the subject): a worker that lost its partition, a
// late duplicate and a lost answer all end in a conflict, after which the worker reads the
// position again. Membership only decides who tries.
//
// Process is the loop of decode, enrich and aggregate (a Sider has other outputs beside the
// main one), Sink that of insert, and Publisher
// the way in for ingest, which has no input stream.
package bus
