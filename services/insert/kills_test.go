// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weirflow/weir/bus/bustest"
)

// killsVariable is how many kills TestKills makes; `make kills` sets it.
const (
	killsVariable = "WEIR_TEST_KILLS"
	fewKills      = 5
)

// insertProcess is a process of cmd/insert, which is started again after each kill.
type insertProcess struct {
	path, config, log string
	cmd               *exec.Cmd
}

func newInsertProcess(t *testing.T, f *fixture, js *bustest.Server, partitions int) *insertProcess {
	t.Helper()
	dir := t.TempDir()
	p := &insertProcess{path: filepath.Join(dir, "insert"), config: filepath.Join(dir, "weir.yaml"), log: filepath.Join(dir, "log")}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", p.path, "./cmd/insert").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	settings := fmt.Sprintf("nats: {url: %q, partitions: %d}\nclickhouse: {dsn: %q, database: %s}\ninsert: {max_rows: %d, max_wait: 50ms}\nhttp: {listen: ''}\n",
		js.URL(), partitions, f.DSN(""), f.cfg.Database, 100*perMessage)
	if err := os.WriteFile(p.config, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if log, err := os.ReadFile(p.log); err == nil && t.Failed() {
			t.Logf("insert:\n%s", log)
		}
	})
	return p
}

func (p *insertProcess) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.cmd = exec.CommandContext(context.Background(), p.path, "--config", p.config) // kill ends it
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

func (p *insertProcess) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

// TestKills kills insert and ClickHouse at random, under load, and finds every row once.
func TestKills(t *testing.T) {
	t.Parallel()
	kills := fewKills
	if n, err := strconv.Atoi(os.Getenv(killsVariable)); err == nil {
		kills = n
	}
	f, js := newFixture(t), bustest.New(t)
	busConfig := js.Config(4)
	source := newSource(t, js, busConfig)
	insert := newInsertProcess(t, f, js, 4)
	insert.start(t)
	rng := rand.New(rand.NewPCG(uint64(kills), 7))

	loading, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	load.Go(func() {
		for tick := time.NewTicker(20 * time.Millisecond); loading.Err() == nil; <-tick.C {
			source.publish(t, 2) // 50 000 rows a second
		}
	})
	victims := map[string]int{}
	for i := range kills {
		<-time.After(time.Duration(rng.IntN(1500)) * time.Millisecond)
		victim := []string{"insert", "clickhouse", "both"}[rng.IntN(3)]
		victims[victim]++
		if victim != "clickhouse" {
			insert.kill()
		}
		if victim != "insert" {
			f.Kill()
			f.Start()
		}
		if victim != "clickhouse" {
			insert.start(t)
		}
		if i%10 == 9 {
			t.Logf("%d kills", i+1)
		}
	}
	stop()
	load.Wait()
	source.flush(t)
	deadline := time.Now().Add(10 * time.Minute) // for what has gathered in the streams
	for f.total(t) != source.total() && time.Now().Before(deadline) {
		<-time.After(100 * time.Millisecond)
	}
	if got := f.total(t); got != source.total() {
		t.Fatalf("rows %s, want %s", got, source.total())
	}
	const sums = `SELECT (SELECT sum(cityHash64(sequence_num, bytes, toUnixTimestamp64Nano(time_received_ns) %% 86400000000000)) FROM flows) =
		(SELECT sum(cityHash64(toUInt32(number), toUInt64(100), toInt64(number))) FROM numbers(%d))`
	if got := f.count(t, fmt.Sprintf(sums, source.next*perMessage)); got != "1" {
		t.Error("the checksum of flows is not that of what was sent")
	}
	t.Logf("%d kills %v, %s rows, each once", kills, victims, source.total())
}
