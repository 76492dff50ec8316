// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/flow"
)

// Service enriches flows. Its partitions share the databases.
type Service struct {
	cfg     Config
	bus     *bus.Bus
	m       *metrics
	library *library
}

// New checks cfg and prepares a Service. It does no I/O and starts no goroutine.
func New(cfg Config, b *bus.Bus, log *slog.Logger, reg prometheus.Registerer) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configure enrich: %w", err)
	}
	m := newMetrics(reg)
	return &Service{cfg: cfg, bus: b, m: m, library: newLibrary(cfg, log, m)}, nil
}

// Run enriches until ctx ends. A clean stop returns nil. It reads the databases before the
// first flow; one that is missing is logged, and taken up when it comes.
func (s *Service) Run(ctx context.Context) error {
	s.library.refresh()
	ctx, cancel := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	defer watcher.Wait()
	defer cancel()
	if !s.library.empty() {
		watcher.Go(func() { s.library.watch(ctx, s.cfg.PollInterval) })
	}
	return bus.Process(ctx, s.bus, bus.Flows, bus.Enriched, s.open)
}

// open takes partition p over: an empty cache is all that it needs.
func (s *Service) open(context.Context, int) (bus.Handler[flow.Batch, flow.Batch], error) {
	return &partition{m: s.m, enricher: newEnricher(s.library, s.cfg.CacheEntries)}, nil
}

type partition struct {
	m        *metrics
	enricher *enricher
}

// Handle implements bus.Handler.
func (p *partition) Handle(_ context.Context, in, out *flow.Batch) error {
	p.enricher.enrich(in, out)
	c := p.enricher.counts
	p.enricher.counts = counts{}
	p.m.flows.Add(float64(in.Rows()))
	p.m.cacheHits.Add(float64(c.hits))
	p.m.cacheMisses.Add(float64(c.misses))
	p.m.lookupErrors.Add(float64(c.errors))
	return nil
}
