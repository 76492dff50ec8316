// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// HTTPConfig says where /metrics, /healthz, /readyz and /debug/pprof are.
type HTTPConfig struct {
	Listen string `yaml:"listen" usage:"address of /metrics, /healthz, /readyz and /debug/pprof; empty means none"`
}

// Validate reports an address that is none.
func (c HTTPConfig) Validate() error {
	if c.Listen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("listen: is %q, want e.g. \"127.0.0.1:8080\" or \":8080\"", c.Listen)
	}
	return nil
}

// serveHTTP listens and answers until stop is called.
func (p *Process) serveHTTP(ctx context.Context) (stop func(), err error) {
	addr := p.shared.cfg.HTTP.Listen
	if addr == "" {
		return func() {}, nil
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, ListenError("http.listen", addr, err)
	}
	srv := &http.Server{Handler: p.handler(), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			p.Log.Error("http server ended", "err", err)
		}
	}()
	p.Log.Info("http listening", "address", "http://"+l.Addr().String())
	return func() { _ = srv.Close() }, nil
}

func (p *Process) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.shared.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", p.shared.health.serveReady)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// ListenError explains why address could not be listened on and names the
// setting key that moves it.
func ListenError(key, address string, err error) error {
	cause := err
	if errors.Is(err, syscall.EADDRINUSE) {
		cause = errors.New("another process has this port")
	}
	return fmt.Errorf("%s: listen on %s: %w (to move it set %s in the file, %s or --%s)",
		key, address, cause, key, envName(key), key)
}

// checkHealth asks the process that listens on addr whether it is ready.
func checkHealth(ctx context.Context, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("http.listen: is %q: no process to ask", addr)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask %s: %s", req.URL, resp.Status)
	}
	return nil
}
