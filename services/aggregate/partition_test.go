// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/flow/rollup"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

func TestWhenAPartitionFlushes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.Builtin, cfg.Rollups = nil, []rollup.Rollup{testRollup}
		p, err := newPartition(cfg, newShares(cfg.MaxBytes), newMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler), 3)
		if err != nil {
			t.Fatal(err)
		}
		p.windows.limits.rows = 5
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
			if until := time.Until(p.Due()); until <= 0 {
				t.Errorf("due in %v after a flush", until)
			}
			return out.Rows()
		}
		at := func(ns, as uint64) *flow.Batch {
			return batchOf(testFlow{start: base + ns, end: base + ns, received: base + ns, srcAS: as})
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

func TestIdlePartitionsCloseByTheWallClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.Builtin, cfg.Rollups = nil, []rollup.Rollup{testRollup}
		p, err := newPartition(cfg, newShares(cfg.MaxBytes), newMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler), 3)
		if err != nil {
			t.Fatal(err)
		}
		wait := func() {
			t.Helper()
			if until := time.Until(p.Due()); until > 0 {
				<-time.After(until)
			}
		}
		closed := func() int64 {
			t.Helper()
			var out weirv1.RollupBatch
			if err := p.Flush(t.Context(), &out); err != nil {
				t.Fatal(err)
			}
			if len(out.GetRollups()) != 1 || len(out.GetRollups()[0].GetClosed()) != 1 {
				t.Fatalf("got %v, want a window that is closed", &out)
			}
			return out.GetRollups()[0].GetClosed()[0]
		}
		// The clock starts at the start of a window.
		start := time.Now()
		wait()
		if got := time.Since(start); got != cfg.IdleAfter {
			t.Errorf("a partition without any flow is due after %v", got)
		}
		if got, want := closed(), start.Add(-10*time.Minute).Unix(); got != want {
			t.Errorf("closed %d, want %d: the one before it may still grow", got, want)
		}
		wait()
		if got := time.Since(start); got != cfg.IdleAfter+cfg.AllowedLateness {
			t.Errorf("the next one closes after %v", got)
		}
		if got, want := closed(), start.Add(-5*time.Minute).Unix(); got != want {
			t.Errorf("closed %d, want %d", got, want)
		}
		end := uint64(time.Now().UnixNano()) //nolint:gosec // positive
		if err := p.Handle(t.Context(), batchOf(testFlow{start: end, end: end, received: end, bytes: 1}), nil); err != nil {
			t.Fatal(err)
		}
		if got := time.Until(p.Due()); got != cfg.FlushInterval {
			t.Errorf("the flow is due in %v", got)
		}
		wait()
		var out weirv1.RollupBatch
		if err := p.Flush(t.Context(), &out); err != nil || out.Rows() != 1 || len(out.GetRollups()[0].GetClosed()) > 0 {
			t.Errorf("got %v, %v, want a row and no marker", &out, err)
		}
		wait()
		if got, want := time.Since(start), 5*time.Minute+cfg.AllowedLateness+cfg.IdleAfter; got != want {
			t.Errorf("the window of the flow closes after %v, want %v", got, want)
		}
		if got := closed(); got != start.Unix() {
			t.Errorf("closed %d, want %d", got, start.Unix())
		}
	})
}
