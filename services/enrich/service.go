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

// Service enriches flows. Its partitions share what is known.
type Service struct {
	cfg     Config
	bus     *bus.Bus
	m       *metrics
	library *library
	poller  *poller // nil if no exporter is asked by SNMP
	twins   *twins
}

// New checks cfg and prepares a Service. It does no I/O and starts no goroutine.
func New(cfg Config, b *bus.Bus, log *slog.Logger, reg prometheus.Registerer) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configure enrich: %w", err)
	}
	m := newMetrics(reg)
	s := &Service{cfg: cfg, bus: b, m: m, library: newLibrary(cfg, log, m), twins: newTwins(cfg.Duplicates)}
	if len(cfg.SNMP.Targets) > 0 {
		s.poller = newPoller(s.library, func(ctx context.Context, p int, key string, value []byte) error {
			return b.PutState(ctx, bus.Exporters, p, key, value)
		})
	}
	return s, nil
}

// Run enriches until ctx ends. A clean stop returns nil. It reads the files before the
// first flow; one that is missing is logged, and taken up when it comes.
func (s *Service) Run(ctx context.Context) error {
	s.library.refresh()
	ctx, cancel := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel()
	if len(s.library.files) > 0 {
		beside.Go(func() { s.library.watch(ctx, s.cfg.PollInterval) })
	}
	if s.poller != nil {
		beside.Go(func() { s.poller.run(ctx) })
	}
	return bus.Process(ctx, s.bus, bus.Flows, bus.Enriched, s.open)
}

// Detail says which files are not in use as they are, for /readyz. Flows go on all the same.
func (s *Service) Detail() string { return s.library.problems() }

// open takes partition p over, with what its exporters told by SNMP.
func (s *Service) open(ctx context.Context, p int) (bus.Handler[flow.Batch, flow.Batch], error) {
	e := newEnricher(s.library, s.twins)
	if s.poller != nil {
		err := s.bus.LoadState(ctx, bus.Exporters, p, func(key string, value []byte) error {
			return s.poller.restore(p, key, value)
		})
		if err != nil {
			return nil, err
		}
		e.observers.want = func(exporter [16]byte) { s.poller.want(p, exporter) }
	}
	return &partition{m: s.m, enricher: e}, nil
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
	p.m.observerHits.Add(float64(c.observerHits))
	p.m.observerMisses.Add(float64(c.observerMisses))
	p.m.ruleErrors.Add(float64(c.ruleErrors))
	for d := counted + 1; d < numDuplicates; d++ {
		p.m.duplicates.WithLabelValues(policyOf(d)).Add(float64(c.duplicates[d]))
	}
	p.m.hidden.Add(float64(c.hidden))
	return nil
}
