// SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/daemon"
)

// TestMain lets the test binary be a service: the tests start it as a process.
func TestMain(m *testing.M) {
	if os.Getenv("DAEMON_TEST_SERVICE") != "" {
		service()
	}
	os.Exit(m.Run())
}

type serviceConfig struct {
	Probe struct {
		Mode string `yaml:"mode" usage:"how to behave"`
	} `yaml:"probe"`
}

func service() {
	var cfg serviceConfig
	daemon.Main("probe", &cfg, func(_ context.Context, p *daemon.Process) (daemon.Runner, error) {
		p.OnExit(func() { p.Log.Info("exited") })
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "weir_probe_calls_total", Help: "Calls."})
		p.Metrics.MustRegister(c)
		c.Add(3)
		switch cfg.Probe.Mode {
		case "misconfigured":
			return nil, fmt.Errorf("bus: %w", misconfigured{})
		case "broken":
			return nil, errors.New("broken")
		}
		return &probe{mode: cfg.Probe.Mode}, nil
	})
}

type misconfigured struct{}

func (misconfigured) Error() string       { return "16 partitions, the streams have 8" }
func (misconfigured) Misconfigured() bool { return true }

type probe struct {
	mode  string
	asked atomic.Bool
}

// Ready fails when it is asked first.
func (p *probe) Ready() error {
	if !p.asked.Swap(true) {
		return errors.New("2 of 16 partitions open")
	}
	return nil
}

func (p *probe) Run(ctx context.Context) error {
	<-ctx.Done()
	if p.mode == "stuck" {
		select {}
	}
	return nil
}

// process is a started test service.
type process struct {
	*exec.Cmd
	t      *testing.T
	url    string
	stderr *bufio.Scanner
}

var listening = regexp.MustCompile(`address=(http://\S+)`)

// start runs the service and waits until it listens.
func start(t *testing.T, flags ...string) *process {
	t.Helper()
	p := &process{Cmd: command(t, append(flags, "--http.listen=127.0.0.1:0")...), t: t}
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	p.stderr = bufio.NewScanner(stderr)
	p.url = listening.FindStringSubmatch(p.waitFor("http listening"))[1]
	return p
}

func command(t *testing.T, flags ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], flags...)
	cmd.Env = append(os.Environ(), "DAEMON_TEST_SERVICE=1")
	return cmd
}

// waitFor reads the log up to a line with text.
func (p *process) waitFor(text string) string {
	p.t.Helper()
	for p.stderr.Scan() {
		if strings.Contains(p.stderr.Text(), text) {
			return p.stderr.Text()
		}
	}
	p.t.Fatalf("the log ended before %q", text)
	return ""
}

// exit reads the rest of the log and returns the exit code.
func (p *process) exit() (code int, log string) {
	p.t.Helper()
	var lines []string
	for p.stderr.Scan() {
		lines = append(lines, p.stderr.Text())
	}
	err := p.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		p.t.Fatal(err)
	}
	return p.ProcessState.ExitCode(), strings.Join(lines, "\n")
}

func (p *process) get(path string) (status int, body string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

func TestProcessShowsHealthAndMetricsAndStopsCleanly(t *testing.T) {
	t.Parallel()
	p := start(t)
	if status, body := p.get("/healthz"); status != 200 || body != "ok\n" {
		t.Errorf("/healthz is %d %q", status, body)
	}
	if status, body := p.get("/metrics"); status != 200 || !strings.Contains(body, `weir_probe_calls_total{service="probe"} 3`) {
		t.Errorf("/metrics is %d, without the service's counter:\n%s", status, body)
	}
	if status, body := p.get("/readyz"); status != 503 || !strings.Contains(body, "probe: 2 of 16 partitions open\n") {
		t.Errorf("/readyz is %d %q, want 503 and the reason", status, body)
	}
	if status, body := p.get("/readyz"); status != 200 || body != "process: running\nprobe: ready\n" {
		t.Errorf("/readyz is %d %q", status, body)
	}
	if status, _ := p.get("/debug/pprof/goroutine?debug=1"); status != 200 {
		t.Errorf("/debug/pprof/goroutine is %d", status)
	}
	health := command(t, "--healthcheck", "--http.listen="+strings.TrimPrefix(p.url, "http://"))
	if out, err := health.CombinedOutput(); err != nil {
		t.Errorf("--healthcheck: %v\n%s", err, out)
	}
	p.signal(syscall.SIGTERM)
	if code, log := p.exit(); code != 0 || !strings.Contains(log, "signal=terminated") || !strings.Contains(log, "msg=exited service=probe") {
		t.Errorf("exit code is %d after\n%s", code, log)
	}
}

func TestProcessExitsAtOnceOnSecondSignal(t *testing.T) {
	t.Parallel()
	p := start(t, "--probe.mode=stuck")
	p.get("/readyz")
	p.signal(syscall.SIGINT)
	p.waitFor("stopping")
	stop := time.NewTicker(100 * time.Millisecond) // one that comes too soon counts as the first
	defer stop.Stop()
	go func() {
		for range stop.C {
			if p.Process.Signal(syscall.SIGINT) != nil {
				return
			}
		}
	}()
	if code, _ := p.exit(); code != 1 {
		t.Errorf("exit code is %d, want 1", code)
	}
}

func TestProcessGivesUpWhenTheServiceIsStuck(t *testing.T) {
	t.Parallel()
	p := start(t, "--probe.mode=stuck", "--stop_timeout=10ms")
	p.signal(syscall.SIGINT)
	if code, log := p.exit(); code != 1 || !strings.Contains(log, "stop: still running after 10ms") {
		t.Errorf("exit code is %d after\n%s", code, log)
	}
}

func TestProcessExitCodes(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	taken := l.Addr().String()
	tests := []struct {
		name  string
		flags []string
		code  int
		want  string
	}{
		{"valid settings", []string{"--check"}, 0, "probe: the settings are valid\n"},
		{"help", []string{"--help"}, 0, "--probe.mode text"},
		{"an unknown flag", []string{"--no.such"}, 2, "probe: unknown flag: --no.such"},
		{"an argument", []string{"serve"}, 2, `probe: argument "serve": want flags only`},
		{"a file that is not there", []string{"--check", "--config=no.yaml"}, 2, "probe: config: read no.yaml: no such file or directory\n"},
		{"a wrong setting", []string{"--check", "--log.format=xml"}, 2, `probe: log.format: is "xml", want text or json`},
		{"a configuration that what it meets does not fit", []string{"--http.listen=", "--probe.mode=misconfigured"}, 2, "probe: bus: 16 partitions, the streams have 8\n"},
		{"a failure", []string{"--http.listen=", "--probe.mode=broken"}, 1, "probe: broken\n"},
		{"a port that is taken", []string{"--http.listen=" + taken}, 1, "probe: http.listen: listen on " + taken + ": another process has this port (to move it set http.listen in the file, WEIR_HTTP_LISTEN or --http.listen)\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd := command(t, tt.flags...)
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(string(out), tt.want) {
				t.Errorf("exit code is %d, want %d; output, want %q:\n%s", code, tt.code, tt.want, out)
			}
		})
	}
}
