// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"time"

	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// partition gives the windows of one partition the time of day.
type partition struct {
	windows  *windows
	interval time.Duration
	due      time.Time // of the next flush, zero while nothing is held
	m        *metrics
	gauges   partitionMetrics
}

func newPartition(cfg Config, m *metrics, p int) *partition {
	return &partition{
		windows: newWindows(flows5m(cfg), limits{
			keys: cfg.MaxKeys, skew: uint64(cfg.MaxSkew), spread: uint64(cfg.MaxSpread), //nolint:gosec // not negative
		}),
		interval: cfg.FlushInterval, m: m, gauges: m.open(p),
	}
}

// Handle implements bus.Handler.
func (p *partition) Handle(_ context.Context, in *flow.Batch, _ *weirv1.RollupBatch) error {
	p.windows.add(in)
	now := time.Now()
	switch {
	case p.windows.full() || p.windows.closing():
		p.due = now
	case p.due.IsZero():
		p.due = now.Add(p.interval)
	}
	p.m.added(in.Rows(), p.windows.counts)
	p.windows.counts = counts{}
	p.gauges.keys.Set(float64(p.windows.table.len()))
	return nil
}

// Due implements bus.Holder.
func (p *partition) Due() time.Time { return p.due }

// Flush implements bus.Holder.
func (p *partition) Flush(_ context.Context, out *weirv1.RollupBatch) error {
	f := p.windows.flush(out)
	p.due = time.Time{}
	p.m.flushed(f)
	p.gauges.keys.Set(0)
	p.gauges.windows.Set(float64(f.windows))
	p.gauges.watermark.Set(float64(p.windows.watermark()) / 1e9)
	return nil
}
