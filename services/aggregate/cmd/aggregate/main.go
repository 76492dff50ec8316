// SPDX-License-Identifier: Apache-2.0

// Command aggregate runs the service aggregate: ENRICHED → ROLLUPS.
package main

import (
	"context"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/services/aggregate"
)

func main() {
	cfg := struct {
		NATS      bus.Config       `yaml:"nats"`
		Aggregate aggregate.Config `yaml:"aggregate"`
	}{bus.DefaultConfig(), aggregate.DefaultConfig()}
	daemon.Main("aggregate", &cfg, func(ctx context.Context, p *daemon.Process) (daemon.Runner, error) {
		b, err := bus.Connect(ctx, cfg.NATS, bus.Aggregate, p.Log, p.Metrics)
		if err != nil {
			return nil, err
		}
		p.OnExit(b.Close)
		p.Watch("nats", b)
		return aggregate.New(cfg.Aggregate, b, p.Log, p.Metrics)
	})
}
