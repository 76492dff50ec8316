// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// source publishes numbered flows and as many rows of flows_5m, and for each message of these two
// rows of interface_counters and one of exporter_health.
type source struct {
	bus                      *bus.Bus
	flows, rollups, counters *bus.Publisher
	next                     int
}

const perMessage = 500

// publish sends n messages to each stream.
func (s *source) publish(t testing.TB, n int) {
	t.Helper()
	start := uint32(today().Unix())
	for range n {
		p := s.next % s.bus.Partitions()
		m := numbered(t, s.next*perMessage, perMessage)
		r := &weirv1.RollupBatch{Rollups: []*weirv1.Rollup{flows5m(1, window(start),
			[]*weirv1.RollupColumn{values("src_origin_as", []byte{byte(s.next % 7)})},
			[]*weirv1.RollupColumn{values("flows", numbers(perMessage)), values("bytes", []byte{1})})}}
		send(t, s.flows, p, m)
		send(t, s.rollups, p, r)
		send(t, s.counters, p, countersOf(s.next))
		s.next++
	}
}

func send(t testing.TB, to *bus.Publisher, p int, m bus.Message) {
	t.Helper()
	eventually(t, "room in the stream", func() bool { return to.Publish(p, m, func() {}) == nil })
}

// startService runs the service and returns what stops it.
func startService(t testing.TB, js *bustest.Server, cfg Config, busConfig bus.Config) (stop func()) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := New(cfg, js.Connect(bus.Insert, busConfig), log, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("Run does not end")
		}
	}
}

// total is what the tables hold, as text.
func (f *fixture) total(t testing.TB) string {
	t.Helper()
	return f.count(t, `SELECT (count(), uniqExact(sequence_num)) FROM flows`) + " " +
		f.count(t, `SELECT (sum(flows), sum(bytes)) FROM flows_5m`) + " " +
		f.count(t, `SELECT (count(), uniqExact(in_octets)) FROM interface_counters`) + " " +
		f.count(t, `SELECT sum(datagrams) FROM exporter_health`)
}

func (s *source) total() string {
	flows := s.next * perMessage
	return fmt.Sprintf("(%d,%d) (%d,%d) (%d,%d) %d", flows, flows, flows, s.next, 2*s.next, 2*s.next, s.next)
}

func newSource(t testing.TB, js *bustest.Server, cfg bus.Config) *source {
	t.Helper()
	b := js.Connect("source", cfg)
	s := &source{bus: b, flows: b.NewPublisher(bus.Enriched, 1<<24), rollups: b.NewPublisher(bus.Rollups, 1<<24), counters: b.NewPublisher(bus.Counters, 1<<24)}
	for _, p := range s.publishers() {
		go p.Run(t.Context()) //nolint:errcheck // its messages would be missing
	}
	return s
}

func (s *source) publishers() []*bus.Publisher {
	return []*bus.Publisher{s.flows, s.rollups, s.counters}
}

func (s *source) flush(t testing.TB) {
	t.Helper()
	for _, p := range s.publishers() {
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRowsAreThereOnceThoughClickHouseIsKilled(t *testing.T) {
	t.Parallel()
	f, js := newFixture(t), bustest.New(t)
	busConfig := js.Config(4)
	f.cfg.MaxWait, f.cfg.MaxRows = 50*time.Millisecond, 10*perMessage
	source := newSource(t, js, busConfig)
	stop := startService(t, js, f.cfg, busConfig)
	for range 4 {
		source.publish(t, 100)
		f.Kill()
		source.publish(t, 50)
		f.Start()
	}
	source.publish(t, 50)
	source.flush(t)
	eventually(t, "rows "+source.total(), func() bool { return f.total(t) == source.total() })
	stop()
}

func TestRowsAreThereOnceThoughWorkersComeAndGo(t *testing.T) {
	t.Parallel()
	f, js := newFixture(t), bustest.New(t)
	busConfig := js.Config(4)
	f.cfg.MaxWait, f.cfg.MaxRows = 50*time.Millisecond, 10*perMessage
	source := newSource(t, js, busConfig)
	for range 3 {
		first := startService(t, js, f.cfg, busConfig)
		source.publish(t, 60)
		second := startService(t, js, f.cfg, busConfig)
		source.publish(t, 60)
		first()
		source.publish(t, 60)
		second()
	}
	last := startService(t, js, f.cfg, busConfig)
	source.publish(t, 10)
	source.flush(t)
	eventually(t, "rows "+source.total(), func() bool { return f.total(t) == source.total() })
	last()
}
