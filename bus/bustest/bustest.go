// SPDX-License-Identifier: Apache-2.0

// Package bustest runs a real JetStream server within a test.
package bustest

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
)

// Server is a JetStream server on a loopback port and a folder of its own. It ends with the test.
type Server struct {
	t    testing.TB
	opts server.Options
	s    *server.Server
}

const ready = 10 * time.Second

// New starts a server.
func New(t testing.TB) *Server {
	t.Helper()
	return NewLimited(t, bus.MaxPayload)
}

// NewLimited starts a server that takes messages of at most maxPayload octets.
func NewLimited(t testing.TB, maxPayload int32) *Server {
	t.Helper()
	s := &Server{t: t, opts: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(),
		JetStreamMaxStore: 4 << 30, NoSigs: true, NoLog: true, MaxPayload: maxPayload,
	}}
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// Start starts the server again after Stop, on the same port and data.
func (s *Server) Start() {
	s.t.Helper()
	opts := s.opts
	srv, err := server.NewServer(&opts)
	if err != nil {
		s.t.Fatal(err)
	}
	srv.Start()
	if !srv.ReadyForConnections(ready) {
		s.t.Fatal("NATS server is not ready")
	}
	s.s = srv
	if addr, ok := srv.Addr().(*net.TCPAddr); ok {
		s.opts.Port = addr.Port
	}
}

// Stop ends the server and keeps its data.
func (s *Server) Stop() {
	s.s.Shutdown()
	s.s.WaitForShutdown()
}

// URL returns the address to connect to.
func (s *Server) URL() string { return s.s.ClientURL() }

// Config returns a configuration for this server with n partitions and small streams.
func (s *Server) Config(n int) bus.Config {
	cfg := bus.DefaultConfig()
	cfg.URL, cfg.Partitions, cfg.MaxBytes = s.URL(), n, 1<<30
	return cfg
}

// Connect returns a Bus of a stage, with streams made, that ends with the test.
func (s *Server) Connect(stage string, cfg bus.Config, opts ...nats.Option) *bus.Bus {
	s.t.Helper()
	b, err := bus.Connect(s.t.Context(), cfg, stage, slog.New(slog.NewTextHandler(s.t.Output(), nil)), prometheus.NewRegistry(), opts...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(b.Close)
	ctx, cancel := context.WithTimeout(s.t.Context(), ready)
	defer cancel()
	if err := b.Ensure(ctx); err != nil {
		s.t.Fatal(err)
	}
	return b
}
