// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
	"github.com/weirflow/weir/clickhouse/clickhousetest"
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/flow/rollup"
	"github.com/weirflow/weir/migrations"
)

const rollupPartitions = 6

// userRollups have what the built-in ones lack.
func userRollups() []rollup.Rollup {
	return []rollup.Rollup{
		{Name: "ends_1m", Window: time.Minute, Keys: []string{"host", "direction"}, Measures: []string{"bytes", "packets", "flows"}},
		{
			Name: "nets_10m", Window: 10 * time.Minute, Keys: []string{"src_addr/20/48", "dst_addr/mask", "dst_net"},
			Measures: []string{"bytes", "packets_scaled", "flows", "max(packets)", "min(bytes)"},
		},
		{Name: "web_30s", Window: 30 * time.Second, AllowedLateness: 30 * time.Second, Keys: []string{"src_country", "dst_port"}, Filter: `flow.proto == 6 && flow.src_country in ["DE", "FR"]`},
		{Name: "days_kathmandu", Window: 24 * time.Hour, TimeZone: "Asia/Kathmandu", Keys: []string{"proto"}, Measures: []string{"flows"}},
	}
}

const userRollupsYAML = `aggregate:
  flush_interval: 500ms
  idle_after: 5s
  rollups:
    - name: ends_1m
      window: 1m
      keys: [host, direction]
      measures: [bytes, packets, flows]
    - name: nets_10m
      window: 10m
      keys: [src_addr/20/48, dst_addr/mask, dst_net]
      measures: [bytes, packets_scaled, flows, max(packets), min(bytes)]
    - name: web_30s
      window: 30s
      allowed_lateness: 30s
      keys: [src_country, dst_port]
      filter: flow.proto == 6 && flow.src_country in ["DE", "FR"]
    - name: days_kathmandu
      window: 24h
      time_zone: Asia/Kathmandu
      keys: [proto]
      measures: [flows]
`

// rollupStack is NATS, ClickHouse, one insert and several aggregate processes.
type rollupStack struct {
	*testing.T
	nats    *bustest.Server
	conn    driver.Conn
	folder  string
	args    []string
	workers []*exec.Cmd
}

func newRollupStack(t *testing.T) *rollupStack {
	t.Helper()
	ch := clickhousetest.New(t)
	const database = "weir"
	if err := migrations.Up(t.Context(), ch.DSN(""), database, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	var tables []migrations.RollupTable
	for _, r := range userRollups() {
		tables = append(tables, tableOf(t, r))
	}
	if err := migrations.EnsureRollups(t.Context(), ch.DSN(""), database, tables, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	s := &rollupStack{T: t, nats: bustest.New(t), conn: ch.Open(t, database), folder: t.TempDir()}
	for _, service := range []string{"aggregate", "insert"} {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(s.folder, service), "../../services/"+service+"/cmd/"+service)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", service, err, out)
		}
	}
	file := filepath.Join(s.folder, "weir.yaml")
	if err := os.WriteFile(file, []byte(userRollupsYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	s.args = []string{"--config", file, "--nats.url", s.nats.URL(), "--nats.partitions", fmt.Sprint(rollupPartitions), "--nats.max_bytes", "1GiB", "--http.listen", ""}
	s.start("insert", "--clickhouse.dsn", ch.DSN(""), "--insert.max_wait", "500ms")
	return s
}

func tableOf(t *testing.T, r rollup.Rollup) migrations.RollupTable {
	t.Helper()
	if err := r.Validate(); err != nil {
		t.Fatalf("%s: %v", r.Name, err)
	}
	keys, measures, err := r.Columns()
	if err != nil {
		t.Fatal(err)
	}
	table := migrations.RollupTable{Name: r.Name}
	for _, k := range keys {
		table.Keys = append(table.Keys, migrations.Column(k))
	}
	for _, m := range measures {
		table.Measures = append(table.Measures, migrations.Column(m))
	}
	return table
}

// start starts a process, which ends with the test at the latest.
func (s *rollupStack) start(service string, more ...string) *exec.Cmd {
	s.Helper()
	cmd := exec.CommandContext(s.Context(), filepath.Join(s.folder, service), append(s.args, more...)...)
	cmd.Stdout, cmd.Stderr = s.Output(), s.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { s.end(cmd, os.Kill) })
	return cmd
}

func (s *rollupStack) end(cmd *exec.Cmd, how os.Signal) {
	if cmd.ProcessState == nil {
		_ = cmd.Process.Signal(how)
		_ = cmd.Wait()
	}
}

// publish appends flows to ENRICHED, those of an exporter to one partition, in order.
func (s *rollupStack) publish(p *bus.Publisher, batches [rollupPartitions]*flow.Batch) {
	s.Helper()
	for partition, b := range batches {
		if b == nil {
			continue
		}
		if err := p.Publish(partition, b, func() {}); err != nil {
			s.Fatal(err)
		}
	}
	if err := p.Flush(s.Context()); err != nil {
		s.Fatal(err)
	}
}

func TestRollupsEqualSQLOverFlows(t *testing.T) {
	t.Parallel()
	s := newRollupStack(t)
	rnd := rand.New(rand.NewPCG(6, 6))
	b := s.nats.Connect(bus.Enrich, s.nats.Config(rollupPartitions))
	p := b.NewPublisher(bus.Enriched, 64<<20)
	ctx, cancel := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	sending.Go(func() { _ = p.Run(ctx) })
	defer sending.Wait()
	defer cancel()

	final := s.tailFinals("interfaces_1m")
	s.workers = append(s.workers, s.start("aggregate"), s.start("aggregate"), s.start("aggregate"))
	const steps, perStep = 60, 500
	from := time.Now().Add(-50 * time.Minute)
	for step := range steps {
		var batches [rollupPartitions]*flow.Batch
		for range perStep {
			exporter := rnd.IntN(12)
			b := &batches[exporter%rollupPartitions]
			if *b == nil {
				*b = &flow.Batch{}
			}
			appendFlow(*b, rnd, exporter, from.Add(time.Duration(step)*40*time.Minute/steps))
		}
		s.publish(p, batches)
		s.disturb(step)
		<-time.After(100 * time.Millisecond)
	}
	for _, r := range append(rollup.Builtin(), userRollups()...) {
		s.compare(r, steps*perStep)
	}
	s.compareFinals(final, "interfaces_1m", "sampler_address, interface, direction")
}

// disturb kills, restarts and scales the aggregate processes.
func (s *rollupStack) disturb(step int) {
	s.Helper()
	switch step % 20 {
	case 4:
		s.workers = append(s.workers, s.start("aggregate"))
	case 8, 16:
		s.end(s.workers[0], os.Kill)
		s.workers = append(s.workers[1:], s.start("aggregate"))
	case 12:
		s.end(s.workers[1], syscall.SIGTERM)
		s.workers = append(s.workers[:1:1], s.workers[2:]...)
	}
}

// appendFlow makes a flow up that ends within the lateness before at, or, one in a hundred,
// up to half an hour earlier, or whose clock is wrong.
func appendFlow(b *flow.Batch, rnd *rand.Rand, exporter int, at time.Time) {
	received := uint64(at.UnixNano())                            //nolint:gosec // positive
	end := received - rnd.Uint64N(uint64(110*time.Second))       //nolint:gosec // positive
	lasted := rnd.Uint64N(uint64(time.Second)) << rnd.Uint64N(9) // up to 8 minutes
	switch rnd.IntN(300) {
	case 0, 1, 2:
		end -= rnd.Uint64N(uint64(30 * time.Minute))
	case 3:
		end += uint64(time.Hour)
	case 4:
		end -= uint64(40 * 24 * time.Hour)
	case 5:
		lasted = uint64(3 * time.Hour)
	}
	country := []string{"", "DE", "FR", "US"}
	network := []string{"", "core", "customer-7"}
	packets := 1 + rnd.Uint64N(1000)
	var r flow.Record
	for f, v := range map[flow.Field]uint64{
		flow.TimeReceivedNs: received, flow.TimeFlowStartNs: end - lasted, flow.TimeFlowEndNs: end,
		flow.Bytes: packets * (40 + rnd.Uint64N(1400)), flow.Packets: packets, flow.SamplingRate: []uint64{0, 1, 1000}[rnd.IntN(3)],
		flow.SrcOriginAS: []uint64{0, 64500, 4200000000}[rnd.IntN(3)], flow.DstOriginAS: 64500 + rnd.Uint64N(2),
		flow.InIf: rnd.Uint64N(3), flow.OutIf: rnd.Uint64N(3), flow.InIfSpeed: 1e9, flow.OutIfSpeed: []uint64{0, 1e10}[rnd.IntN(2)],
		flow.EType: []uint64{0x800, 0x86dd}[rnd.IntN(2)], flow.Proto: []uint64{6, 17}[rnd.IntN(2)], flow.ForwardingStatus: []uint64{0, 64}[rnd.IntN(2)],
		flow.SrcPort: rnd.Uint64N(5), flow.DstPort: 440 + rnd.Uint64N(5), flow.SrcNet: 24, flow.DstNet: rnd.Uint64N(65),
		flow.Quality:    []uint64{0, flow.TimeSkewed, flow.SamplingUnknown}[rnd.IntN(3)],
		flow.SrcCountry: b.Intern(flow.SrcCountry, country[rnd.IntN(4)]), flow.DstCountry: b.Intern(flow.DstCountry, country[rnd.IntN(4)]),
		flow.SrcNetName: b.Intern(flow.SrcNetName, network[rnd.IntN(3)]), flow.DstNetName: b.Intern(flow.DstNetName, network[rnd.IntN(3)]),
	} {
		r.SetNumber(f, v)
	}
	v4 := func(last uint64) [16]byte {
		return [16]byte{10: 0xff, 11: 0xff, 12: 10, 13: byte(last), 14: byte(rnd.Uint64N(3) * 16), 15: byte(rnd.Uint64N(8))}
	}
	r.SetAddress(flow.SamplerAddress, [16]byte{10: 0xff, 11: 0xff, 12: 192, 14: 2, 15: byte(exporter)})
	r.SetAddress(flow.SrcAddr, v4(rnd.Uint64N(3)))
	r.SetAddress(flow.DstAddr, [16]byte{0: 0x20, 1: 1, 2: byte(rnd.Uint64N(4)), 7: byte(rnd.Uint64N(4)), 15: 1})
	if rnd.IntN(2) == 0 {
		r.SetAddress(flow.DstAddr, v4(200))
	}
	b.Append(&r)
}
