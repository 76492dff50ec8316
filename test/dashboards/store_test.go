// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
	"github.com/weirflow/weir/clickhouse/clickhousetest"
	"github.com/weirflow/weir/migrations"
	"github.com/weirflow/weir/services/aggregate"
	"github.com/weirflow/weir/services/insert"
)

// store is a ClickHouse with the demo data of the hour [from, to) and, thinner, of the same
// hour a day and a week before.
type store struct {
	conn     clickhouse.Conn
	server   *clickhousetest.Server
	database string
	from, to time.Time
	flows    []demoFlow // of the hour
	before   []demoFlow // a day before
	samples  []counterSample
}

const (
	patience   = 2 * time.Minute
	partitions = 4
	perMinute  = 500
)

// newStore publishes the demo flows to ENRICHED, from where aggregate and insert bring them into tables.
func newStore(t *testing.T) *store {
	t.Helper()
	server := clickhousetest.New(t)
	s := &store{server: server, database: server.Database(t)}
	s.conn = server.Open(t, s.database)
	log := slog.New(slog.DiscardHandler)
	if err := migrations.Up(t.Context(), server.DSN(""), s.database, log); err != nil {
		t.Fatal(err)
	}
	// A whole hour of whole windows that are past.
	s.to = time.Now().UTC().Add(-time.Minute).Truncate(5 * time.Minute)
	s.from = s.to.Add(-time.Hour)
	s.flows, s.before = demo(s.from, 60, perMinute, 1), demo(s.from.AddDate(0, 0, -1), 60, perMinute/10, 2)
	all := slices.Concat(demo(s.from.AddDate(0, 0, -7), 60, perMinute/20, 3), s.before, s.flows)

	js := bustest.New(t)
	stop := sync.OnceFunc(startStages(t, js, server.DSN(""), s.database, log))
	t.Cleanup(stop)
	s.samples = counterSamples(s.from, s.flows)
	source := js.Connect(bus.Enrich, js.Config(partitions))
	publish(t, source, bus.Enriched, batches(all))
	publish(t, source, bus.Counters, []bus.Message{countersOf(s.from, s.samples, healthOf(s.from))})
	s.await(t, "flows", "SELECT count() FROM flows", len(all))
	for _, rollup := range []string{"flows_1m", "flows_5m", "flows_1h", "hosts_5m", "receivers_5m", "services_5m"} {
		s.await(t, rollup, "SELECT sum(flows) FROM "+rollup, len(all))
	}
	s.await(t, "interfaces_1m", "SELECT sum(flows) FROM interfaces_1m", 2*len(all))
	s.await(t, "interface_counters", "SELECT count() FROM interface_counters", len(s.samples))
	s.await(t, "exporter_health", "SELECT count() FROM exporter_health", len(demoExporters())*60)
	stop()
	return s
}

// startStages runs aggregate and insert and returns what stops them.
func startStages(t *testing.T, js *bustest.Server, dsn, database string, log *slog.Logger) (stop func()) {
	t.Helper()
	sums := aggregate.DefaultConfig()
	sums.FlushInterval = 200 * time.Millisecond
	a, err := aggregate.New(sums, js.Connect(bus.Aggregate, js.Config(partitions)), log, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	rows := insert.DefaultConfig()
	rows.DSN, rows.Database, rows.MaxWait = dsn, database, 200*time.Millisecond
	i, err := insert.New(rows, js.Connect(bus.Insert, js.Config(partitions)), log, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{a.Run, i.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Errorf("run a stage: %v", err)
			}
		})
	}
	return func() {
		cancel()
		running.Wait()
	}
}

func batches(flows []demoFlow) (all []bus.Message) {
	for part := range slices.Chunk(flows, 2000) {
		all = append(all, batchOf(part))
	}
	return all
}

func publish(t *testing.T, b *bus.Bus, to bus.Stream, messages []bus.Message) {
	t.Helper()
	p := b.NewPublisher(to, 1<<30)
	ctx, cancel := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	sending.Go(func() { _ = p.Run(ctx) })
	defer sending.Wait()
	defer cancel()
	for n, message := range messages {
		wait(t, "room in the stream", func() bool { return p.Publish(n%partitions, message, func() {}) == nil })
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// await waits until a query's one number is want.
func (s *store) await(t *testing.T, what, query string, want int) {
	t.Helper()
	wait(t, fmt.Sprintf("%d flows in %s", want, what), func() bool {
		var got uint64
		if err := s.conn.QueryRow(t.Context(), query).Scan(&got); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if got > uint64(want) {
			t.Fatalf("%s: %d flows, want %d", what, got, want)
		}
		return got == uint64(want)
	})
}

func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}
