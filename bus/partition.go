// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"hash/fnv"
	"net/netip"
)

// Partition returns the partition of an exporter among n: FNV-1a of its 16 octet address.
func Partition(exporter netip.Addr, n int) int {
	a := exporter.As16()
	h := fnv.New64a()
	h.Write(a[:])
	return int(h.Sum64() % uint64(n)) //nolint:gosec // n is positive
}
