// SPDX-License-Identifier: Apache-2.0

package clickhouse

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// ServeConfig is what the child process of a Server is told on its command line.
type ServeConfig struct {
	Engine       string // path of libchdb.so
	Dir          string // everything kept lies under it
	NativeListen string // loopback address and port
	HTTPListen   string // the same address, another port
}

// ParseServe reads the arguments of the child process.
func ParseServe(args []string) (ServeConfig, error) {
	var c ServeConfig
	f := flag.NewFlagSet("clickhouse", flag.ContinueOnError)
	f.StringVar(&c.Engine, "engine", "", "path of libchdb.so")
	f.StringVar(&c.Dir, "dir", "", "folder for everything that the server keeps")
	f.StringVar(&c.NativeListen, "native_listen", DefaultConfig().NativeListen, "loopback address and port of the native protocol")
	f.StringVar(&c.HTTPListen, "http_listen", DefaultConfig().HTTPListen, "loopback address and port of HTTP")
	return c, f.Parse(args)
}

func (c ServeConfig) args() []string {
	return []string{"--engine", c.Engine, "--dir", c.Dir, "--native_listen", c.NativeListen, "--http_listen", c.HTTPListen}
}

// Serve is a ClickHouse server until ctx ends. It takes over the process: standard
// input is replaced, the engine can abort, and it runs once.
func Serve(ctx context.Context, c ServeConfig) error {
	native, err := loopback("native_listen", c.NativeListen)
	if err != nil {
		return err
	}
	http, err := loopback("http_listen", c.HTTPListen)
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return err
	}
	if err := prepare(dir, native, http); err != nil {
		return fmt.Errorf("prepare %s: %w", dir, err)
	}
	script := filepath.Join(dir, "start.sql")
	if err := os.WriteFile(script, []byte("SYSTEM START LISTEN TCP;\nSYSTEM START LISTEN HTTP;\n"), 0o600); err != nil {
		return fmt.Errorf("prepare %s: %w", dir, err)
	}
	stop, err := heldInput()
	if err != nil {
		return fmt.Errorf("prepare standard input: %w", err)
	}
	defer context.AfterFunc(ctx, func() { stop.Close() })()
	// The engine aborts on a failed login, and its image is too large to write it out.
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	err = session(c.Engine, []string{
		"clickhouse", "--config-file=" + configPath(dir), "--path=" + dir, "--log-level=warning",
		"--listen_host=" + native.Addr().String(),
		fmt.Sprintf("--tcp_port=%d", native.Port()), fmt.Sprintf("--http_port=%d", http.Port()),
		"--queries-file", script, "/dev/stdin",
	})
	runtime.KeepAlive(stop)
	if err == nil && ctx.Err() == nil {
		err = errors.New("the engine ended by itself")
	}
	return err
}

// heldInput makes standard input a pipe that has no end before the returned file is
// closed. The engine's local mode listens while its session runs; the session's last
// script is standard input, so the end of it is the end of the server.
func heldInput() (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return w, syscall.Dup3(int(r.Fd()), 0, 0)
}
