// SPDX-License-Identifier: Apache-2.0

package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/weirflow/weir/clickhouse/internal/child"
)

const (
	// A predecessor that was killed needs this long at most to let go of its folder,
	// and a little more for its ports.
	takeOver      = 10 * time.Second
	takeOverPorts = 3 * time.Second
	// A server that is asked to stop has this long to finish its merges.
	stopWithin = 20 * time.Second
	// Delay between two starts: doubled from least to most, and least again after
	// the server has lived for steady.
	leastDelay = 200 * time.Millisecond
	mostDelay  = 15 * time.Second
	steady     = time.Minute
	// A server that never answered is not tried more often than this.
	mostFailedStarts = 3
)

// Server is a ClickHouse server: a given one, or one that Run starts and keeps alive.
type Server struct {
	cfg   Config
	dir   string
	host  []string // command line of a process that calls ParseServe and Serve
	log   *slog.Logger
	ready chan struct{}
}

// New returns a Server that keeps everything under dir. Host is the command line of a
// process that passes its further arguments to ParseServe and calls Serve.
func New(cfg Config, dir string, host []string, log *slog.Logger) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("folder of ClickHouse: %w", err)
	}
	return &Server{cfg: cfg, dir: dir, host: host, log: log, ready: make(chan struct{})}, nil
}

// Ready is closed when the server has answered for the first time.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// DSN is where clients reach the server, without a database.
func (s *Server) DSN() string {
	if s.cfg.DSN != "" {
		return s.cfg.DSN
	}
	return (&url.URL{Scheme: "clickhouse", Host: s.cfg.NativeListen}).String()
}

// Run keeps the server answering until ctx ends, then stops it if Run has started it.
// It gives up only on a server that has never answered.
func (s *Server) Run(ctx context.Context) error {
	if s.cfg.DSN != "" {
		return s.await(ctx)
	}
	lock, err := s.lock(ctx)
	if err != nil {
		return ignoreCancel(ctx, err)
	}
	defer lock.Close()
	p, err := s.program(ctx)
	if err != nil {
		return ignoreCancel(ctx, err)
	}
	s.log.Info("clickhouse starts", slog.String("program", p.name), slog.String("dir", s.dir))
	delay, failed := leastDelay, 0
	for ctx.Err() == nil {
		began := time.Now()
		err := s.once(ctx, p, lock)
		if ctx.Err() != nil {
			return nil
		}
		if !s.isReady() {
			if failed++; failed == mostFailedStarts || errors.Is(err, syscall.EADDRINUSE) {
				return fmt.Errorf("start ClickHouse: %w", err)
			}
		}
		if time.Since(began) > steady {
			delay = leastDelay
		}
		s.log.Warn("clickhouse ended and is started again", slog.Any("cause", err),
			slog.Duration("lived", time.Since(began)), slog.Duration("delay", delay))
		wait(ctx, delay)
		delay = min(2*delay, mostDelay)
	}
	return nil
}

// once starts the server and returns when it has ended; it always says why.
func (s *Server) once(ctx context.Context, p program, lock *os.File) error {
	if err := s.portsFree(ctx); err != nil {
		return err
	}
	if err := p.prepare(); err != nil {
		return err
	}
	output, err := s.output()
	if err != nil {
		return err
	}
	defer output.Close()
	began := time.Now()
	c, err := child.Start(p.argv, output, lock)
	if err != nil {
		return err
	}
	answered := make(chan struct{})
	watch, cancel := context.WithCancel(ctx)
	go func() {
		defer close(answered)
		if poll(watch, s.ping) == nil {
			s.log.Info("clickhouse answers", slog.String("native", s.cfg.NativeListen),
				slog.String("http", s.cfg.HTTPListen), slog.Int("pid", c.PID()), slog.Duration("after", time.Since(began)))
			s.setReady()
		}
	}()
	defer func() { cancel(); <-answered }()
	select {
	case <-ctx.Done():
		c.Stop(stopWithin)
		return ctx.Err()
	case <-c.Exited():
	}
	return fmt.Errorf("process %d ended: %s: %s", c.PID(), c.Status(), child.LastWords(output.Name()))
}

// output opens the file of what the child prints, anew for each start.
func (s *Server) output() (*os.File, error) {
	path := filepath.Join(s.dir, "log", "console.log")
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o640)
}

// lock takes the folder. The child inherits the lock, so one that outlives its parent
// for a moment holds it still.
func (s *Server) lock(ctx context.Context) (*os.File, error) {
	if err := os.MkdirAll(s.dir, 0o750); err != nil {
		return nil, fmt.Errorf("folder of ClickHouse: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(s.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("folder of ClickHouse: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, takeOver)
	defer cancel()
	err = poll(ctx, func(context.Context) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) })
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("folder %s: another process uses it (--data names another folder): %w", s.dir, err)
	}
	return f, nil
}

// portsFree waits until both ports can be listened on.
func (s *Server) portsFree(ctx context.Context) error {
	for _, l := range []struct{ key, address string }{
		{"clickhouse.native_listen", s.cfg.NativeListen},
		{"clickhouse.http_listen", s.cfg.HTTPListen},
	} {
		free := func(ctx context.Context) error {
			var lc net.ListenConfig
			probe, err := lc.Listen(ctx, "tcp", l.address)
			if err != nil {
				return err
			}
			return probe.Close()
		}
		ctx, cancel := context.WithTimeout(ctx, takeOverPorts)
		err := poll(ctx, free)
		cancel()
		if err != nil {
			return fmt.Errorf("%w; %s (flag --%s) moves it", err, l.key, l.key)
		}
	}
	return nil
}

func (s *Server) isReady() bool {
	select {
	case <-s.ready:
		return true
	default:
		return false
	}
}

// setReady is called by one goroutine at a time.
func (s *Server) setReady() {
	if !s.isReady() {
		close(s.ready)
	}
}

// ignoreCancel turns an error of a stop into a clean one.
func ignoreCancel(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
