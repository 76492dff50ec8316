// SPDX-License-Identifier: Apache-2.0

// Package flow is what a flow is, in memory and on the wire.
//
//	packet bytes → Record (one flow, flat, reused) → Batch (columns) → weir.v1.FlowBatch
//
// fields.go is the one table of fields: everything that treats all fields alike (the
// wire form, the insert, the docs) reads it. A Batch marshals itself to the wire form of
// weir.v1.FlowBatch and reads it back without copying: its columns are then slices of
// the message.
//
// Datagrams is the same for raw datagrams: weir.v1.DatagramBatch.
package flow
