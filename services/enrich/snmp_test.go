// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/enrich/internal/snmp"
)

// snmpd runs Debian's agent on loopback until the test ends, and returns its port. Its
// interfaces are those of this machine, of which 1 is lo.
func snmpd(t *testing.T) (port uint16, stop func()) {
	t.Helper()
	program, err := exec.LookPath(cmp.Or(os.Getenv("SNMPD"), "/usr/sbin/snmpd"))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("snmpd (Debian: snmpd) is not installed")
		}
		t.Skip("snmpd (Debian: snmpd) is not installed")
	}
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port = netip.MustParseAddrPort(free.LocalAddr().String()).Port()
	_ = free.Close()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "snmpd.conf"), `sysName edge-lab-1
rocommunity public
createUser weir SHA correct-horse AES battery-staple
rouser weir priv
`)
	ctx, cancel := context.WithCancel(context.Background())
	agent := exec.CommandContext(ctx, program, "-f", "-C", "-c", filepath.Join(dir, "snmpd.conf"), "-Lf", filepath.Join(dir, "log"),
		"-I", "-smux", fmt.Sprintf("udp:127.0.0.1:%d", port))
	agent.Env = append(os.Environ(), "SNMP_PERSISTENT_DIR="+dir)
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		cancel()
		_ = agent.Wait()
	})
	t.Cleanup(stop)
	return port, stop
}

// askUntil asks until the agent answers.
func askUntil(t *testing.T, a snmp.Access) *snmp.Device {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		d, err := snmp.Ask(t.Context(), netip.MustParseAddr("127.0.0.1"), a)
		if err == nil {
			return d
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestSNMPAgreesWithTheAgent(t *testing.T) {
	t.Parallel()
	port, _ := snmpd(t)
	lo, err := net.InterfaceByIndex(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []snmp.Access{
		{Version: "2c", Community: "public"},
		{Version: "3", Username: "weir", AuthProtocol: "sha", AuthPassword: "correct-horse", PrivProtocol: "aes", PrivPassword: "battery-staple"},
	} {
		a.Port, a.Timeout = port, time.Second
		if err := a.Validate(); err != nil {
			t.Fatal(err)
		}
		d := askUntil(t, a)
		if i := d.Interfaces[1]; d.Name != "edge-lab-1" || i.Name != lo.Name || i.Speed != 10_000_000 {
			t.Errorf("version %s: %s has interface 1 %+v, want edge-lab-1, %s of 10 Mbit/s", a.Version, d.Name, i, lo.Name)
		}
	}
	wrong := snmp.Access{Version: "3", Username: "weir", AuthProtocol: "sha", AuthPassword: "wrong-horse", Port: port, Timeout: 300 * time.Millisecond}
	if _, err := snmp.Ask(t.Context(), netip.MustParseAddr("127.0.0.1"), wrong); err == nil {
		t.Error("a wrong password was taken")
	}
}

// runService runs a Service until stop is called.
func runService(t *testing.T, s *bustest.Server, cfg Config) (stop func()) {
	t.Helper()
	service, err := New(cfg, s.Connect(bus.Enrich, s.Config(partitions)), slog.New(slog.NewTextHandler(t.Output(), nil)), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- service.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func TestNamesFromSNMPOutliveARestart(t *testing.T) {
	t.Parallel()
	port, stopAgent := snmpd(t)
	s := bustest.New(t)
	cfg := DefaultConfig()
	for _, b := range documentation(t) {
		if b.section == "SNMP" {
			cfg = configOf(t, strings.ReplaceAll(b.text, "192.0.2.0/24", "127.0.0.1/32"), exampleFiles(t))
		}
	}
	for i := range cfg.SNMP.Targets {
		cfg.SNMP.Targets[i].Port = port
	}
	cfg.SNMP.Timeout, cfg.SNMP.Retries, cfg.SNMP.Interval = time.Second, 5, 2*time.Second
	names := collectTexts(t, s, flow.ExporterName, flow.InIfName)
	input := publish(t, s)
	stop := runService(t, s, cfg)

	n := uint64(0)
	until := func(promise, want string) {
		t.Helper()
		deadline := time.Now().Add(30 * time.Second)
		for {
			var r flow.Record
			r.SetNumber(flow.SequenceNum, n)
			r.SetNumber(flow.InIf, 1)
			r.SetAddress(flow.SamplerAddress, netip.MustParseAddr("127.0.0.1").As16())
			var b flow.Batch
			b.Append(&r)
			if err := input.Publish(1, &b, func() {}); err != nil {
				t.Fatal(err)
			}
			for names.of(n) == "" && time.Now().Before(deadline) {
				<-time.After(time.Millisecond)
			}
			got := names.of(n)
			n++
			switch {
			case got == want:
				return
			case time.Now().After(deadline) || got != "|":
				t.Fatalf("%s: %q, want %q", promise, got, want)
			}
		}
	}
	until("flows go through before the exporter has answered, and have its names then", "edge-lab-1|lo")
	stop()
	stopAgent()
	runService(t, s, cfg)
	names.first = n
	until("after a restart the names are there at once, without the exporter", "edge-lab-1|lo")
	if n != names.first+1 {
		t.Errorf("%d flows came without names after the restart", n-names.first-1)
	}
}

// texts are columns of each flow in ENRICHED, by sequence number.
type texts struct {
	mu    sync.Mutex
	rows  map[uint64]string
	first uint64
}

func (c *texts) of(n uint64) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rows[n]
}

// collectTexts reads ENRICHED until the test ends.
func collectTexts(t *testing.T, s *bustest.Server, fields ...flow.Field) *texts {
	t.Helper()
	c := &texts{rows: map[uint64]string{}}
	readEnriched(t, s, func(b *flow.Batch) {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i := range b.Rows() {
			var words []string
			for _, f := range fields {
				words = append(words, strings.Clone(b.Text(f, i)))
			}
			c.rows[b.Number(flow.SequenceNum, i)] += strings.Join(words, "|")
		}
	})
	return c
}
