// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
	"github.com/weirflow/weir/services/decode"
	"github.com/weirflow/weir/services/enrich"
	"github.com/weirflow/weir/services/insert"
)

// rerun is one weir replay: the services decode, enrich and insert on a NATS server of their own,
// and a database of their own whose table flows becomes the one that is wanted.
type rerun struct {
	config
	process   *daemon.Process
	from      *bus.Bus
	log       *slog.Logger
	out       io.Writer
	since     time.Duration
	exporters []netip.Prefix
	into      string
	store     bus.Config // of the private server
}

// rerunBytes is the disk that a replay takes at most: what does not fit waits.
const rerunBytes = 2 << 30

// run replays and makes the table.
func (r *rerun) run(ctx context.Context) error {
	if !awaitBus(ctx, r.from, r.log) {
		return nil
	}
	tables, err := r.prepareTables(ctx)
	if err != nil {
		return err
	}
	defer tables.close()
	dir, err := os.MkdirTemp("", "weir-replay-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r.store = r.NATS
	r.store.MaxBytes, r.store.Replicas = min(r.NATS.MaxBytes, rerunBytes), 1
	ns, err := startNATS(natsServerConfig{SyncInterval: time.Hour}, r.store, dir, r.log)
	if err != nil {
		return err
	}
	defer stopNATS(ns)
	n, err := r.through(ctx, ns, tables.database)
	if err != nil {
		return err
	}
	rows, err := tables.publish(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "%d datagrams became %d rows of %s.%s\n", n, rows, r.ClickHouse.Database, r.into)
	return nil
}

// through sends the kept datagrams through the services.
func (r *rerun) through(ctx context.Context, ns *server.Server, database string) (datagrams int, err error) {
	begin := time.Now().Add(-r.since)
	b, err := r.connect(ctx, ns, operatorName)
	if err != nil {
		return 0, err
	}
	defer b.Close()
	if err := b.Ensure(ctx); err != nil {
		return 0, err
	}
	if err := r.told(ctx, b, begin); err != nil {
		return 0, err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	ended, err := r.services(running, ns, database)
	if err != nil {
		return 0, err
	}
	work := make(chan error, 1)
	go func() {
		var err error
		if datagrams, err = r.copy(running, b, begin); err == nil {
			err = r.finished(running, b)
		}
		work <- err
	}()
	select {
	case err = <-work:
		stop()
		err = errors.Join(err, <-ended)
	case err = <-ended: // before it was told to
		stop()
		err = errors.Join(err, <-work)
	}
	if err != nil {
		return 0, err
	}
	return datagrams, r.noLetters(ctx, b)
}

// noLetters fails where messages could not be processed: their rows are missing.
func (r *rerun) noLetters(ctx context.Context, b *bus.Bus) error {
	n := 0
	err := b.Letters(ctx, func(l *bus.Letter) error {
		n++
		r.log.Error("message could not be processed", "stage", l.Stage, "stream", l.Stream, "reason", l.Reason)
		return nil
	})
	if err == nil && n > 0 {
		err = fmt.Errorf("%d messages could not be processed", n)
	}
	return err
}

func (r *rerun) connect(ctx context.Context, ns *server.Server, stage string) (*bus.Bus, error) {
	cfg := r.store
	cfg.URL = nats.DefaultURL // not used, and the one of the settings may ask for TLS
	cfg.User, cfg.Password, cfg.PasswordFile, cfg.CAFile = "", "", "", ""
	p := r.process.For("replay-" + stage)
	return bus.Connect(ctx, cfg, stage, p.Log, p.Metrics, nats.InProcessServer(ns))
}

// services runs them until ctx ends, and tells then, or when one of them fails.
func (r *rerun) services(ctx context.Context, ns *server.Server, database string) (<-chan error, error) {
	cfg := r.Insert
	cfg.DSN, cfg.Database = r.ClickHouse.DSN, database
	builders := []struct {
		stage string
		build builder
	}{
		{bus.Insert, func(p *daemon.Process, b *bus.Bus) (daemon.Runner, error) {
			return insert.New(cfg, b, p.Log, p.Metrics)
		}},
		{bus.Aggregate, func(_ *daemon.Process, b *bus.Bus) (daemon.Runner, error) { return sumsOfNothing(b), nil }},
		{bus.Enrich, func(p *daemon.Process, b *bus.Bus) (daemon.Runner, error) {
			return enrich.New(r.Enrich, b, p.Log, p.Metrics)
		}},
		{bus.Decode, func(p *daemon.Process, b *bus.Bus) (daemon.Runner, error) {
			return decode.New(r.Decode, b, p.Log, p.Metrics)
		}},
	}
	group := daemon.Group{}
	var buses []*bus.Bus
	for _, s := range builders {
		b, err := r.connect(ctx, ns, s.stage)
		if err != nil {
			return nil, err
		}
		buses = append(buses, b)
		runner, err := s.build(r.process.For(s.stage), b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.stage, err)
		}
		group.Members = append(group.Members, daemon.Member{Name: s.stage, Runner: runner})
	}
	ended := make(chan error, 1)
	go func() {
		err := group.Run(ctx)
		for _, b := range buses {
			b.Close()
		}
		ended <- err
	}()
	return ended, nil
}

// sumsOfNothing reads ENRICHED in the place of aggregate, for which truncation would wait.
func sumsOfNothing(b *bus.Bus) daemon.Runner {
	return once(func(ctx context.Context) error {
		return bus.Process(ctx, b, bus.Enriched, bus.Rollups, func(context.Context, int) (bus.Handler[flow.Batch, weirv1.RollupBatch], error) {
			return unread{}, nil
		})
	})
}

type unread struct{}

// Handle implements bus.Handler.
func (unread) Handle(context.Context, *flow.Batch, *weirv1.RollupBatch) error { return nil }

// rerunTables are a database with the tables of another one, empty.
type rerunTables struct {
	conn     driver.Conn
	database string // that replay writes to
	table    string // that it becomes
}

// prepareTables makes the tables. What a replay into the same table has left that was cut short
// is gone then.
func (r *rerun) prepareTables(ctx context.Context) (_ *rerunTables, err error) {
	opts, err := driver.ParseDSN(r.ClickHouse.DSN)
	if err != nil {
		return nil, misuse("clickhouse.dsn: want e.g. clickhouse://user:password@host:9000") // it may hold a password
	}
	opts.Auth.Database = r.ClickHouse.Database
	t := &rerunTables{database: r.ClickHouse.Database + "_replay_" + r.into, table: r.ClickHouse.Database + "." + r.into}
	if t.conn, err = driver.Open(opts); err != nil {
		return nil, fmt.Errorf("open ClickHouse: %w", err)
	}
	defer func() {
		if err != nil {
			_ = t.conn.Close()
		}
	}()
	var there uint8
	if err := t.conn.QueryRow(ctx, "EXISTS TABLE "+t.table).Scan(&there); err != nil {
		return nil, fmt.Errorf("look for %s: %w", t.table, err)
	}
	if there != 0 {
		return nil, fmt.Errorf("table %s: is there already; name another one, or drop it", t.table)
	}
	for _, sql := range []string{"DROP DATABASE IF EXISTS " + t.database + " SYNC", "CREATE DATABASE " + t.database} {
		if err := t.conn.Exec(ctx, sql); err != nil {
			return nil, fmt.Errorf("%s: %w", sql, err)
		}
	}
	return t, t.copyTables(ctx, r.ClickHouse.Database)
}

// copyTables makes empty tables as those of a database.
func (t *rerunTables) copyTables(ctx context.Context, of string) error {
	var names []string
	rows, err := t.conn.Query(ctx, "SELECT name FROM system.tables WHERE database = ? AND engine LIKE '%MergeTree'", of)
	if err != nil {
		return fmt.Errorf("list the tables of %s: %w", of, err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if !slices.Contains(names, "flows") {
		return fmt.Errorf("database %s: has no table flows of its own, which it has not on a cluster; replay on a server with such a one", of)
	}
	for _, name := range names {
		if err := t.conn.Exec(ctx, fmt.Sprintf("CREATE TABLE %s.%s AS %s.%[2]s", t.database, name, of)); err != nil {
			return fmt.Errorf("make table %s: %w", name, err)
		}
	}
	return nil
}

// publish gives the table flows its name, and returns its rows.
func (t *rerunTables) publish(ctx context.Context) (rows uint64, err error) {
	if err := t.conn.QueryRow(ctx, "SELECT count() FROM "+t.database+".flows").Scan(&rows); err != nil {
		return 0, fmt.Errorf("count rows: %w", err)
	}
	if err := t.conn.Exec(ctx, fmt.Sprintf("RENAME TABLE %s.flows TO %s", t.database, t.table)); err != nil {
		return 0, fmt.Errorf("make table %s: %w", t.table, err)
	}
	return rows, nil
}

// close deletes what is left.
func (t *rerunTables) close() {
	_ = t.conn.Exec(context.Background(), "DROP DATABASE IF EXISTS "+t.database)
	_ = t.conn.Close()
}
