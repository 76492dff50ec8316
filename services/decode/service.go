// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/datagram"
)

// Service decodes datagrams into flows.
type Service struct {
	cfg Config
	bus *bus.Bus
	log *slog.Logger
	m   *metrics

	newCore func() *datagram.Decoder
}

// New checks cfg and prepares a Service. It reads the mapping file, does no other I/O and starts no
// goroutine.
func New(cfg Config, b *bus.Bus, log *slog.Logger, reg prometheus.Registerer) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configure decode: %w", err)
	}
	newCore, err := cfg.Decoders()
	if err != nil {
		return nil, err
	}
	return &Service{cfg: cfg, bus: b, log: log, m: newMetrics(reg), newCore: newCore}, nil
}

// Run decodes until ctx ends, then finishes what it holds. A clean stop returns nil.
func (s *Service) Run(ctx context.Context) error {
	return bus.Process(ctx, s.bus, bus.Datagrams, bus.Flows, s.open)
}

// open takes partition p over: its templates, and what waits for some, are there before its first
// datagram.
func (s *Service) open(ctx context.Context, p int) (bus.Handler[flow.Datagrams, flow.Batch], error) {
	d := newDecoder(s, p, s.newCore())
	if err := d.load(ctx); err != nil {
		return nil, fmt.Errorf("load templates of partition %d: %w", p, err)
	}
	if err := d.loadHeld(ctx); err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, d.gauges.clear)
	return d, nil
}
