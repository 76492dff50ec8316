// SPDX-License-Identifier: Apache-2.0

// Package replay sends the export datagrams of a capture to a collector.
//
//	pcap ──▶ datagrams of NetFlow, IPFIX, sFlow ──▶ one socket for each exporter ──▶ collector
//
// Payloads stay as they are. To a collector on loopback each exporter has an address of its
// own, so that the collector keeps them apart.
package replay
