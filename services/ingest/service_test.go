// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
	"github.com/weirflow/weir/flow"
)

const patience = 20 * time.Second

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("timeout: %s", what)
		}
	}
}

// running is a Service on ports of its own.
type running struct {
	*Service
	t         *testing.T
	addresses []string // of its listeners
	stop      func() error
}

// addresses takes the listeners' addresses out of the log.
type addressLog struct {
	slog.Handler
	mu        *sync.Mutex
	addresses *[]string
}

func (l addressLog) Handle(ctx context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Attrs(func(a slog.Attr) bool {
		if r.Message == "listening" && a.Key == "address" {
			*l.addresses = append(*l.addresses, a.Value.String())
		}
		return true
	})
	return l.Handler.Handle(ctx, r)
}

func testConfig(listen ...string) Config {
	cfg := DefaultConfig()
	cfg.Listen = listen
	cfg.FlushInterval = 5 * time.Millisecond
	cfg.ReceiveBufferBytes = 4 << 20
	return cfg
}

// start runs a Service until the test ends or stop is called.
func start(t *testing.T, cfg Config, b *bus.Bus) *running {
	t.Helper()
	r := &running{t: t}
	l := addressLog{slog.NewTextHandler(t.Output(), nil), new(sync.Mutex), new([]string)}
	s, err := New(cfg, b, slog.New(l), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	r.Service = s
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = r.stop() })
	eventually(t, "listeners are bound", func() bool {
		select {
		case err := <-done:
			t.Fatalf("ended: %v", err)
		default:
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		r.addresses = *l.addresses
		return len(r.addresses) == len(cfg.Listen)
	})
	return r
}

// exporterAt returns a socket that sends from the given address of loopback.
func exporterAt(t *testing.T, source, to string) *net.UDPConn {
	t.Helper()
	target, err := net.ResolveUDPAddr("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(source)}, target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func write(t *testing.T, conn *net.UDPConn, payload []byte) {
	t.Helper()
	if _, err := conn.Write(payload); err != nil {
		t.Fatal(err)
	}
}

// v9 is a datagram that begins as NetFlow v9 and carries n.
func v9(n uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{0, 9}, n)
}

// stored returns every datagram in the stream, as "partition exporter source payload".
func stored(t *testing.T, s *bustest.Server) []flow.Datagram {
	t.Helper()
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), bus.Datagrams.Name)
	if err != nil {
		t.Fatal(err)
	}
	info, err := stream.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []flow.Datagram
	for seq := info.State.FirstSeq; seq <= info.State.LastSeq; seq++ {
		msg, err := stream.GetMsg(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		var rows flow.Datagrams
		if err := rows.UnmarshalVTUnsafe(msg.Data); err != nil {
			t.Fatal(err)
		}
		for d := range rows.All() {
			if want := fmt.Sprintf("datagrams.%d", bus.Partition(d.Exporter, testPartitions)); msg.Subject != want {
				t.Errorf("datagram of %v is on %s, want %s", d.Exporter, msg.Subject, want)
			}
			all = append(all, *d)
		}
	}
	return all
}

const testPartitions = 4

func TestDatagramIsStoredAsItCame(t *testing.T) {
	t.Parallel()
	server := bustest.New(t)
	s := start(t, testConfig("127.0.0.1:0", "[::1]:0"), server.Connect(bus.Ingest, server.Config(testPartitions)))
	sflow := append([]byte{0, 0, 0, 5, 0, 0, 0, 1, 192, 0, 2, 9}, make([]byte, 16)...)
	long := append(v9(1), make([]byte, 60_000)...)
	before := time.Now()
	for _, send := range []struct {
		source   string
		listener int
		payload  []byte
	}{
		{"127.0.0.2", 0, v9(1)},
		{"127.0.0.3", 0, []byte{0, 5, 0, 0}},
		{"127.0.0.4", 0, []byte{0, 10, 1, 2}},
		{"127.0.0.5", 0, sflow},
		{"::1", 1, v9(2)},
		{"127.0.0.6", 0, long},
	} {
		conn := exporterAt(t, send.source, s.addresses[send.listener])
		write(t, conn, send.payload)
	}
	eventually(t, "all are stored", func() bool { return testutil.ToFloat64(s.m.stored) == 6 })

	got := map[string]flow.Datagram{}
	for _, d := range stored(t, server) {
		got[d.Exporter.String()] = d
	}
	for exporter, want := range map[string]struct {
		source   string
		listener int
		payload  []byte
	}{
		"127.0.0.2": {"127.0.0.2", 0, v9(1)}, "127.0.0.3": {"127.0.0.3", 0, []byte{0, 5, 0, 0}},
		"127.0.0.4": {"127.0.0.4", 0, []byte{0, 10, 1, 2}},
		"192.0.2.9": {"127.0.0.5", 0, sflow}, "::1": {"::1", 1, v9(2)}, "127.0.0.6": {"127.0.0.6", 0, long},
	} {
		d := got[exporter]
		if diff := cmp.Diff(want.payload, d.Payload); diff != "" {
			t.Errorf("payload of %s (-want +got):\n%s", exporter, diff)
		}
		if d.Source.Addr() != netip.MustParseAddr(want.source) || d.Source.Port() == 0 {
			t.Errorf("source of %s is %v, want %s with its port", exporter, d.Source, want.source)
		}
		if listener := netip.MustParseAddrPort(s.addresses[want.listener]); d.ListenerPort != listener.Port() {
			t.Errorf("listener port of %s is %d, want %d", exporter, d.ListenerPort, listener.Port())
		}
		at := time.Unix(0, int64(d.ReceivedNs))
		if at.Before(before) || at.After(time.Now()) {
			t.Errorf("receive time of %s is %v, want it between %v and now", exporter, at, before)
		}
	}
}

func TestRefusedDatagramsAreCountedByReasonAndNotStored(t *testing.T) {
	t.Parallel()
	server := bustest.New(t)
	cfg := testConfig("127.0.0.1:0")
	cfg.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32"), netip.MustParsePrefix("10.0.0.0/8")}
	s := start(t, cfg, server.Connect(bus.Ingest, server.Config(testPartitions)))
	good, bad := exporterAt(t, "127.0.0.2", s.addresses[0]), exporterAt(t, "127.0.0.3", s.addresses[0])
	write(t, good, v9(1))
	eventually(t, "the good one is stored", func() bool { return testutil.ToFloat64(s.m.stored) == 1 })

	junk := [][]byte{{}, {9}, {0, 9, 0}, {0, 6, 0, 0}, {0, 11, 0, 0}, {9, 0, 0, 0}, {0, 0, 0, 4}, {0, 0, 0, 6}, []byte(strings.Repeat("x", 1400))}
	for _, payload := range junk {
		write(t, good, payload)
	}
	write(t, bad, v9(1))
	// The agent address of sFlow is not what is allowed: anybody can write anything there.
	write(t, bad, append([]byte{0, 0, 0, 5, 0, 0, 0, 1, 127, 0, 0, 2}, make([]byte, 16)...))
	write(t, good, v9(2))

	refused := func(exporter, reason string) float64 {
		return testutil.ToFloat64(s.m.refused.WithLabelValues(exporter, reason))
	}
	eventually(t, "all have come", func() bool {
		return testutil.ToFloat64(s.m.stored) == 2 && refused("127.0.0.2", unknownVersion) == float64(len(junk))
	})
	eventually(t, "those not allowed are counted", func() bool {
		return refused(other, notAllowed)+refused("127.0.0.2", notAllowed) == 2
	})
	if got := len(stored(t, server)); got != 2 {
		t.Errorf("%d datagrams are stored, want 2", got)
	}
	if got := testutil.ToFloat64(s.m.received.WithLabelValues("127.0.0.2")); got != float64(len(junk))+3 {
		t.Errorf("received from 127.0.0.2: %v, want %d", got, len(junk)+3)
	}
}

func TestExportersBeyondTheLimitAreCountedTogether(t *testing.T) {
	t.Parallel()
	server := bustest.New(t)
	cfg := testConfig("127.0.0.1:0")
	cfg.MaxExporters = 2
	s := start(t, cfg, server.Connect(bus.Ingest, server.Config(testPartitions)))
	for i := range 5 {
		write(t, exporterAt(t, fmt.Sprintf("127.0.1.%d", i+1), s.addresses[0]), v9(1))
	}
	eventually(t, "all are stored", func() bool { return testutil.ToFloat64(s.m.stored) == 5 })
	if got := testutil.ToFloat64(s.m.received.WithLabelValues(other)); got != 3 {
		t.Errorf("received from other: %v, want 3", got)
	}
	if got := testutil.CollectAndCount(s.m.received); got != 3 {
		t.Errorf("%d exporters have a counter, want 2 and other", got)
	}
	stored(t, server) // in the right partitions all the same
}

func TestCleanStopStoresWhatTheKernelHolds(t *testing.T) {
	t.Parallel()
	server := bustest.New(t)
	cfg := testConfig("127.0.0.1:0")
	cfg.FlushInterval = 10 * time.Second // nothing goes out before the stop
	s := start(t, cfg, server.Connect(bus.Ingest, server.Config(testPartitions)))
	const count = 500
	conn := exporterAt(t, "127.0.0.2", s.addresses[0])
	for n := range uint32(count) {
		write(t, conn, v9(n))
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if got := len(stored(t, server)); got != count {
		t.Errorf("%d datagrams are stored, want %d", got, count)
	}
}
