// SPDX-License-Identifier: Apache-2.0

// Package offline decodes the export datagrams of packet captures with the parsers
// of the service, and explains them field by field, for the commands weir decode
// and weir explain. It needs no bus.
//
//	capture ─ UDP datagrams ─ the service's decoder ─▶ flows, a summary
//
// The exporter is the datagram's source address, or the agent address in sFlow; its
// receive time is the capture time. Other than the service it has all the data: sets
// that come before their template wait for it and are decoded when it comes.
package offline
