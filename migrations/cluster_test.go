// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
)

func TestEveryMigrationIsOneForAClusterToo(t *testing.T) {
	t.Parallel()
	conn := clickhousetest.New(t).Open(t, "default")
	target := Target{Database: "weir", Cluster: "main"}
	all, err := embedded(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		statements, err := target.statements(m.sql)
		if err != nil {
			t.Errorf("%04d_%s: %v", m.Version, m.Name, err)
		}
		for _, s := range statements {
			if err := conn.Exec(t.Context(), "EXPLAIN AST "+s); err != nil {
				t.Errorf("%04d_%s: %s: %v", m.Version, m.Name, s, err)
			}
			if !strings.HasPrefix(s, "INSERT") && !strings.Contains(s, " ON CLUSTER `main`") {
				t.Errorf("%04d_%s: %.80s is not on the cluster", m.Version, m.Name, s)
			}
			if made := regexp.MustCompile(`ENGINE = \w+`).FindString(s); made != "" && !strings.HasPrefix(made, "ENGINE = Replicated") && made != "ENGINE = Distributed" {
				t.Errorf("%04d_%s: %.80s has %s", m.Version, m.Name, s, made)
			}
		}
	}
}

// The test's engine is no server that replicates, or that knows ON CLUSTER: here each of two servers gets
// every statement, and tables are not replicated. All else is as on a cluster.
func TestRowsOfAClusterGoToTheShardOfTheirExporterOnce(t *testing.T) {
	t.Parallel()
	servers := clickhousetest.NewCluster(t, "main", 2)
	target := Target{Database: "weir", Cluster: "main"}
	var printed bytes.Buffer
	if err := target.Print(&printed); err != nil {
		t.Fatal(err)
	}
	replicated := regexp.MustCompile(`ENGINE = Replicated(\w+)\('/[^)]*\)|ENGINE = Replicated(\w+)`)
	sql := replicated.ReplaceAllString(strings.ReplaceAll(printed.String(), " ON CLUSTER `main`", ""), "ENGINE = $1$2")
	var conns []driver.Conn
	for _, server := range servers {
		if err := server.Open(t, "default").Exec(t.Context(), "CREATE DATABASE weir"); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, server.Open(t, "weir"))
	}
	for _, s := range split(sql) {
		for _, conn := range conns {
			execute(t, conn, s)
		}
	}
	const rows = 10_000
	for range 2 { // the second time with the tokens of the first
		for _, table := range []string{"flows (time_received_ns, sampler_address, bytes) SELECT now64(9)", "flows_5m (window_start, sampler_address, bytes) SELECT toStartOfFiveMinutes(now())", "interfaces_1m (window_start, sampler_address, bytes) SELECT toStartOfMinute(now())"} {
			execute(t, conns[0], fmt.Sprintf("INSERT INTO %s, toIPv6(concat('192.0.2.', toString(number %% 20))), 1 FROM numbers(%d) SETTINGS distributed_foreground_insert = 1, insert_deduplication_token = 'a', insert_deduplicate = 1", table, rows))
		}
	}
	for _, table := range []string{"flows", "flows_5m", "interfaces_1m"} {
		if got, want := texts(t, conns[1], "SELECT sum(bytes), uniqExact(sampler_ip) FROM "+table), "10000 20\n"; got != want {
			t.Errorf("%s: %q bytes and exporters, want %q", table, got, want)
		}
		exporters := texts(t, conns[0], "SELECT uniqExact(sampler_ip) FROM "+table+"_local") + texts(t, conns[1], "SELECT uniqExact(sampler_ip) FROM "+table+"_local")
		var a, b int
		if _, err := fmt.Sscan(exporters, &a, &b); err != nil || a+b != 20 || a == 0 || b == 0 {
			t.Errorf("%s: %d and %d exporters on the shards, want 20 in all: %v", table, a, b, err)
		}
	}
	if got := texts(t, conns[1], "SELECT sum(bytes) FROM traffic(from = now() - INTERVAL 1 HOUR, to = now() + INTERVAL 1 HOUR, step = 300)"); got != "10000\n" {
		t.Errorf("traffic: %q", got)
	}
}
