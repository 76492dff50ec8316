// SPDX-License-Identifier: Apache-2.0

package decode_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode"
)

const patience = 20 * time.Second

// stack is a JetStream server with a publisher of datagrams and a reader of flows.
type stack struct {
	t      *testing.T
	server *bustest.Server
	cfg    bus.Config
	in     *bus.Publisher
	bytes  chan uint64 // of each flow, in order
}

func newStack(t *testing.T) *stack {
	t.Helper()
	return newStackOf(t, 1)
}

func newStackOf(t *testing.T, partitions int) *stack {
	t.Helper()
	s := &stack{t: t, server: bustest.New(t), bytes: make(chan uint64, 16)}
	s.cfg = s.server.Config(partitions)
	s.in = s.server.Connect(bus.Ingest, s.cfg).NewPublisher(bus.Datagrams, 1<<20)
	s.background(s.in.Run)
	reader := s.server.Connect(bus.Enrich, s.cfg)
	s.background(func(ctx context.Context) error {
		return bus.Sink(ctx, reader, bus.Flows, bus.SinkConfig{MaxRows: 1, MaxWait: time.Millisecond},
			func(_ context.Context, _ string, batch []*flow.Batch) error {
				for _, b := range batch {
					for row := range b.Rows() {
						s.bytes <- b.Number(flow.Bytes, row)
					}
				}
				return nil
			})
	})
	return s
}

// background runs f until stop, or the end of the test.
func (s *stack) background(f func(context.Context) error) (stop func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("a clean stop returned %v", err)
		}
		done <- nil
	}
	s.t.Cleanup(stop)
	return stop
}

// service starts a worker of its own.
func (s *stack) service() (reg *prometheus.Registry, stop func()) {
	s.t.Helper()
	reg = prometheus.NewRegistry()
	log := slog.New(slog.NewTextHandler(s.t.Output(), nil))
	service, err := decode.New(decode.DefaultConfig(), s.server.Connect(bus.Decode, s.cfg), log, reg)
	if err != nil {
		s.t.Fatal(err)
	}
	return reg, s.background(service.Run)
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (s *stack) publish(payload []byte) {
	s.t.Helper()
	var g flow.Datagrams
	exporter := netip.MustParseAddr("2001:db8::9")
	g.Append(&flow.Datagram{Exporter: exporter, Source: netip.AddrPortFrom(exporter, 2055), ReceivedNs: 1, Payload: payload})
	if err := s.in.Publish(0, &g, func() {}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stack) expect(bytes uint64) {
	s.t.Helper()
	select {
	case got := <-s.bytes:
		if got != bytes {
			s.t.Fatalf("flow of %d octets, want %d", got, bytes)
		}
	case <-time.After(patience):
		s.t.Fatalf("no flow of %d octets after %v", bytes, patience)
	}
}

// v9 is a NetFlow v9 packet with one flow set.
func v9(set uint16, body ...uint16) []byte {
	p := make([]byte, 20, 64)
	binary.BigEndian.PutUint16(p, 9)
	p = binary.BigEndian.AppendUint16(p, set)
	p = binary.BigEndian.AppendUint16(p, uint16(4+2*len(body)))
	for _, v := range body {
		p = binary.BigEndian.AppendUint16(p, v)
	}
	return p
}

func TestTemplatesOutliveTheWorker(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	_, stop := s.service()
	s.publish(v9(0, 300, 1, 1, 2)) // template 300: octets, in 2
	s.publish(v9(300, 1000))
	s.expect(1000)
	stop()

	reg, _ := s.service()
	s.publish(v9(300, 2000))
	s.expect(2000)
	if n := testutil.CollectAndCount(reg, "weir_decode_refused_total"); n == 0 {
		t.Error("the metric weir_decode_refused_total is missing")
	}
}

// sflowCounters is a datagram of an agent, with the octets of an interface.
func sflowCounters(octets uint64) []byte {
	header := []byte{3: 5, 7: 1, 8: 192, 10: 2, 11: 1, 27: 1}                   // version, agent, one sample
	sample := []byte{3: 2, 7: 12 + 8 + 88, 11: 9, 15: 3, 19: 1}                 // format, length, sequence, source, one record
	record := binary.BigEndian.AppendUint64([]byte{3: 1, 7: 88, 31: 0}, octets) // format, length, from ifIndex to ifStatus
	return slices.Concat(header, sample, record, make([]byte, 88-32))
}

func TestCountersAreAppendedOnce(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	octets := make(chan uint64, 16)
	reader := s.server.Connect(bus.Insert, s.cfg)
	s.background(func(ctx context.Context) error {
		return bus.Sink(ctx, reader, bus.Counters, bus.SinkConfig{MaxRows: 1, MaxWait: time.Millisecond},
			func(_ context.Context, _ string, batch []*flow.Counters) error {
				var r flow.CounterRow
				for _, c := range batch {
					for row := range c.TableRows(flow.InterfaceCounters) {
						c.Row(flow.InterfaceCounters, row, &r)
						octets <- r.Number(flow.InterfaceCounters.Column("in_octets"))
					}
				}
				return nil
			})
	})
	for want := range uint64(3) { // each by a worker of its own
		_, stop := s.service()
		s.publish(sflowCounters(want))
		select {
		case got := <-octets:
			if got != want {
				t.Errorf("%d octets, want %d", got, want)
			}
		case <-time.After(patience):
			t.Fatalf("no counters after %v", patience)
		}
		stop()
	}
}

func TestTemplatesAreWrittenWhenTheyChange(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	reg, _ := s.service()
	writes := func(want int) {
		t.Helper()
		err := testutil.GatherAndCompare(reg, strings.NewReader(fmt.Sprintf(`
# HELP weir_decode_state_writes_total Times that the state of an exporter was written.
# TYPE weir_decode_state_writes_total counter
weir_decode_state_writes_total %d
`, want)), "weir_decode_state_writes_total")
		if err != nil {
			t.Error(err)
		}
	}
	for n := range uint16(5) {
		s.publish(v9(0, 300, 1, 1, 2))
		s.publish(v9(300, 1000+n))
		s.expect(uint64(1000 + n))
	}
	writes(1)
	s.publish(v9(0, 300, 1, 2, 2)) // packets in the place of octets
	s.publish(v9(300, 1))
	s.expect(0)
	writes(2)
}

func TestConfigNamesEveryProblem(t *testing.T) {
	t.Parallel()
	if err := decode.DefaultConfig().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	cfg := decode.DefaultConfig()
	cfg.MaxFields, cfg.MaxAge = 0, -1
	want := "max_fields: is 0, want 1 to 1024\nmax_age: is -1ns, want 0 or more"
	if err := cfg.Validate(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestMappingFileIsCheckedAtStart(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	cfg := decode.DefaultConfig()
	cfg.MappingFile = filepath.Join(t.TempDir(), "mapping.yaml")
	if err := os.WriteFile(cfg.MappingFile, []byte("ipfix:\n  mapping:\n    - field: 252\n      destination: nowhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := decode.New(cfg, s.server.Connect(bus.Decode, s.cfg), slog.Default(), prometheus.NewRegistry())
	if err == nil || !strings.Contains(err.Error(), "line 4") {
		t.Errorf("error %v, want one of line 4", err)
	}
}
