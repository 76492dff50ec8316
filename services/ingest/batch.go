// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"sync"

	"github.com/weirflow/weir/flow"
)

const (
	// maxBatchBytes is the size of a batch in memory: a message of about that size is
	// what a hop of JetStream costs least for.
	maxBatchBytes = 64 << 10
	// rowBytes is what a datagram takes beside its payload.
	rowBytes = 48
)

// batch gathers the datagrams of one partition. It is safe for concurrent use.
type batch struct {
	// publish hands the rows over or takes none of them; it does not block.
	publish func(*flow.Datagrams) error

	mu   sync.Mutex
	rows flow.Datagrams
}

// add takes d, or returns why the rows before it can't go and make room. These stay.
func (b *batch) add(d *flow.Datagram) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	size := b.rows.PayloadBytes() + rowBytes*b.rows.Rows()
	if size+len(d.Payload)+rowBytes > maxBatchBytes {
		if err := b.flushLocked(); err != nil {
			return err
		}
	}
	b.rows.Append(d)
	return nil
}

// flush publishes what is there, or returns why that can't be; the rows stay then.
func (b *batch) flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.flushLocked()
}

func (b *batch) flushLocked() error {
	if b.rows.Rows() == 0 {
		return nil
	}
	if err := b.publish(&b.rows); err != nil {
		return err
	}
	b.rows.Reset()
	return nil
}

// drop empties the batch and calls yield with what was in it.
func (b *batch) drop(yield func(*flow.Datagram)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for d := range b.rows.All() {
		yield(d)
	}
	b.rows.Reset()
}
