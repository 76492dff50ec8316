// SPDX-License-Identifier: Apache-2.0

// Package datagram decodes the export datagrams of a partition, of any protocol,
// and keeps what their exporters told. It knows nothing of the bus, logs or
// metrics.
//
//	flow.Datagrams ─ version words ─ netflow5 / ipfix / sflow ─▶ flow.Batch
package datagram
