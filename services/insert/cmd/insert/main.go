// SPDX-License-Identifier: Apache-2.0

// Command insert runs the insert service alone.
package main

import (
	"context"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/migrations"
	"github.com/weirflow/weir/services/insert"
)

// clickhouseConfig is the section clickhouse of the common file. This process uses a server
// that is there, so it passes over how to start one.
type clickhouseConfig struct {
	DSN          string         `yaml:"dsn" secret:"true" usage:"ClickHouse server to use, clickhouse://user:password@host:9000"`
	Database     string         `yaml:"database" usage:"database of the tables"`
	Cluster      string         `yaml:"cluster" usage:"not used: the tables are there"`
	KeepDays     map[string]int `yaml:"keep_days" usage:"not used: the tables are there"`
	NativeListen string         `yaml:"native_listen" usage:"not used: no server is started"`
	HTTPListen   string         `yaml:"http_listen" usage:"not used: no server is started"`
	Engine       string         `yaml:"engine" usage:"not used: no server is started"`
}

func main() {
	cfg := struct {
		NATS       bus.Config       `yaml:"nats"`
		ClickHouse clickhouseConfig `yaml:"clickhouse"`
		Insert     insert.Config    `yaml:"insert"`
	}{bus.DefaultConfig(), clickhouseConfig{DSN: "clickhouse://127.0.0.1:9000", Database: "weir"}, insert.DefaultConfig()}
	daemon.Main("insert", &cfg, func(ctx context.Context, p *daemon.Process) (daemon.Runner, error) {
		b, err := bus.Connect(ctx, cfg.NATS, bus.Insert, p.Log, p.Metrics)
		if err != nil {
			return nil, err
		}
		p.OnExit(b.Close)
		p.Watch("nats", b)
		cfg.Insert.DSN, cfg.Insert.Database = cfg.ClickHouse.DSN, cfg.ClickHouse.Database
		if cfg.Insert.Migration, err = migrations.Latest(); err != nil {
			return nil, err
		}
		return insert.New(cfg.Insert, b, p.Log, p.Metrics)
	})
}
