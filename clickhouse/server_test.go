// SPDX-License-Identifier: Apache-2.0

package clickhouse_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/weirflow/weir/clickhouse"
	"github.com/weirflow/weir/clickhouse/clickhousetest"
)

// parent makes the test binary run a Server: its arguments are in the variable, in
// the order engine, host, native, http, dir.
const parent = "WEIR_TEST_PARENT"

func TestMain(m *testing.M) {
	if args := strings.Split(os.Getenv(parent), "|"); len(args) == 5 {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		cfg := clickhouse.DefaultConfig()
		cfg.Engine, cfg.NativeListen, cfg.HTTPListen = args[0], args[2], args[3]
		s, err := clickhouse.New(cfg, args[4], []string{args[1]}, slog.New(slog.NewTextHandler(os.Stdout, nil)))
		if err == nil {
			err = s.Run(ctx)
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestServer(t *testing.T) {
	f := newFixture(t)
	logs := &logLines{}
	s, err := clickhouse.New(f.cfg, f.dir, []string{f.host}, slog.New(slog.NewTextHandler(logs, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	await(t, "an answer", func() bool {
		select {
		case err := <-ended:
			t.Fatalf("Run ended: %v", err)
		case <-s.Ready():
			return true
		default:
		}
		return false
	})
	conn := f.open(t)

	t.Run("holds its folder against another process", func(t *testing.T) {
		cfg := f.cfg
		cfg.NativeListen, cfg.HTTPListen = "127.0.0.1:9", "127.0.0.1:10"
		other, err := clickhouse.New(cfg, f.dir, []string{f.host}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if err := other.Run(short); err != nil {
			t.Fatalf("a stop while waiting for the folder: %v", err)
		}
		select {
		case <-other.Ready():
			t.Fatal("two servers in one folder")
		default:
		}
	})
	t.Run("is started again when it dies", func(t *testing.T) {
		if err := conn.Exec(t.Context(), "CREATE TABLE default.kept (a UInt8) ENGINE = MergeTree ORDER BY a"); err != nil {
			t.Fatal(err)
		}
		if err := conn.Exec(t.Context(), "INSERT INTO default.kept VALUES (7)"); err != nil {
			t.Fatal(err)
		}
		kill(t, childOf(t, os.Getpid(), f.host))
		await(t, "the row again", func() bool {
			var a uint8
			return conn.QueryRow(t.Context(), "SELECT a FROM default.kept").Scan(&a) == nil && a == 7
		})
		await(t, "the log line", func() bool { return logs.restarts() == 1 })
	})
	t.Run("survives a failed login", func(t *testing.T) {
		wrong := f.open(t, driver.Auth{Username: "nobody", Password: "wrong"})
		if err := wrong.Ping(t.Context()); err == nil {
			t.Fatal("a wrong password was accepted")
		}
		await(t, "an answer", func() bool { return logs.restarts() == 2 && conn.Ping(t.Context()) == nil })
	})
	t.Run("reads no files and no other hosts", func(t *testing.T) {
		for _, query := range []string{
			"SELECT * FROM file('/etc/passwd', LineAsString)",
			"SELECT * FROM url('http://" + f.cfg.HTTPListen + "/ping', LineAsString)",
			"CREATE TABLE default.f (a String) ENGINE = File(LineAsString, '/etc/passwd')",
		} {
			if err := conn.Exec(t.Context(), query); err == nil || !strings.Contains(err.Error(), "Not enough privileges") {
				t.Errorf("%s: %v", query, err)
			}
		}
	})
	t.Run("ends with its context", func(t *testing.T) {
		stop()
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("Run does not end")
		}
		if _, err := net.DialTimeout("tcp", f.cfg.NativeListen, time.Second); err == nil {
			t.Fatal("the port is still served")
		}
	})
}

func TestServerFromPath(t *testing.T) {
	f := newFixture(t)
	// No new clickhouse can be had here: a script looks like one, and is the engine.
	script := fmt.Sprintf(`#!/bin/sh
case "$*" in
"server --version") echo "ClickHouse server version 25.8.1.1 (official build)." ;;
"server --config-file=%[1]s/config.xml") exec %[2]s --engine %[3]s --dir %[1]s --native_listen %[4]s --http_listen %[5]s ;;
*) echo "unexpected: $*"; exit 1 ;;
esac
`, f.dir, f.host, f.cfg.Engine, f.cfg.NativeListen, f.cfg.HTTPListen)
	if err := os.WriteFile(filepath.Join(os.Getenv("PATH"), "clickhouse"), []byte(script), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	s, err := clickhouse.New(f.cfg, f.dir, []string{"no such program"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	select {
	case <-s.Ready():
	case err := <-ended:
		t.Fatalf("Run ended: %v", err)
	}
	config, err := os.ReadFile(filepath.Join(f.dir, "config.xml"))
	if err != nil || !strings.Contains(string(config), "<path>"+f.dir+"/</path>") {
		t.Errorf("configuration: %v\n%s", err, config)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestKillLeavesNoChild(t *testing.T) {
	f := newFixture(t)
	for range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), parent+"="+strings.Join([]string{f.cfg.Engine, f.host, f.cfg.NativeListen, f.cfg.HTTPListen, f.dir}, "|"))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		answers := false
		for !answers && lines.Scan() {
			answers = strings.Contains(lines.Text(), "clickhouse answers")
		}
		if !answers {
			t.Fatalf("the server did not start: %v", cmd.Wait())
		}
		pid := childOf(t, cmd.Process.Pid, f.host)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		await(t, "the end of the child", func() bool { return syscall.Kill(pid, 0) != nil })
	}
}

func TestServerRefuses(t *testing.T) {
	f := newFixture(t)
	t.Run("a port that is taken, and names the setting", func(t *testing.T) {
		taken, err := net.Listen("tcp", f.cfg.HTTPListen)
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		s, err := clickhouse.New(f.cfg, f.dir, []string{f.host}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		err = s.Run(t.Context())
		for _, want := range []string{f.cfg.HTTPListen, "address already in use", "--clickhouse.http_listen"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q in it", err, want)
			}
		}
	})
	t.Run("an engine that does not load", func(t *testing.T) {
		cfg := f.cfg
		cfg.Engine = filepath.Join(t.TempDir(), "libchdb.so")
		if err := os.WriteFile(cfg.Engine, []byte("no library"), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := clickhouse.New(cfg, t.TempDir(), []string{f.host}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "load engine") {
			t.Errorf("got %v", err)
		}
	})
}

// fixture is a server's configuration on free ports and a folder.
type fixture struct {
	cfg  clickhouse.Config
	host string
	dir  string
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	cfg := clickhouse.DefaultConfig()
	cfg.Engine = clickhousetest.Engine(t)
	cfg.NativeListen, cfg.HTTPListen = clickhousetest.FreeAddress(t), clickhousetest.FreeAddress(t)
	// A clickhouse on the PATH would be preferred; the host is built with the full PATH.
	f := fixture{cfg: cfg, host: clickhousetest.Host(t), dir: filepath.Join(t.TempDir(), "data")}
	t.Setenv("PATH", t.TempDir())
	return f
}

func (f fixture) open(t *testing.T, auth ...driver.Auth) driver.Conn {
	t.Helper()
	options := &driver.Options{Addr: []string{f.cfg.NativeListen}}
	for _, a := range auth {
		options.Auth = a
	}
	conn, err := driver.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// childOf finds the process that pid has started from program, an open file.
func childOf(t *testing.T, pid int, program string) int {
	t.Helper()
	program, err := os.Readlink(program)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		exe, _ := os.Readlink(e + "/exe")
		stat, _ := os.ReadFile(e + "/stat")
		var id, ppid int
		var name, state string
		_, err := fmt.Sscan(string(stat), &id, &name, &state, &ppid)
		if err == nil && exe == program && ppid == pid {
			return id
		}
	}
	t.Fatalf("process %d has no child %s", pid, program)
	return 0
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// await polls until done, for half a minute at most.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// logLines collects a log.
type logLines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logLines) restarts() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), "clickhouse ended and is started again")
}
