// SPDX-License-Identifier: Apache-2.0

// Package clickhousetest gives tests a real ClickHouse.
//
// The environment variable WEIR_TEST_CLICKHOUSE says which: the path of libchdb.so,
// from which each New starts a server of its own, or the native address host:port of
// a server that is there, without a password. Without it tests are skipped, and fail
// in CI.
package clickhousetest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/weirflow/weir/clickhouse/internal/child"
)

const variable = "WEIR_TEST_CLICKHOUSE"

// Server is a ClickHouse server for one test and its subtests.
type Server struct {
	Native string // host:port
	HTTP   string // host:port; empty on a server that is not ours

	t     testing.TB
	argv  []string // nil on a server that is not ours
	dir   string
	log   string
	child *child.Child
}

// New returns a server that answers. It is stopped, with all its data, when t ends.
func New(t testing.TB) *Server {
	t.Helper()
	given := setting(t)
	if !isEngine(given) {
		return &Server{Native: given, t: t}
	}
	s := prepared(t)
	s.begin()
	return s
}

// prepared is a server of ours that is not started.
func prepared(t testing.TB) *Server {
	t.Helper()
	dir := t.TempDir()
	s := &Server{Native: FreeAddress(t), HTTP: FreeAddress(t), t: t, dir: filepath.Join(dir, "data"), log: filepath.Join(dir, "console.log")}
	s.argv = []string{
		Host(t), "--engine", setting(t), "--dir", s.dir,
		"--native_listen", s.Native, "--http_listen", s.HTTP,
	}
	return s
}

// begin starts a server until its test ends.
func (s *Server) begin() {
	s.t.Helper()
	s.Start()
	s.t.Cleanup(func() { s.child.Stop(10 * time.Second) })
}

// NewCluster returns that many servers that know each other as the shards of a cluster, and may
// make Distributed tables over it.
func NewCluster(t testing.TB, name string, shards int) []*Server {
	t.Helper()
	Engine(t) // others have no such settings
	servers := make([]*Server, shards)
	var members strings.Builder
	for i := range servers {
		servers[i] = prepared(t)
		host, port, _ := strings.Cut(servers[i].Native, ":")
		fmt.Fprintf(&members, "<shard><replica><host>%s</host><port>%s</port></replica></shard>", host, port)
	}
	for _, s := range servers {
		s.configure(map[string]string{
			"config.d/cluster.xml": fmt.Sprintf("<clickhouse><remote_servers><%[1]s>%[2]s</%[1]s></remote_servers></clickhouse>", name, members.String()),
			"users.d/cluster.xml":  "<clickhouse><users><default><grants replace=\"replace\"><query>GRANT ALL ON *.*</query></grants></default></users></clickhouse>",
		})
		s.begin()
	}
	return servers
}

// NewConfigured returns a server with settings of its own in config.d and users.d.
func NewConfigured(t testing.TB, files map[string]string) *Server {
	t.Helper()
	Engine(t)
	s := prepared(t)
	s.configure(files)
	s.begin()
	return s
}

func (s *Server) configure(files map[string]string) {
	s.t.Helper()
	for name, text := range files {
		path := filepath.Join(s.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// Engine returns the path of libchdb.so, or skips the test.
func Engine(t testing.TB) string {
	t.Helper()
	given := setting(t)
	if !isEngine(given) {
		t.Skip(variable + " is not a path of libchdb.so")
	}
	return given
}

// Host builds the program that is the engine's process, once, and returns a path of it.
func Host(t testing.TB) string {
	t.Helper()
	path, err := host()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// host keeps the program open and deletes it, so that it goes when the test process goes.
var host = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "weir-test-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	_, source, _, _ := runtime.Caller(0)
	path := filepath.Join(dir, "clickhouse-host")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", path, "./host")
	// In this module, since the module of the test need not know the engine's.
	build.Dir = filepath.Dir(source)
	build.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the engine's host: %w: %s", err, out)
	}
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd), nil
})

// Start starts a server that Kill has ended, and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	output, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer output.Close()
	if s.child, err = child.Start(s.argv, output); err != nil {
		s.t.Fatalf("start ClickHouse: %v", err)
	}
	conn := s.Open(s.t, "default")
	defer conn.Close()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for conn.Ping(context.Background()) != nil {
		select {
		case <-s.child.Exited():
			s.t.Fatalf("ClickHouse ended: %s: %s", s.child.Status(), child.LastWords(s.log))
		case <-deadline:
			s.t.Fatal("ClickHouse does not answer")
		case <-tick.C:
		}
	}
}

// Kill ends the server as kill -9 does. It skips tests on a server that is not ours.
func (s *Server) Kill() {
	s.t.Helper()
	if s.argv == nil {
		s.t.Skip(variable + " is a server that is not ours to kill")
	}
	s.child.Kill()
}

// PID is the server's process id, 0 for one that is not ours.
func (s *Server) PID() int {
	if s.child == nil {
		return 0
	}
	return s.child.PID()
}

var databases atomic.Int64

// Database creates an empty database and returns its name. It is dropped when t ends.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), databases.Add(1))
	conn := s.Open(t, "default")
	if err := conn.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("create database %s: %v", name, err)
	}
	t.Cleanup(func() {
		if s.argv == nil { // ours goes as a whole
			_ = conn.Exec(context.Background(), "DROP DATABASE "+name)
		}
		conn.Close()
	})
	return name
}

// DSN is for clients of a database.
func (s *Server) DSN(database string) string { return "clickhouse://" + s.Native + "/" + database }

// Open returns a connection to a database; closing it twice does no harm.
func (s *Server) Open(t testing.TB, database string) driver.Conn {
	t.Helper()
	conn, err := driver.Open(&driver.Options{
		Addr:        []string{s.Native},
		Auth:        driver.Auth{Database: database},
		DialTimeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatalf("open %s: %v", s.Native, err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func setting(t testing.TB) string {
	t.Helper()
	given := os.Getenv(variable)
	if given == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal(variable + " is not set, and this is CI")
		}
		t.Skip(variable + " is not set")
	}
	return given
}

func isEngine(given string) bool { return filepath.IsAbs(given) }

// FreeAddress returns a loopback address that nobody listens on.
func FreeAddress(t testing.TB) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
