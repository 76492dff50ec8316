// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/daemon"
)

func newUp() *cobra.Command {
	o := newOptions()
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run all services in one process, with NATS and ClickHouse",
		Long: `up runs ingest, decode, enrich, aggregate and insert in this process, with a NATS server of its own.
ClickHouse is the one of clickhouse.dsn; else up starts a clickhouse program from the PATH; else the
engine that make engine installs. Everything kept lies under --data. Ctrl-C stops ingest, lets the
stages empty their streams and ends; a second Ctrl-C ends at once. What had been accepted goes on at
the next start.

` + daemon.SettingsHelp,
		Example: `  weir up
  weir up --config weir.yaml
  weir up --data /var/lib/weir --clickhouse.dsn clickhouse://user@db.example.net:9000`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.load(); err != nil {
				return err
			}
			s := newScreen(os.Stdout, os.Stderr)
			defer s.leave()
			p := daemon.NewProcess("weir", o.base, s)
			return p.Run(cmd.Context(), func(ctx context.Context, p *daemon.Process) (daemon.Runner, error) {
				return start(ctx, o, p, s)
			})
		},
	}
	o.flags(cmd)
	return cmd
}

// start takes the data folder, starts NATS and puts the rest together. What it
// starts ends through p.
func start(ctx context.Context, o *options, p *daemon.Process, s *screen) (daemon.Runner, error) {
	release, err := lockData(o.Data)
	if err != nil {
		return nil, err
	}
	p.OnExit(release)
	ns, err := startNATS(o.NATSServer, o.NATS, o.Data, p.For("nats").Log)
	if err != nil {
		return nil, err
	}
	p.OnExit(func() { stopNATS(ns) })
	ch, err := newServer(o, p)
	if err != nil {
		return nil, err
	}
	w := wiring{config: o.config, process: p, nats: ns, clickhouse: ch}
	members, err := w.services(ctx)
	if err != nil {
		return nil, err
	}
	s.print(banner(o))
	return daemon.Group{
		Members: append(members,
			daemon.Member{Name: "status", Runner: &status{s, p.Gatherer(), o.StatusInterval}},
			daemon.Member{Name: "clickhouse", Runner: ch}),
		DrainTimeout: o.DrainTimeout,
	}, nil
}

// banner says where everything listens.
func banner(o *options) string {
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-12s"+format+"\n", append([]any{name}, args...)...)
	}
	b.WriteString("weir up\n")
	row("flows", "udp %s, each for NetFlow v5 and v9, IPFIX and sFlow v5", strings.Join(o.Ingest.Listen, " "))
	if o.ClickHouse.DSN != "" {
		row("ClickHouse", "%s, database %s", host(o.ClickHouse.DSN), o.ClickHouse.Database)
	} else {
		row("ClickHouse", "native %s, http://%s/play, database %s", o.ClickHouse.NativeListen, o.ClickHouse.HTTPListen, o.ClickHouse.Database)
	}
	if o.base.HTTP.Listen != "" {
		row("metrics", "http://%s/metrics, /readyz", o.base.HTTP.Listen)
	}
	if o.NATSServer.Listen != "" {
		row("NATS", "nats://%s", o.NATSServer.Listen)
	}
	row("data", "%s", o.Data)
	return b.String()
}

// host is what of a DSN may be shown.
func host(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return "as configured"
	}
	return u.Host
}
