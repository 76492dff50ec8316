// SPDX-License-Identifier: Apache-2.0

package bus_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
)

// proxy is a TCP proxy that can lose what the server answers.
type proxy struct {
	net.Listener
	server string
	lose   atomic.Bool
	mu     sync.Mutex
	conns  []net.Conn
}

func newProxy(t *testing.T, s *bustest.Server) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's own port
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, server: strings.TrimPrefix(s.URL(), "nats://")}
	t.Cleanup(func() { _ = l.Close() })
	go p.serve()
	return p
}

func (p *proxy) serve() {
	for {
		client, err := p.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server) //nolint:noctx // ends with the connection
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		go func() { _, _ = io.Copy(server, client); _ = server.Close() }()
		go func() { _, _ = io.Copy(lossy{p, client}, server); _ = client.Close() }()
	}
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

type lossy struct {
	p *proxy
	w io.Writer
}

func (l lossy) Write(b []byte) (int, error) {
	if l.p.lose.Load() {
		return len(b), nil
	}
	return l.w.Write(b)
}

func TestLostAnswers(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	cfg := s.Config(1)
	p := newProxy(t, s)
	cfg.URL = "nats://" + p.Addr().String()
	b := s.Connect(bus.Decode, cfg)
	start(t, b, func(in, out *numbers) error {
		if in.v[0] == 5 {
			p.lose.Store(true) // the output is stored, and its answer is not heard
		}
		return pass(in, out)
	})
	c.publish(0, 0, 5)
	c.expect(0, 5)
	c.publish(0, 5, 10)
	c.until("the output whose answer is lost", func() bool { return len(c.outputs(0)) >= 6 })
	p.lose.Store(false)
	p.cut()
	c.publish(0, 10, 20)
	c.expect(0, 20)
}

func TestFullStreamMakesItsWriterWait(t *testing.T) {
	t.Parallel()
	const n = 1000
	s := bustest.New(t)
	c := newClient(t, s)
	cfg := s.Config(1)
	cfg.MaxBytes = 16 << 20 // FLOWS has 15 % of it
	start(t, s.Connect(bus.Decode, cfg), func(in, out *numbers) error {
		out.v = append(out.v, in.v...)
		for range 511 { // 4 KB that do not compress: 4 MB in all
			out.v = append(out.v, rand.Uint64()|1<<63)
		}
		return nil
	})
	c.publish(0, 0, n)
	flows := func() jetstream.StreamState {
		stream, err := c.js.Stream(t.Context(), "FLOWS")
		if err != nil {
			t.Fatal(err)
		}
		return stream.CachedInfo().State
	}
	c.until("a full stream", func() bool { return flows().Bytes > 2<<20 })

	var mu sync.Mutex
	var got []uint64
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // the reader, which truncates what it has covered
		_ = bus.Process(ctx, s.Connect(bus.Enrich, cfg), bus.Flows, bus.Enriched, func(context.Context, int) (bus.Handler[numbers, numbers], error) {
			return handlerFunc(func(in, _ *numbers) error {
				mu.Lock()
				defer mu.Unlock()
				for _, v := range in.v {
					if v < 1<<63 {
						got = append(got, v)
					}
				}
				return nil
			}), nil
		})
	}()
	c.until("all numbers behind the full stream", func() bool { mu.Lock(); defer mu.Unlock(); return len(got) >= n })
	for i, v := range got {
		if v != uint64(i) {
			t.Fatalf("number %d is %d", i, v)
		}
	}
	c.until("truncation", func() bool { return flows().Bytes < 1<<20 })
	if flows().Msgs == 0 {
		t.Error("the last message of the subject is gone")
	}
}

func TestRewoundInputStream(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	b := s.Connect(bus.Decode, s.Config(1))
	stop := start(t, b, pass)
	c.publish(0, 0, 50)
	c.expect(0, 50)
	stop()
	if err := c.js.DeleteStream(t.Context(), "DATAGRAMS"); err != nil {
		t.Fatal(err)
	}
	if err := b.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.publish(0, 50, 120) // sequences 1 to 70 once more
	start(t, b, pass)
	c.expect(0, 120)
}

func TestOutputTooLargeIsSplitThenBuried(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	grow := func(in, out *numbers) error {
		size := 100 // numbers that do not compress; 8 MiB is what the server takes
		if in.v[0] == 3 {
			size = 2 << 20
		}
		out.v = append(out.v, in.v...)
		for range size {
			out.v = append(out.v, rand.Uint64()|1<<63)
		}
		return nil
	}
	b := s.Connect(bus.Decode, s.Config(1))
	c.publish(0, 0, 6) // before the start, so that they are joined
	start(t, b, grow)
	var got []uint64
	c.until("the others", func() bool {
		got = nil
		for _, v := range c.outputs(0) {
			if v < 1<<63 {
				got = append(got, v)
			}
		}
		return len(got) >= 5
	})
	for i, want := range []uint64{0, 1, 2, 4, 5} {
		if got[i] != want {
			t.Fatalf("got %v", got)
		}
	}
}

func TestOtherPartitionCountIsRefused(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	s.Connect(bus.Decode, s.Config(4))
	b, err := bus.Connect(t.Context(), s.Config(8), bus.Decode, discard(), registry())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Ensure(t.Context()); !errors.Is(err, bus.ErrPartitions) {
		t.Errorf("Ensure: %v", err)
	}
	err = bus.Process(t.Context(), b, bus.Datagrams, bus.Flows, func(context.Context, int) (bus.Handler[numbers, numbers], error) {
		return handlerFunc(pass), nil
	})
	if !errors.Is(err, bus.ErrPartitions) {
		t.Errorf("Process: %v", err)
	}
}

func TestServerThatTakesSmallMessagesIsRefused(t *testing.T) {
	t.Parallel()
	s := bustest.NewLimited(t, 1<<20)
	b, err := bus.Connect(t.Context(), s.Config(1), bus.Decode, discard(), registry())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Ensure(t.Context()); !errors.Is(err, bus.ErrMaxPayload) {
		t.Errorf("Ensure: %v", err)
	}
}

func TestPublisher(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	b := s.Connect(bus.Ingest, s.Config(1))
	start(t, s.Connect(bus.Decode, s.Config(1)), pass)
	p := b.NewPublisher(bus.Datagrams, 400*8)
	defer p.Close()
	var stored atomic.Int32
	publish := func(v uint64) error {
		return p.Publish(0, &numbers{[]uint64{v}}, func() { stored.Add(1) })
	}
	for v := range uint64(200) {
		if err := publish(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	for v := uint64(200); v < 600; v++ { // what fits is kept
		if err := publish(v); err != nil {
			t.Fatal(err)
		}
	}
	c.until("a refusal that says why", func() bool { return errors.Is(publish(600), bus.ErrDisconnected) })
	s.Start()
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.until("all answers", func() bool { return stored.Load() == 600 })
	got := map[uint64]int{}
	c.until("all outputs", func() bool { return len(c.outputs(0)) >= 600 })
	for _, v := range c.outputs(0) {
		got[v]++
	}
	for v := range uint64(600) {
		if got[v] != 1 {
			t.Errorf("number %d is there %d times", v, got[v])
		}
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	b := s.Connect(bus.Decode, s.Config(2))
	for key, value := range map[string]string{"a": "1", "b": "2"} {
		if err := b.PutState(t.Context(), bus.Templates, 1, key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.PutState(t.Context(), bus.Templates, 0, "a", []byte("other partition")); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	if err := b.LoadState(t.Context(), bus.Templates, 1, func(k string, v []byte) error { got[k] = string(v); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got["a"] != "1" || got["b"] != "2" {
		t.Errorf("got %v", got)
	}
}

// summer holds what it is given for a while and flushes the sum.
type summer struct {
	sum, n uint64
	since  time.Time
}

func (h *summer) Due() time.Time {
	if h.n == 0 {
		return time.Time{}
	}
	return h.since.Add(200 * time.Millisecond)
}

func (h *summer) Flush(_ context.Context, out *numbers) error {
	out.v = append(out.v, h.sum)
	h.sum, h.n = 0, 0
	return nil
}

func (h *summer) Handle(_ context.Context, in, _ *numbers) error {
	if h.n == 0 {
		h.since = time.Now()
	}
	for _, v := range in.v {
		h.sum += v
		h.n++
	}
	return nil
}

func TestHolderIsCoveredOnlyByAFlush(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	b := s.Connect(bus.Decode, s.Config(1))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_ = bus.Process(ctx, b, bus.Datagrams, bus.Flows, func(context.Context, int) (bus.Handler[numbers, numbers], error) {
			return &summer{}, nil
		})
	}()
	c.publish(0, 0, 100)
	c.until("all sums", func() bool {
		var total uint64
		for _, v := range c.outputs(0) {
			total += v
		}
		return total == 99*100/2
	})
	if n := len(c.outputs(0)); n > 50 {
		t.Errorf("%d outputs: it was not held", n)
	}
}

// small is a summer that is due when it holds ten numbers.
type small struct {
	summer
	most *atomic.Uint64
}

func (h *small) Handle(ctx context.Context, in, out *numbers) error {
	err := h.summer.Handle(ctx, in, out)
	h.most.Store(max(h.most.Load(), h.n))
	return err
}

func (h *small) Due() time.Time {
	if h.n >= 10 {
		return h.since
	}
	return h.summer.Due()
}

func (h *small) Flush(ctx context.Context, out *numbers) error {
	for range 2000 { // 16 KB that do not compress
		out.v = append(out.v, rand.Uint64()|1<<63)
	}
	return h.summer.Flush(ctx, out)
}

func TestHolderDoesNotGrowBehindAFullStream(t *testing.T) {
	t.Parallel()
	const n = 5000
	s := bustest.New(t)
	c := newClient(t, s)
	cfg := s.Config(1)
	cfg.MaxBytes = 16 << 20 // FLOWS has 15 % of it, the flushes come to 8 MB
	b, reader := s.Connect(bus.Decode, cfg), s.Connect(bus.Enrich, cfg)
	c.publish(0, 0, n)
	var most, total atomic.Uint64
	go func() {
		_ = bus.Process(t.Context(), b, bus.Datagrams, bus.Flows, func(context.Context, int) (bus.Handler[numbers, numbers], error) {
			return &small{most: &most}, nil
		})
	}()
	c.until("a full stream", func() bool {
		stream, err := c.js.Stream(t.Context(), "FLOWS")
		return err == nil && stream.CachedInfo().State.Bytes > 2<<20
	})
	go func() { // the reader, which truncates what it has covered
		_ = bus.Process(t.Context(), reader, bus.Flows, bus.Enriched, func(context.Context, int) (bus.Handler[numbers, numbers], error) {
			return handlerFunc(func(in, _ *numbers) error {
				total.Add(in.v[len(in.v)-1])
				return nil
			}), nil
		})
	}()
	c.until("all numbers behind the full stream", func() bool { return total.Load() == n*(n-1)/2 })
	if most.Load() > 10 {
		t.Errorf("it held %d numbers, and asked for a flush at 10", most.Load())
	}
}

func unpack(t *testing.T, m *jetstream.RawStreamMsg) *numbers {
	t.Helper()
	data, err := decompress(m.Header, m.Data)
	if err != nil {
		t.Fatal(err)
	}
	var n numbers
	if err := n.UnmarshalVTUnsafe(data); err != nil {
		t.Fatal(err)
	}
	return &n
}

func decompress(h nats.Header, p []byte) ([]byte, error) {
	if h.Get("Weir-Encoding") == "s2" {
		return s2.Decode(nil, p)
	}
	return p, nil
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func registry() *prometheus.Registry { return prometheus.NewRegistry() }
