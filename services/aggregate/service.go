// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// Service sums flows up.
type Service struct {
	cfg    Config
	bus    *bus.Bus
	log    *slog.Logger
	m      *metrics
	shares *shares
}

// New checks cfg and prepares a Service. It does no I/O and starts no goroutine.
func New(cfg Config, b *bus.Bus, log *slog.Logger, reg prometheus.Registerer) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configure aggregate: %w", err)
	}
	return &Service{cfg: cfg, bus: b, log: log, m: newMetrics(reg), shares: newShares(cfg.MaxBytes)}, nil
}

// Run aggregates until ctx ends, then sends what it holds. A clean stop returns nil.
func (s *Service) Run(ctx context.Context) error {
	return bus.Process(ctx, s.bus, bus.Enriched, bus.Rollups, s.open)
}

// open takes partition p over. What the last owner had not flushed comes again.
func (s *Service) open(ctx context.Context, p int) (bus.Handler[flow.Batch, weirv1.RollupBatch], error) {
	part, err := newPartition(s.cfg, s.shares, s.m, s.log, p)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, part.close)
	return part, nil
}
