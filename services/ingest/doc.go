// SPDX-License-Identifier: Apache-2.0

// Package ingest turns UDP datagrams of exporters into batches on the stream DATAGRAMS.
//
//	exporters ──UDP──▶ sockets ──▶ a batch per partition ──▶ DATAGRAMS
//
// The promise: a datagram that JetStream has acknowledged is stored once; any other that
// reached this process is counted, by exporter and reason, and what the kernel dropped
// before that is counted by listener. Nothing is parsed here but the version words that
// tell the protocols apart, so every listener takes every protocol.
//
// Memory is bounded: a batch of 64 KiB per partition and socket buffers of fixed size
// here, Config.MaxPendingBytes in what waits for JetStream. Linux only.
package ingest
