// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
)

// patience bounds every wait of these tests: the machine may be slow, a stage must not hang.
const patience = 90 * time.Second

// program builds weir once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "weir-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "weir")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build weir: %w\n%s", err, out)
	}
	return path, nil
})

// stack is a `weir up` of a test: a process of its own, with all of its ports and data.
type stack struct {
	t      *testing.T
	flows  string // UDP address to send to
	http   string // ClickHouse
	nats   string
	health string // metrics and health
	args   []string
	cmd    *exec.Cmd
	exited chan struct{}
	log    lockedBuffer
}

// up starts a stack and waits until it takes flows and answers queries. It ends with the test.
func up(t *testing.T, args ...string) *stack {
	t.Helper()
	s := newStack(t, args...)
	s.begin()
	return s
}

// newStack prepares a stack that is not started.
func newStack(t *testing.T, args ...string) *stack {
	t.Helper()
	free := func() string { return clickhousetest.FreeAddress(t) }
	s := &stack{t: t, flows: freeUDP(t), http: free(), nats: free(), health: free()}
	s.args = append([]string{
		"up", "--data", t.TempDir(), "--ingest.listen", s.flows, "--clickhouse.http_listen", s.http, "--clickhouse.native_listen", free(),
		"--clickhouse.engine", clickhousetest.Engine(t), "--nats_server.listen", s.nats, "--http.listen", s.health, "--status_interval", "0s",
	}, args...)
	return s
}

// begin starts the stack, which ends with the test.
func (s *stack) begin() {
	s.t.Helper()
	s.endWithTest()
	s.start()
}

func (s *stack) endWithTest() {
	s.t.Cleanup(func() {
		if s.cmd != nil {
			s.kill()
		}
		if s.t.Failed() {
			s.t.Logf("weir up said:\n%s", s.log.tail(8000))
		}
	})
}

// start runs weir up, for the first time or again, and waits until it takes flows and
// answers queries.
func (s *stack) start() {
	s.t.Helper()
	s.run()
	s.until("weir up to be ready", func() bool {
		select {
		case <-s.exited:
			s.t.Fatalf("weir up ended: %v\n%s", s.cmd.ProcessState, s.log.tail(4000))
		default:
		}
		return s.get("http://"+s.health+"/readyz") && s.get("http://"+s.http+"/ping")
	})
}

// run runs weir up and does not wait.
func (s *stack) run() {
	s.t.Helper()
	path, err := program()
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd = exec.Command(path, s.args...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited := make(chan struct{})
	s.exited = exited
	go func(cmd *exec.Cmd) { _ = cmd.Wait(); close(exited) }(s.cmd)
}

// kill ends weir up with SIGKILL.
func (s *stack) kill() {
	_ = s.cmd.Process.Kill()
	<-s.exited
}

// interrupt ends weir up as Ctrl-C does and returns its exit code.
func (s *stack) interrupt() int {
	s.t.Helper()
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		s.t.Fatal(err)
	}
	return s.exit()
}

// exit waits for the end of weir up and returns its exit code.
func (s *stack) exit() int {
	s.t.Helper()
	select {
	case <-s.exited:
	case <-time.After(patience):
		s.t.Fatal("weir up does not end")
	}
	return s.cmd.ProcessState.ExitCode()
}

// until waits for a condition.
func (s *stack) until(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			s.t.Fatalf("waited %v for %s", patience, what)
		}
		<-time.After(100 * time.Millisecond)
	}
}

func (s *stack) get(url string) bool {
	_, err := s.fetch(http.MethodGet, url, "")
	return err == nil
}

func (s *stack) fetch(method, url, body string) (string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, answer)
	}
	return strings.TrimRight(string(answer), "\n"), err
}

// query returns the answer of ClickHouse, columns separated by tabs.
func (s *stack) query(sql string) string {
	s.t.Helper()
	answer, err := s.fetch(http.MethodPost, "http://"+s.http+"/?database=weir", sql)
	if err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
	return answer
}

// tryQuery returns "" where ClickHouse does not answer.
func (s *stack) tryQuery(sql string) string {
	answer, _ := s.fetch(http.MethodPost, "http://"+s.http+"/?database=weir", sql)
	return answer
}

// expect waits until the query has the answer.
func (s *stack) expect(sql, want string) {
	s.t.Helper()
	var got string
	for end := time.Now().Add(patience); got != want; {
		if time.Now().After(end) {
			s.t.Fatalf("%s\ngot:\n%s\nwant:\n%s", sql, got, want)
		}
		<-time.After(200 * time.Millisecond)
		got = s.tryQuery(sql)
	}
}

// metric returns the sum of the series of a metric whose labels contain all of the texts.
func (s *stack) metric(name string, labels ...string) (sum float64) {
	s.t.Helper()
	text, err := s.fetch(http.MethodGet, "http://"+s.health+"/metrics", "")
	if err != nil {
		s.t.Fatal(err)
	}
next:
	for line := range strings.Lines(text) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if !strings.HasPrefix(series, name+"{") {
			continue
		}
		for _, l := range labels {
			if !strings.Contains(series, l) {
				continue next
			}
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			s.t.Fatal(err)
		}
		sum += v
	}
	return sum
}

// children returns the processes that weir up has started and that live.
func (s *stack) children() []int {
	s.t.Helper()
	out, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	for _, task := range tasks {
		more, _ := os.ReadFile(task)
		out = append(append(out, ' '), more...)
	}
	seen, pids := map[int]bool{}, []int{}
	for f := range bytes.FieldsSeq(out) {
		if pid, err := strconv.Atoi(string(f)); err == nil && !seen[pid] {
			seen[pid] = true
			pids = append(pids, pid)
		}
	}
	return pids
}

// freeUDP returns an address of loopback that nobody listens on.
func freeUDP(t *testing.T) string {
	t.Helper()
	c, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}

// lockedBuffer takes what a process prints.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// tail returns the last n octets.
func (b *lockedBuffer) tail(n int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.b.Bytes()
	return string(s[max(0, len(s)-n):])
}
