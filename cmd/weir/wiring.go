// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/clickhouse"
	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/services/aggregate"
	"github.com/weirflow/weir/services/decode"
	"github.com/weirflow/weir/services/enrich"
	"github.com/weirflow/weir/services/ingest"
	"github.com/weirflow/weir/services/insert"
)

// wiring builds the services as processes of their own would, each with its bus,
// log and metrics.
type wiring struct {
	config
	process    *daemon.Process
	nats       *server.Server
	clickhouse *clickhouse.Server
}

// builder makes one service.
type builder func(*daemon.Process, *bus.Bus) (daemon.Runner, error)

// services returns the services in the order in which a flow passes them.
func (w wiring) services(ctx context.Context) ([]daemon.Member, error) {
	var volume *disk
	builders := []struct {
		stage string
		build builder
	}{
		{bus.Ingest, func(p *daemon.Process, b *bus.Bus) (daemon.Runner, error) {
			volume = newDisk(w.Data, b, p.Log, p.Metrics)
			return ingest.New(w.Ingest, b, p.Log, p.Metrics)
		}},
		{bus.Decode, func(p *daemon.Process, b *bus.Bus) (daemon.Runner, error) {
			return decode.New(w.Decode, b, p.Log, p.Metrics)
		}},
		{bus.Enrich, func(p *daemon.Process, b *bus.Bus) (daemon.Runner, error) {
			return enrich.New(w.Enrich, b, p.Log, p.Metrics)
		}},
		{bus.Aggregate, func(p *daemon.Process, b *bus.Bus) (daemon.Runner, error) {
			return aggregate.New(w.Aggregate, b, p.Log, p.Metrics)
		}},
		{bus.Insert, func(p *daemon.Process, b *bus.Bus) (daemon.Runner, error) {
			return w.insert(p, b)
		}},
	}
	var members []daemon.Member
	for _, s := range builders {
		r, err := w.service(ctx, s.stage, s.build)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.stage, err)
		}
		members = append(members, daemon.Member{Name: s.stage, Runner: r, Drain: w.drain(s.stage)})
	}
	return append(members, daemon.Member{Name: "disk", Runner: volume}), nil
}

// drain waits until a stage has passed on what it read. Ingest reads no stream.
func (w wiring) drain(stage string) func(context.Context) {
	switch stage {
	case bus.Ingest:
		return nil
	case bus.Insert:
		return drained(w.process.Gatherer(), stage, w.Insert.MaxWait+settled)
	default:
		return drained(w.process.Gatherer(), stage, settled)
	}
}

// insert waits for the tables before it runs.
func (w wiring) insert(p *daemon.Process, b *bus.Bus) (daemon.Runner, error) {
	cfg := w.Insert
	cfg.DSN, cfg.Database = w.clickhouse.DSN(), w.ClickHouse.Database
	s, err := insert.New(cfg, b, p.Log, p.Metrics)
	if err != nil {
		return nil, err
	}
	return migrated{s, func(ctx context.Context) error {
		return migrate(ctx, w.clickhouse, w.config, p.Log)
	}}, nil
}

func (w wiring) service(ctx context.Context, stage string, build builder) (daemon.Runner, error) {
	p := w.process.For(stage)
	b, err := bus.Connect(ctx, w.NATS, stage, p.Log, p.Metrics, nats.InProcessServer(w.nats))
	if err != nil {
		return nil, err
	}
	p.OnExit(b.Close)
	if err := b.Ensure(ctx); err != nil {
		return nil, err
	}
	r, err := build(p, b)
	if err != nil {
		return nil, err
	}
	p.Watch(stage+"/nats", b)
	p.Watch(stage, r)
	return r, nil
}
