// SPDX-License-Identifier: Apache-2.0

// Package offline decodes the export datagrams of packet captures with the parsers
// and the settings of the service, and explains them field by field, for the
// commands weir decode and weir explain. It needs no bus.
//
//	capture ─ UDP datagrams ─ the service's decoder ─▶ flows, counters, a summary
//
// The exporter is the datagram's source address, or the agent address in sFlow; its
// receive time, by which templates expire, is the capture time. Sets that come
// before their template wait for it as long as the captures go on, and are put with
// the number of their own packet.
package offline
