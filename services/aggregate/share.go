// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"sync"
	"sync/atomic"
)

// maxRows of a flush, which is one message: at about 60 octets a row it fits the payload that
// our NATS servers are set to before it is compressed.
const maxRows = 1 << 17

// shares are what the partitions of a process may use.
type shares struct {
	octets int64        // of all
	open   atomic.Int64 // partitions

	mu   sync.Mutex
	rows map[int]int // of partitions whose messages were too large
}

func newShares(octets int64) *shares { return &shares{octets: octets, rows: map[int]int{}} }

// octetsOfOne is the memory that a partition may use.
func (s *shares) octetsOfOne() int {
	return int(s.octets / max(s.open.Load(), 1))
}

// rowsOf is how many rows a flush of a partition may have.
func (s *shares) rowsOf(partition int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := s.rows[partition]; ok {
		return n
	}
	return maxRows
}

// tooLarge says that a message of so many rows was.
func (s *shares) tooLarge(partition, rows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[partition] = max(rows/2, 1)
}
