// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// partition gives the windows of one partition the time of day.
type partition struct {
	windows   *windows
	interval  time.Duration
	idleAfter time.Duration
	due       time.Time // of the next flush, zero while nothing is held
	last      time.Time // when flows came
	warned    time.Time // of a clock
	number    int
	shares    *shares
	m         *metrics
	gauges    partitionMetrics
	log       *slog.Logger
}

func newPartition(cfg Config, s *shares, m *metrics, log *slog.Logger, p int) (*partition, error) {
	w, err := newWindows(cfg.rollups(), cfg.AllowedLateness, limits{
		rows: s.rowsOf(p), octets: s.octetsOfOne, ahead: uint64(cfg.MaxAhead), behind: uint64(cfg.MaxBehind), length: uint64(cfg.MaxDuration), //nolint:gosec // not negative
	})
	if err != nil {
		return nil, err
	}
	s.open.Add(1)
	return &partition{
		windows: w, interval: cfg.FlushInterval, idleAfter: cfg.IdleAfter, last: time.Now(),
		number: p, shares: s, m: m, gauges: m.open(p), log: log,
	}, nil
}

// close gives the partition's share back.
func (p *partition) close() {
	p.shares.open.Add(-1)
	p.m.close(p.number)
}

// Handle implements bus.Handler.
func (p *partition) Handle(_ context.Context, in *flow.Batch, _ *weirv1.RollupBatch) error {
	p.windows.add(in)
	now := time.Now()
	p.last = now
	switch {
	case p.windows.full() || p.windows.closing():
		p.due = now
	case p.due.IsZero():
		p.due = now.Add(p.interval)
	}
	p.warn(now)
	p.m.added(in.Rows(), p.windows)
	p.gauges.keys.Set(float64(p.windows.rows()))
	return nil
}

const warnEvery = 10 * time.Minute

// warn names an exporter whose clock is wrong.
func (p *partition) warn(now time.Time) {
	c := &p.windows.counts
	if c.ahead+c.behind == 0 || now.Sub(p.warned) < warnEvery {
		return
	}
	p.warned = now
	exporter := netip.AddrFrom16(p.windows.in.exporters.value(p.windows.times.skewed)).Unmap()
	p.log.Warn("the clock of an exporter is wrong, its flows are taken by their receipt", "exporter", exporter, "ahead", c.ahead, "behind", c.behind)
}

// Due implements bus.Holder. While nothing is held it is when the wall clock closes the
// next window.
func (p *partition) Due() time.Time {
	if !p.due.IsZero() {
		return p.due
	}
	idle := p.last.Add(p.idleAfter)
	next := time.Unix(0, int64(min(p.windows.closes(), 1<<62))).Add(p.idleAfter) //nolint:gosec // below 2^63
	if next.After(idle) {
		return next
	}
	return idle
}

// Flush implements bus.Holder.
func (p *partition) Flush(_ context.Context, out *weirv1.RollupBatch) error {
	if now := time.Now(); now.Sub(p.last) >= p.idleAfter {
		p.windows.idle(uint64(max(now.Add(-p.idleAfter).UnixNano(), 0))) //nolint:gosec // not negative
	}
	f := p.windows.flush(out)
	if err := p.fits(out); err != nil {
		return err
	}
	p.due = time.Time{}
	p.m.flushed(f)
	p.gauges.keys.Set(0)
	p.gauges.watermark.Set(float64(p.windows.greatest) / 1e9)
	return nil
}

// fits returns an error for what no message can hold. It comes again, and is then flushed when
// it is half as many rows.
func (p *partition) fits(out *weirv1.RollupBatch) error {
	const most = bus.MaxPayload - 64<<10 // the rest is for headers
	if out.SizeVT() <= most {
		return nil
	}
	octets := len(s2.Encode(nil, out.AppendVT(nil)))
	if octets <= most {
		return nil
	}
	rows := out.Rows()
	p.shares.tooLarge(p.number, rows)
	return fmt.Errorf("partial sums of %d rows are %d octets, of at most %d: they are made again in smaller messages", rows, octets, most)
}
