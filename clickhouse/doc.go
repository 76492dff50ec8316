// SPDX-License-Identifier: Apache-2.0

// Package clickhouse runs a ClickHouse server where none is given.
//
//	weir up ─Run─▶ clickhouse server        a program on the PATH, 24.8 or newer
//	          └──▶ weir clickhouse ─Serve─▶ libchdb.so, the engine as a library
//
// Server keeps the child alive: it starts it again when it dies and stops it when
// its context ends. The child never outlives the process that runs the Server, not
// even after kill -9, and everything that it keeps lies under one folder, which one
// process at a time may use.
//
// The server has no password and listens on loopback only. Its user may do
// everything with tables, and reads no files and no other hosts.
package clickhouse
