// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
)

// Service writes flows, rollups and counters into ClickHouse.
type Service struct {
	cfg Config
	bus *bus.Bus
	log *slog.Logger
	m   *metrics
}

// New checks cfg and prepares a Service. It does no I/O and starts no goroutine.
func New(cfg Config, b *bus.Bus, log *slog.Logger, reg prometheus.Registerer) (*Service, error) {
	err := cfg.Validate()
	if cfg.DSN == "" {
		err = errors.Join(err, errDSN)
	}
	if err != nil {
		return nil, fmt.Errorf("insert configuration: %w", err)
	}
	return &Service{cfg: cfg, bus: b, log: log, m: newMetrics(reg)}, nil
}

// Run writes until ctx ends; what is not confirmed then is written by whoever runs next. A
// clean stop returns nil.
func (s *Service) Run(ctx context.Context) error {
	to, err := openServers(s.cfg)
	if err != nil {
		return err
	}
	defer to.Close() // nothing is under way any more
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cfg := bus.SinkConfig{MaxRows: s.cfg.MaxRows, MaxWait: s.cfg.MaxWait}
	flows, rollups, counters := s.writer(to, bus.Enriched), s.writer(to, bus.Rollups), s.writer(to, bus.Counters)
	if flows.awaitSchema(ctx) != nil {
		return nil //nolint:nilerr // ctx has ended
	}
	const sinks = 3
	done := make(chan error, sinks)
	go func() { done <- bus.Sink(ctx, s.bus, bus.Enriched, cfg, flows.writeFlows) }()
	go func() { done <- bus.Sink(ctx, s.bus, bus.Rollups, cfg, rollups.writeRollups) }()
	go func() { done <- bus.Sink(ctx, s.bus, bus.Counters, cfg, counters.writeCounters) }()
	for range sinks {
		err = errors.Join(err, <-done)
		stop()
	}
	return err
}

func (s *Service) writer(to *servers, in bus.Stream) *writer {
	return &writer{
		cfg: s.cfg, servers: to, conn: to.conns[0],
		log: s.log.With("stream", in.Name), m: s.m, tables: map[string]*table{},
	}
}
