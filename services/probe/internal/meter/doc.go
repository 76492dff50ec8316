// SPDX-License-Identifier: Apache-2.0

// Package meter puts packets together to flows.
//
//	Packet ──▶ Selector ──▶ Cache ──▶ Record (a flow that ended)
//
// A cache has a layout: which elements tell flows apart and which are told of them. It
// works on the time of the packets, knows no clock and allocates only while it grows. Its
// memory is bounded; when it is full, the flow that was quiet for longest makes room.
package meter
