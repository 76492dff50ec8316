// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Config is what every process can be told, beside its own sections.
type Config struct {
	HTTP        HTTPConfig    `yaml:"http" usage:"metrics, health and profiles"`
	Log         LogConfig     `yaml:"log" usage:"the log on standard error"`
	StopTimeout time.Duration `yaml:"stop_timeout" usage:"time to stop after a signal before the process gives up and exits with 1"`
}

// DefaultConfig returns the defaults of Config.
func DefaultConfig() Config {
	return Config{
		HTTP:        HTTPConfig{Listen: "127.0.0.1:8080"},
		Log:         LogConfig{Level: slog.LevelInfo, Format: "text"},
		StopTimeout: 30 * time.Second,
	}
}

// Runner is something that runs until ctx ends. A clean stop returns nil. A
// Runner that also has Ready() error or Detail() string is asked by /readyz.
type Runner interface {
	Run(ctx context.Context) error
}

// Process is what a service gets from the process that it runs in. It is safe
// for concurrent use.
type Process struct {
	// Log carries service="name".
	Log *slog.Logger
	// Metrics puts the label service="name" on all that is registered with it.
	Metrics prometheus.Registerer

	shared *shared
}

// shared is what a Process has in common with those made from it by For.
type shared struct {
	cfg      Config
	log      *slog.Logger
	registry *prometheus.Registry
	health   health
	exits    exits
}

// NewProcess prepares a process called name that logs to w.
func NewProcess(name string, cfg Config, w io.Writer) *Process {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	p := &Process{shared: &shared{cfg: cfg, log: newLogger(cfg.Log, w), registry: registry}}
	return p.For(name)
}

// For returns the same process with the log and metrics of another service.
func (p *Process) For(name string) *Process {
	return &Process{
		Log:     p.shared.log.With("service", name),
		Metrics: prometheus.WrapRegistererWith(prometheus.Labels{"service": name}, p.shared.registry),
		shared:  p.shared,
	}
}

// Gatherer returns the metrics of the whole process, those that /metrics shows.
func (p *Process) Gatherer() prometheus.Gatherer { return p.shared.registry }

// OnExit has f called after the Runner has returned, in the reverse order.
func (p *Process) OnExit(f func()) { p.shared.exits.add(f) }

// Watch has /readyz show under name whether v is ready, if v has Ready() error, and what is
// not as it should be while it is, if v has Detail() string.
func (p *Process) Watch(name string, v any) {
	c := check{name, func() error { return nil }, func() string { return "" }}
	r, hasReady := v.(interface{ Ready() error })
	if hasReady {
		c.ready = r.Ready
	}
	d, hasDetail := v.(interface{ Detail() string })
	if hasDetail {
		c.detail = d.Detail
	}
	if hasReady || hasDetail {
		p.shared.health.add(c)
	}
}

// Run serves HTTP, builds a Runner and runs it until it ends, SIGINT or SIGTERM
// comes (a second one exits with 1 at once), or ctx ends. A Runner that does not
// stop within the stop timeout is left behind with an error.
func (p *Process) Run(ctx context.Context, build func(context.Context, *Process) (Runner, error)) (err error) {
	ctx, release := withSignals(ctx, p.Log)
	defer release()
	stopHTTP, err := p.serveHTTP(ctx)
	if err != nil {
		return err
	}
	defer stopHTTP()
	defer p.shared.exits.call()

	r, err := build(ctx, p)
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return nil // told to stop while it was starting
		}
		return err
	}
	p.shared.health.started()
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	p.shared.health.stopping()
	select {
	case err := <-done:
		return err
	case <-time.After(p.shared.cfg.StopTimeout):
		return fmt.Errorf("stop: still running after %v", p.shared.cfg.StopTimeout)
	}
}
