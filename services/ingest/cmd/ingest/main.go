// SPDX-License-Identifier: Apache-2.0

// Command ingest runs the ingest service alone.
package main

import (
	"context"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/services/ingest"
)

func main() {
	cfg := struct {
		NATS   bus.Config    `yaml:"nats"`
		Ingest ingest.Config `yaml:"ingest"`
	}{bus.DefaultConfig(), ingest.DefaultConfig()}
	daemon.Main("ingest", &cfg, func(ctx context.Context, p *daemon.Process) (daemon.Runner, error) {
		b, err := bus.Connect(ctx, cfg.NATS, bus.Ingest, p.Log, p.Metrics)
		if err != nil {
			return nil, err
		}
		p.OnExit(b.Close)
		p.Watch("nats", b)
		return ingest.New(cfg.Ingest, b, p.Log, p.Metrics)
	})
}
