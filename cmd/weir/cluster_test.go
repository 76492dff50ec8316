// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
)

// cluster is the services as processes of their own, with NATS and ClickHouse beside. What a
// stack can be asked, it can be asked too.
type cluster struct {
	*stack
	folder     string
	server     *process // NATS
	clickhouse *process
	workers    []*worker
	common     []string // arguments of all services
	dsn        string
}

// worker is a process of a service. Its line to NATS can be cut where it has one.
type worker struct {
	*process
	service string
	line    *line
}

const natsModule = "github.com/nats-io/nats-server/v2"

// programs builds the services and the NATS server once for all tests, and returns their folder.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "weir-cluster-")
	if err != nil {
		return "", err
	}
	args := []string{"build", "-o", dir + "/", natsModule}
	for _, service := range []string{"ingest", "decode", "enrich", "aggregate", "insert"} {
		args = append(args, "github.com/weirflow/weir/services/"+service+"/cmd/"+service)
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the services: %w\n%s", err, out)
	}
	return dir, nil
})

// programOf returns the path of a program.
func programOf(t testing.TB, name string) string {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// newCluster starts NATS and ClickHouse, and makes streams and tables. settings is a file for
// all services.
func newCluster(t *testing.T, settings string) *cluster {
	t.Helper()
	c := &cluster{stack: &stack{t: t, flows: freeUDP(t)}, folder: t.TempDir()}
	file := c.write("weir.yaml", settings)
	c.startNATS()
	c.startClickHouse()
	c.common = []string{"--config", file, "--http.listen", ""}
	c.makeStreams()
	c.run("migrate", "--clickhouse.dsn", c.dsn)
	return c
}

func (c *cluster) write(name, text string) string {
	c.t.Helper()
	path := filepath.Join(c.folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

func (c *cluster) startNATS() {
	c.t.Helper()
	c.nats = clickhousetest.FreeAddress(c.t)
	conf := c.write("nats.conf", fmt.Sprintf(
		"listen: %q\nmax_payload: 8MB\njetstream { store_dir: %q, max_file_store: 20GB, sync_interval: always }\n", c.nats, c.t.TempDir()))
	c.server = newProcess(c.t, "nats-server", programOf(c.t, "nats-server"), "--config", conf)
	c.mustStart(c.server)
}

func (c *cluster) startClickHouse() {
	c.t.Helper()
	native := clickhousetest.FreeAddress(c.t)
	c.http, c.dsn = clickhousetest.FreeAddress(c.t), "clickhouse://"+native
	c.clickhouse = newProcess(c.t, "clickhouse", clickhousetest.Host(c.t), "--engine", clickhousetest.Engine(c.t),
		"--dir", c.t.TempDir(), "--native_listen", native, "--http_listen", c.http)
	c.mustStart(c.clickhouse)
}

func (c *cluster) mustStart(p *process) {
	c.t.Helper()
	if err := p.start(); err != nil {
		c.t.Fatal(err)
	}
}

// run runs a command of weir to its end and returns what it says.
func (c *cluster) run(args ...string) string {
	c.t.Helper()
	out, err := c.try(args...)
	if err != nil {
		c.t.Fatalf("weir %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (c *cluster) try(args ...string) (string, error) {
	c.t.Helper()
	path, err := program()
	if err != nil {
		c.t.Fatal(err)
	}
	cmd := exec.CommandContext(c.t.Context(), path, append(args, "--config", filepath.Join(c.folder, "weir.yaml"))...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// makeStreams makes them, on a disk that may be busy.
func (c *cluster) makeStreams() {
	c.t.Helper()
	c.until("the streams to be made", func() bool {
		_, err := c.try("streams", "--nats.url", "nats://"+c.nats)
		return err == nil
	})
}

// add starts a worker of a service. One with a line reaches NATS through it.
func (c *cluster) add(service string, withLine bool) *worker {
	c.t.Helper()
	w := c.newWorker(service, withLine)
	c.workers = append(c.workers, w)
	c.mustStart(w.process)
	return w
}

func (c *cluster) newWorker(service string, withLine bool) *worker {
	c.t.Helper()
	w := &worker{service: service}
	url := c.nats
	if withLine {
		w.line = newLine(c.t, c.nats)
		url = w.line.address()
	}
	args := append([]string{programOf(c.t, service), "--nats.url", "nats://" + url}, c.common...)
	switch service {
	case "ingest":
		args = append(args, "--ingest.listen", c.flows)
	case "insert":
		args = append(args, "--clickhouse.dsn", c.dsn)
	}
	w.process = newProcess(c.t, fmt.Sprintf("%s-%d", service, len(c.workers)), args...)
	return w
}
