// SPDX-License-Identifier: Apache-2.0

// Command enrich runs the service enrich: FLOWS → ENRICHED.
package main

import (
	"context"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/services/enrich"
)

func main() {
	cfg := struct {
		NATS   bus.Config    `yaml:"nats"`
		Enrich enrich.Config `yaml:"enrich"`
	}{bus.DefaultConfig(), enrich.DefaultConfig()}
	daemon.Main("enrich", &cfg, func(ctx context.Context, p *daemon.Process) (daemon.Runner, error) {
		b, err := bus.Connect(ctx, cfg.NATS, bus.Enrich, p.Log, p.Metrics)
		if err != nil {
			return nil, err
		}
		p.OnExit(b.Close)
		p.Watch("nats", b)
		return enrich.New(cfg.Enrich, b, p.Log, p.Metrics)
	})
}
