// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"sync"
	"time"
)

// link knows when a connection that was lost is there again. It is safe for concurrent use.
type link struct {
	mu     sync.Mutex
	ctx    context.Context // that others wait for
	cancel context.CancelFunc
}

func newLink() *link {
	l := &link{}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// again returns a context that ends when the connection is there again the next time.
func (l *link) again() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ctx
}

// restored ends the context, and begins the next.
func (l *link) restored() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cancel()
	l.ctx, l.cancel = context.WithCancel(context.Background())
}

// wait waits before another try, not beyond the end of ctx or the moment when the connection is there
// again.
func (b *Bus) wait(ctx context.Context, d *backoff) {
	t := time.NewTimer(d.step())
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-b.link.again().Done():
		d.reset()
	case <-t.C:
	}
}
