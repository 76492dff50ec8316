// SPDX-License-Identifier: Apache-2.0

// Package packet reads the headers of a frame.
//
//	frame ──▶ link, VLAN, MPLS ──▶ IPv4, IPv6 ──▶ TCP, UDP, SCTP, ICMP ──▶ Packet
//
// A frame that is cut short or broken gives what is there; the rest stays 0. Nothing is
// allocated.
package packet
