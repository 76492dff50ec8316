// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// weir is a weir up with ports and data of its own.
type weir struct {
	cmd        *exec.Cmd
	flows      netip.AddrPort
	clickhouse string
	log        string
}

func startWeir(ctx context.Context, program, dir string) (*weir, error) {
	addresses, err := free(ctx, 4)
	if err != nil {
		return nil, err
	}
	w := &weir{flows: netip.MustParseAddrPort(addresses[0]), clickhouse: addresses[1], log: filepath.Join(dir, "log")}
	log, err := os.Create(w.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	w.cmd = exec.CommandContext(ctx, program, "up", "--data="+filepath.Join(dir, "data"), "--status_interval=0",
		"--ingest.listen="+addresses[0], "--clickhouse.http_listen="+addresses[1],
		"--clickhouse.native_listen="+addresses[2], "--http.listen="+addresses[3])
	w.cmd.Stdout, w.cmd.Stderr = log, log
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	return w, nil
}

func (w *weir) stop() {
	_ = w.cmd.Process.Signal(syscall.SIGTERM)
	_ = w.cmd.Wait()
}

// free returns addresses of loopback that nobody listens on.
func free(ctx context.Context, n int) ([]string, error) {
	var addresses []string
	for range n {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // only now, so that all are different
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}

// awaitRows waits until ClickHouse has at least so many flows. After patience without
// a new one it returns those that it has, with an error.
func (w *weir) awaitRows(ctx context.Context, want uint64, patience time.Duration) (rows uint64, err error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for last := time.Now(); time.Since(last) < patience; {
		now, err := w.rows(ctx)
		if err == nil && now >= want {
			return now, nil
		}
		if now > rows {
			rows, last = now, time.Now()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return rows, ctx.Err()
		}
	}
	text, err := os.ReadFile(w.log)
	return rows, fmt.Errorf("%d rows of %d, and no more for %v; weir up says:\n%s%w", rows, want, patience, text, err)
}

func (w *weir) rows(ctx context.Context) (uint64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.clickhouse, strings.NewReader("SELECT count() FROM weir.flows"))
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
}
