// SPDX-License-Identifier: Apache-2.0

// Package capture takes the UDP datagrams out of packet captures: pcap and pcapng
// files, link layers, VLAN tags, IPv4 and IPv6 with their fragments.
//
//	file ─ Reader ─▶ Packet ─ Assembler ─▶ Datagram
//
// The promise: whatever the bytes are, it ends, and keeps no more than its limits.
package capture
