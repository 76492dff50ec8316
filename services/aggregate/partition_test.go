// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

func TestWhenAPartitionFlushes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.MaxKeys = 5
		p := newPartition(cfg, newMetrics(prometheus.NewRegistry()), 3)
		handle := func(b *flow.Batch) time.Duration {
			t.Helper()
			if err := p.Handle(t.Context(), b, nil); err != nil {
				t.Fatal(err)
			}
			return time.Until(p.Due())
		}
		flush := func() (rows int) {
			t.Helper()
			var out weirv1.RollupBatch
			if err := p.Flush(t.Context(), &out); err != nil {
				t.Fatal(err)
			}
			if !p.Due().IsZero() {
				t.Errorf("due at %v after a flush", p.Due())
			}
			return out.Rows()
		}
		at := func(ns, as uint64) *flow.Batch {
			return batchOf(testFlow{start: base + ns, end: base + ns, received: base + ns, srcAS: as})
		}

		if !p.Due().IsZero() {
			t.Errorf("due at %v with nothing held", p.Due())
		}
		if due := handle(at(3*minute, 1)); due > 0 {
			t.Errorf("the first watermark is told in %v, want at once", due)
		}
		flush()
		if due := handle(at(3*minute, 1)); due != cfg.FlushInterval {
			t.Errorf("due in %v, want the interval", due)
		}
		<-time.After(cfg.FlushInterval / 2)
		if due := handle(at(3*minute, 2)); due != cfg.FlushInterval/2 {
			t.Errorf("due in %v, want half the interval: it starts with the first flow", due)
		}
		if due := handle(at(7*minute, 2)); due > 0 {
			t.Errorf("a closed window is told in %v, want at once", due)
		}
		if rows := flush(); rows != 3 {
			t.Errorf("%d rows, want 3", rows)
		}
		for as := range uint64(4) {
			if due := handle(at(7*minute, as)); due != cfg.FlushInterval {
				t.Errorf("due in %v with %d of 5 keys", due, as+1)
			}
		}
		if due := handle(at(7*minute, 4)); due > 0 {
			t.Errorf("full memory is flushed in %v, want at once", due)
		}
		flush()
		if due := handle(&flow.Batch{}); due != cfg.FlushInterval {
			t.Errorf("due in %v after an empty message, which must be covered too", due)
		}
		if rows := flush(); rows != 0 {
			t.Errorf("%d rows of nothing", rows)
		}
	})
}
