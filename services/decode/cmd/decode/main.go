// SPDX-License-Identifier: Apache-2.0

// Command decode runs the service decode: DATAGRAMS → FLOWS.
package main

import (
	"context"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/services/decode"
)

func main() {
	cfg := struct {
		NATS   bus.Config    `yaml:"nats"`
		Decode decode.Config `yaml:"decode"`
	}{bus.DefaultConfig(), decode.DefaultConfig()}
	daemon.Main("decode", &cfg, func(ctx context.Context, p *daemon.Process) (daemon.Runner, error) {
		b, err := bus.Connect(ctx, cfg.NATS, bus.Decode, p.Log, p.Metrics)
		if err != nil {
			return nil, err
		}
		p.OnExit(b.Close)
		p.Watch("nats", b)
		return decode.New(cfg.Decode, b, p.Log, p.Metrics)
	})
}
