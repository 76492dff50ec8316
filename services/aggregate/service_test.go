// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
	"github.com/weirflow/weir/flow/rollup"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

const partitions = 3

// start runs a Service until the test ends or stop is called.
func start(t *testing.T, s *bustest.Server, cfg Config) (stop func()) {
	t.Helper()
	service, err := New(cfg, s.Connect(bus.Aggregate, s.Config(partitions)), slog.New(slog.NewTextHandler(t.Output(), nil)), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- service.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// collected is what a reader of ROLLUPS has added up.
type collected struct {
	mu   sync.Mutex
	sums map[key]row
}

func (c *collected) flows() (n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.sums {
		n += r.Flows
	}
	return n
}

// collect reads ROLLUPS until the test ends.
func collect(t *testing.T, s *bustest.Server) *collected {
	t.Helper()
	c := &collected{sums: map[key]row{}}
	b := s.Connect(bus.Insert, s.Config(partitions))
	ctx, cancel := context.WithCancel(t.Context())
	var reader sync.WaitGroup
	reader.Go(func() {
		err := bus.Sink(ctx, b, bus.Rollups, bus.SinkConfig{MaxRows: 1000, MaxWait: 50 * time.Millisecond},
			func(_ context.Context, _ string, batch []*weirv1.RollupBatch) error {
				c.mu.Lock()
				defer c.mu.Unlock()
				for _, m := range batch {
					merge(c.sums, partialsOf(t, m))
				}
				return nil
			})
		if err != nil {
			t.Errorf("read rollups: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		reader.Wait()
	})
	return c
}

// publish appends flows to ENRICHED, in small messages over all partitions.
func publish(t *testing.T, b *bus.Bus, rnd *rand.Rand, flows []testFlow) {
	t.Helper()
	p := b.NewPublisher(bus.Enriched, 64<<20)
	ctx, cancel := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	sending.Go(func() { _ = p.Run(ctx) })
	defer sending.Wait()
	defer cancel()
	for len(flows) > 0 {
		n := min(len(flows), 1+rnd.IntN(50))
		if err := p.Publish(rnd.IntN(partitions), batchOf(flows[:n]...), func() {}); err != nil {
			t.Fatal(err)
		}
		flows = flows[n:]
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsEnrichedIsSummedOnce(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	cfg := DefaultConfig()
	cfg.Builtin, cfg.FlushInterval = nil, 100*time.Millisecond
	r := testRollup
	r.Name = "test_5m"
	cfg.Rollups = []rollup.Rollup{r}
	rnd := rand.New(rand.NewPCG(11, 11))
	flows := randomFlows(rnd, 6000)
	input := s.Connect(bus.Enrich, s.Config(partitions))
	got := collect(t, s)

	stop := start(t, s, cfg)
	publish(t, input, rnd, flows[:3000])
	stop() // with part of it held
	other := start(t, s, cfg)
	publish(t, input, rnd, flows[3000:5000])
	start(t, s, cfg) // a second one beside it
	publish(t, input, rnd, flows[5000:])
	other()

	deadline := time.Now().Add(30 * time.Second)
	for got.flows() < 6000 && time.Now().Before(deadline) {
		<-time.After(20 * time.Millisecond)
	}
	got.mu.Lock()
	defer got.mu.Unlock()
	if diff := cmp.Diff(reference(flows, 5*minute), got.sums); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNewRefusesAWrongConfiguration(t *testing.T) {
	t.Parallel()
	_, err := New(Config{
		Builtin: []string{"flows_5m", "flows_7m"}, AllowedLateness: -1, FlushInterval: 1, IdleAfter: 1, MaxBytes: 1, MaxAhead: -1,
		Rollups: []rollup.Rollup{
			{Name: "flows", Window: 1500 * time.Millisecond, Keys: []string{"src_port/8/8"}, Filter: "flow.proto == 'tcp'", Top: -1},
			{Name: "flows_1h", Window: time.Hour, TimeZone: "Mars/Phobos", Keys: []string{"proto", "proto", "interface"}, Measures: []string{"max(src_country)"}},
		},
	}, nil, nil, prometheus.NewRegistry())
	const want = `configure aggregate: allowed_lateness: -1ns is not between 0s and 24h0m0s
flush_interval: 1ns is not between 100ms and 1m0s
idle_after: 1ns is not between 1s and 24h0m0s
max_ahead: -1ns is not between 0s and 24h0m0s
max_bytes: 1 is not between 1048576 (1 MiB) and 17179869184 (16 GiB)
builtin: there is no rollup flows_7m
rollups[0].name: flows is another table
rollups[0].window: 1.5s is not whole seconds between 10s and 24h0m0s
rollups[0].top: -1 is not between 0 and 65536
rollups[0].keys: "src_port/8/8": src_port is no address
rollups[0].filter: line 1, column 12: invalid operation: == (mismatched types int and string)
rollups[1].time_zone: unknown time zone Mars/Phobos
rollups[1].time_zone: is only for windows of 24h, which it makes days
rollups[1].keys: interface and direction go together, or host and direction
rollups[1].measures: "max(src_country)": src_country is no field that is a number
rollups[1].name: there is a rollup flows_1h already`
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}
