// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
)

// up is a running weir up.
type up struct {
	*exec.Cmd
	t      *testing.T
	flags  []string
	http   string
	native string

	mu    sync.Mutex
	lines []string
	ended chan struct{} // closed when the output has ended
}

// upFlags are the flags of a weir up that listens on ports of its own.
func upFlags(t *testing.T) (flags []string, http, native string) {
	t.Helper()
	http, native = clickhousetest.FreeAddress(t), clickhousetest.FreeAddress(t)
	return []string{
		"up", "--data=" + filepath.Join(t.TempDir(), "data"), "--status_interval=200ms",
		"--ingest.listen=127.0.0.1:0", "--http.listen=" + http, "--nats.max_bytes=256MiB",
		"--clickhouse.native_listen=" + native, "--clickhouse.http_listen=" + clickhousetest.FreeAddress(t),
	}, http, native
}

// withEngine adds the flag of the embedded engine, or skips the test.
func withEngine(t *testing.T, flags []string) []string {
	t.Helper()
	return append(flags, "--clickhouse.engine="+clickhousetest.Engine(t))
}

// startUp starts weir up and does not wait.
func startUp(t *testing.T, flags []string, http, native string) *up {
	t.Helper()
	u := &up{Cmd: weir(t, flags...), t: t, flags: flags, http: http, native: native, ended: make(chan struct{})}
	out, err := u.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	u.Stderr = u.Stdout
	if err := u.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(u.ended)
		for s := bufio.NewScanner(out); s.Scan(); {
			u.mu.Lock()
			u.lines = append(u.lines, s.Text())
			u.mu.Unlock()
		}
	}()
	return u
}

func (u *up) output() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return strings.Join(u.lines, "\n")
}

// exit waits for the end of the process.
func (u *up) exit() int {
	u.t.Helper()
	select {
	case <-u.ended:
	case <-time.After(time.Minute):
		u.t.Fatalf("weir up does not end:\n%s", u.output())
	}
	_ = u.Wait()
	return u.ProcessState.ExitCode()
}

func (u *up) signal(s syscall.Signal) {
	u.t.Helper()
	if err := u.Process.Signal(s); err != nil {
		u.t.Fatal(err)
	}
}

// eventually polls until ok says true.
func (u *up) eventually(what string, ok func() bool) {
	u.t.Helper()
	deadline := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-deadline:
			u.t.Fatalf("not within 30s: %s\n%s", what, u.output())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (u *up) waitFor(text string) {
	u.t.Helper()
	u.eventually("output has "+text, func() bool { return strings.Contains(u.output(), text) })
}

// get returns the body of a page of the process, empty unless it is there.
func (u *up) get(path string) string {
	req, err := http.NewRequestWithContext(u.t.Context(), http.MethodGet, "http://"+u.http+path, nil)
	if err != nil {
		u.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return ""
	}
	return string(body)
}

func answers(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

func TestUpRunsEverythingAndStopsCleanly(t *testing.T) {
	t.Parallel()
	flags, http, native := upFlags(t)
	u := startUp(t, withEngine(t, flags), http, native)
	u.waitFor("clickhouse answers")
	u.waitFor("lag decode 0 enrich 0 aggregate 0 insert 0")
	u.eventually("every service is ready", func() bool {
		return strings.Count(u.get("/readyz"), ": ready\n") >= 5
	})
	for _, stage := range append(stages(), "ingest") {
		if !strings.Contains(u.get("/metrics"), `service="`+stage+`"`) {
			t.Errorf("/metrics has nothing of %s", stage)
		}
	}
	u.signal(syscall.SIGINT)
	if code := u.exit(); code != 0 {
		t.Errorf("exit code is %d, want 0:\n%s", code, u.output())
	}
	if answers(native) {
		t.Error("ClickHouse is still there")
	}
}

func TestKilledUpLeavesNoChildAndStartsAgain(t *testing.T) {
	t.Parallel()
	flags, http, native := upFlags(t)
	flags = withEngine(t, flags)
	u := startUp(t, flags, http, native)
	u.waitFor("clickhouse answers")
	u.signal(syscall.SIGKILL)
	u.exit()
	u.eventually("ClickHouse has ended", func() bool { return !answers(native) })

	u = startUp(t, flags, http, native)
	u.waitFor("clickhouse answers")
	u.signal(syscall.SIGTERM)
	if code := u.exit(); code != 0 {
		t.Errorf("exit code is %d, want 0:\n%s", code, u.output())
	}
}

func TestUpGoesOnWhileClickHouseIsAway(t *testing.T) {
	t.Parallel()
	flags, http, native := upFlags(t)
	u := startUp(t, append(flags, "--clickhouse.dsn=clickhouse://"+native), http, native)
	u.eventually("ingest is ready", func() bool { return strings.Contains(u.get("/readyz"), "ingest: ready\n") })
	u.waitFor("lag decode 0")
	u.signal(syscall.SIGINT)
	if code := u.exit(); code != 0 {
		t.Errorf("exit code is %d, want 0:\n%s", code, u.output())
	}
}

func TestUpRefusesAnotherPartitionCount(t *testing.T) {
	t.Parallel()
	flags, http, native := upFlags(t)
	flags = append(flags, "--clickhouse.dsn=clickhouse://"+native)
	u := startUp(t, append(flags, "--nats.partitions=4"), http, native)
	u.waitFor("weir up")
	u.signal(syscall.SIGINT)
	u.exit()

	u = startUp(t, append(flags, "--nats.partitions=8"), http, native)
	if code := u.exit(); code != 2 || !strings.Contains(u.output(), "was made with 4 partitions and the setting is 8") {
		t.Errorf("exit code is %d, want 2 and the reason:\n%s", code, u.output())
	}
}

func TestPortsThatAreTakenAreNamedWithTheirSetting(t *testing.T) {
	t.Parallel()
	tcp, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tcp.Close() })
	udp, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = udp.Close() })
	for setting, address := range map[string]string{
		"http.listen":        tcp.Addr().String(),
		"nats_server.listen": tcp.Addr().String(),
		"ingest.listen":      udp.LocalAddr().String(),
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			flags, http, native := upFlags(t)
			u := startUp(t, append(flags, "--clickhouse.dsn=clickhouse://"+native, "--"+setting+"="+address), http, native)
			code := u.exit()
			last := u.output()[strings.LastIndex(u.output(), "\n")+1:]
			if code != 1 || !strings.Contains(last, setting) || !strings.Contains(last, address) {
				t.Errorf("exit code is %d, want 1; last line, want one with %s and %s:\n%s", code, setting, address, u.output())
			}
		})
	}
	t.Run("clickhouse.native_listen", func(t *testing.T) {
		t.Parallel()
		flags, http, native := upFlags(t)
		u := startUp(t, append(withEngine(t, flags), "--clickhouse.native_listen="+tcp.Addr().String()), http, native)
		if code := u.exit(); code != 1 || !strings.Contains(u.output(), "clickhouse.native_listen") {
			t.Errorf("exit code is %d, want 1 and the setting:\n%s", code, u.output())
		}
	})
}

func TestUpTakesItsDataFolderForItself(t *testing.T) {
	t.Parallel()
	flags, http, native := upFlags(t)
	flags = append(flags, "--clickhouse.dsn=clickhouse://"+native)
	u := startUp(t, flags, http, native)
	u.waitFor("weir up")
	second, err := weir(t, append(flags, "--http.listen=")...).CombinedOutput()
	if err == nil || !strings.Contains(string(second), "another weir uses") {
		t.Errorf("second weir up: %v\n%s", err, second)
	}
	u.signal(syscall.SIGINT)
	if code := u.exit(); code != 0 {
		t.Errorf("exit code of the first is %d, want 0:\n%s", code, u.output())
	}
}
