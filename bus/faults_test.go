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
	l, err := net.Listen("tcp", "127.0.0.1:0")
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
		server, err := net.Dial("tcp", p.server)
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
