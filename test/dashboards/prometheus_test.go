// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
	"github.com/weirflow/weir/test/traffic"
)

// quiet are the expressions that a healthy stack has no series for, each with the reason.
var quiet = map[string]string{
	"weir_insert_repeated_total":          "no insert was repeated",
	"weir_weir_disk_free_bytes <":         "there is room on the disk",
	"> 0.8":                               "no stream is nearly full",
	"weir_bus_dead_letters_total":         "no message could not be processed",
	"weir_bus_restarts_total":             "no partition had an error",
	"weir_ingest_refused_datagrams_total": "no datagram was refused",
	"weir_insert_retries_total":           "no insert failed",
	"weir_decode_refused_total":           "nothing is refused, and zero is not drawn",
	"weir_decode_sequence_gaps_total":     "no exporter has lost a datagram",
	"weir_aggregate_late_flows_total":     "no flow was late",
	"weir_enrich_cache_hits_total":        "no database is configured",
	"weir_enrich_observer_hits_total":     "no names are configured",
	"offset 1w":                           "a week ago there was no data",
	"offset 15m":                          "it has run for seconds",
	`outcome="full"`:                      "no stream is full",
	"== 0":                                "no process is down, no exporter silent",
	"> 0.01":                              "no clock is wrong",
	"> 60":                                "nothing is delayed",
	"< on ()":                             "all partitions have an owner",
	"> 1000":                              "nothing waits",
	"increase(weir_ingest_kernel_dropped_datagrams_total[5m])) > 0": "the kernel drops nothing",
}

// TestRulesFireWhenTheyShould runs Prometheus' own checks and unit tests of the rules.
func TestRulesFireWhenTheyShould(t *testing.T) {
	t.Parallel()
	traffic.Require(t, "promtool")
	for _, args := range [][]string{{"check", "rules", "--lint-fatal", "rules.yaml"}, {"test", "rules", "rules_test.yaml", "rules_week_test.yaml"}} {
		cmd := exec.CommandContext(t.Context(), "promtool", args...)
		cmd.Dir = filepath.Join(root, "deploy", "prometheus")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
	for _, r := range rulesOf(t, prometheusRules) {
		if !strings.Contains(read(t, "deploy/prometheus/rules_test.yaml")+read(t, "deploy/prometheus/rules_week_test.yaml"), r.Alert) {
			t.Errorf("no test of rules is about %s", r.Alert)
		}
	}
}

// TestExpressionsFindSeries: a real Prometheus scrapes weir up, which flows of all protocols come to, and answers every
// expression of dashboards and rules.
func TestExpressionsFindSeries(t *testing.T) {
	t.Parallel()
	traffic.Require(t, "prometheus")
	expressions := map[string]string{}
	for _, r := range rulesOf(t, prometheusRules) {
		expressions[r.Alert] = r.Expr
	}
	for _, b := range boards(t) {
		for _, p := range b.Panels {
			for _, q := range p.Targets {
				if q.Expr != "" {
					// Grafana's: four scrapes at least.
					expressions[b.UID+"/"+p.Title+" "+q.RefID] = strings.ReplaceAll(q.Expr, "$__rate_interval", "10s")
				}
			}
		}
	}
	weir, flows := startWeir(t)
	p := startPrometheus(t, weir)
	sendFlows(t, flows)
	p.await(t, `rate(weir_insert_rows_total{table="flows_5m"}[10s]) > 0`)
	p.await(t, "rate(weir_decode_flows_total[10s]) > 0")
	checkLabels(t, weir)
	for name, expr := range expressions {
		n, err := p.query(t.Context(), expr)
		reason := ""
		for part, why := range quiet {
			if strings.Contains(expr, part) {
				reason = why
			}
		}
		if err != nil || n == 0 && reason == "" {
			t.Errorf("%s: %s: %d series, %v", name, expr, n, err)
		}
	}
}

// checkLabels: only ingest and decode, which bound it, have series for each exporter; no label is of flows.
func checkLabels(t *testing.T, weir string) {
	t.Helper()
	text, err := get(t.Context(), "http://"+weir+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	closed := []string{"service", "stream", "partition", "outcome", "reason", "protocol", "rollup", "partial", "table", "listener", "file", "database", "policy", "le"}
	for line := range strings.SplitSeq(string(text), "\n") {
		for _, m := range regexp.MustCompile(`[{,](\w+)="`).FindAllStringSubmatch(line, -1) {
			ofExporter := m[1] == "exporter" && (strings.HasPrefix(line, "weir_ingest_") || strings.HasPrefix(line, "weir_decode_"))
			if strings.HasPrefix(line, "weir_") && !ofExporter && !slices.Contains(closed, m[1]) {
				t.Errorf("label %s: is it bounded? %s", m[1], line)
			}
		}
	}
}

// start runs a program until the test ends.
func start(t *testing.T, path string, args ...string) {
	t.Helper()
	var output strings.Builder
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			text := output.String()
			t.Logf("%s said:\n%s", filepath.Base(path), text[max(0, len(text)-4000):])
		}
	})
}

// startWeir returns where a weir up shows its metrics, and where it takes flows.
func startWeir(t *testing.T) (health string, flows netip.AddrPort) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "weir")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	build.Dir = filepath.Join(root, "cmd", "weir")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build weir: %v\n%s", err, out)
	}
	free := func() string { return clickhousetest.FreeAddress(t) }
	var lc net.ListenConfig
	udp, err := lc.ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := udp.LocalAddr().String()
	udp.Close()
	health = free()
	start(t, path, "up", "--data", t.TempDir(), "--ingest.listen", listen, "--clickhouse.http_listen", free(), "--clickhouse.native_listen", free(),
		"--clickhouse.engine", clickhousetest.Engine(t), "--nats_server.listen", free(), "--http.listen", health, "--status_interval", "0s",
		"--aggregate.flush_interval", "1s", "--insert.max_wait", "500ms")
	wait(t, "weir up to be ready", func() bool {
		_, err := get(t.Context(), "http://"+health+"/readyz")
		return err == nil
	})
	return health, netip.MustParseAddrPort(listen)
}

// sendFlows sends some for seconds, so that rates are above zero, from exporters of all protocols.
func sendFlows(t *testing.T, to netip.AddrPort) {
	t.Helper()
	cfg := traffic.DefaultLoadConfig()
	cfg.To, cfg.Rate = to, 500
	load, err := traffic.NewLoad(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- load.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("send flows: %v", err)
		}
		load.Close()
	})
}

// server is a Prometheus.
type server struct{ address string }

// startPrometheus scrapes a weir up every second, with the rules.
func startPrometheus(t *testing.T, weir string) server {
	t.Helper()
	rules, err := filepath.Abs(filepath.Join(root, prometheusRules))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [%q]\nscrape_configs:\n- {job_name: weir, static_configs: [{targets: [%q]}]}\n", rules, weir)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := server{clickhousetest.FreeAddress(t)}
	start(t, "prometheus", "--config.file", config, "--storage.tsdb.path", filepath.Join(dir, "data"), "--web.listen-address", p.address, "--log.level", "warn")
	return p
}

// await waits until an expression has series.
func (p server) await(t *testing.T, expr string) {
	t.Helper()
	wait(t, "series of "+expr, func() bool {
		n, err := p.query(t.Context(), expr)
		return err == nil && n > 0
	})
}

// query returns how many series an expression has.
func (p server) query(ctx context.Context, expr string) (int, error) {
	text, err := get(ctx, "http://"+p.address+"/api/v1/query?query="+url.QueryEscape(expr))
	if err != nil {
		return 0, err
	}
	var answer struct {
		Data struct{ Result []json.RawMessage }
	}
	err = json.Unmarshal(text, &answer)
	return len(answer.Data.Result), err
}

func get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, text)
	}
	return text, err
}
