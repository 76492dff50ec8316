// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
)

// migrated returns a connection to a new database of this version.
func migrated(t *testing.T, server *clickhousetest.Server) driver.Conn {
	t.Helper()
	database := server.Database(t)
	if err := Up(t.Context(), server.DSN(""), database, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return server.Open(t, database)
}

func execute(t *testing.T, conn driver.Conn, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func TestFlowsReadLikePeopleWrite(t *testing.T) {
	t.Parallel()
	conn := migrated(t, clickhousetest.New(t))
	execute(t, conn, `INSERT INTO flows (time_received_ns, src_addr, dst_addr, sampler_address, post_nat_src_addr, proto, etype, src_port, dst_port, tcp_flags, bytes, nat_event, firewall_event) VALUES
		(now64(9), toIPv6('192.0.2.1'), toIPv6('2001:db8::ffff:1'), toIPv6('198.51.100.7'), toIPv6('203.0.113.9'), 6, 2048, 61000, 443, 18, 1, 4, 0),
		(now64(9), toIPv6('0:0:0:ffff::7'), toIPv6('::'), toIPv6('2001:db8::7'), toIPv6('::'), 250, 4660, 4, 5, 0, 2, 0, 0)`)
	for query, want := range map[string]string{
		"SELECT src_ip, dst_ip, sampler_ip, next_hop_ip, post_nat_src_ip FROM flows ORDER BY bytes": "192.0.2.1 2001:db8::ffff:1 198.51.100.7 :: 203.0.113.9\n" +
			"::ffff:0:0:0:7 :: 2001:db8::7 :: ::\n",
		"SELECT proto_name, etype_name, src_service, dst_service, tcp_flag_names FROM flows ORDER BY bytes": "TCP IPv4 61000 https ['SYN','ACK']\n250 4660 4 5 []\n",
		"SELECT bytes FROM flows WHERE src_addr = '192.0.2.1'":                                              "1\n",
		"SELECT nat_event_name, firewall_event_name, src_ip, post_nat_src_ip FROM nat_events":               "NAT44 session create  192.0.2.1 203.0.113.9\n",
	} {
		if diff := cmp.Diff(want, texts(t, conn, query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

// fillTraffic gives each of the tables of traffic one row a window, of 1000 bytes a second at sampling 1 of 10.
func fillTraffic(t *testing.T, conn driver.Conn) {
	t.Helper()
	for table, of := range map[string]struct{ seconds, days int }{"flows_1m": {60, 2}, "flows_5m": {300, 20}, "flows_1h": {3600, 200}} {
		execute(t, conn, fmt.Sprintf(`INSERT INTO %s (window_start, sampler_address, src_origin_as, proto, bytes, packets, flows, bytes_scaled, packets_scaled)
			SELECT toStartOfDay(now('UTC')) - %[2]d * (number + 1), toIPv6('192.0.2.1'), 64500 + number %% 2, 6, 100 * %[2]d, %[2]d, 1, 1000 * %[2]d, 10 * %[2]d
			FROM numbers(%d)`, table, of.seconds, of.days*86400/of.seconds))
	}
}

func TestTrafficComesFromTheCoarsestTableThatAnswers(t *testing.T) {
	t.Parallel()
	conn := migrated(t, clickhousetest.New(t))
	fillTraffic(t, conn)
	for _, tt := range []struct {
		back        string
		step        int
		wantSeconds int
		wantTable   string
	}{
		{"1 HOUR", 1, 60, "flows_1m"},
		{"1 HOUR", 90, 120, "flows_1m"},
		{"1 HOUR", 300, 300, "flows_5m"},
		{"1 DAY", 290, 300, "flows_5m"},
		{"1 DAY", 900, 900, "flows_5m"},
		{"1 DAY", 3600, 3600, "flows_1h"},
		{"10 DAY", 60, 300, "flows_5m"},
		{"100 DAY", 60, 3600, "flows_1h"},
		{"100 DAY", 86400, 86400, "flows_1h"},
		{"900 DAY", 60, 3600, "flows_1h"},
	} {
		t.Run(fmt.Sprintf("%s in steps of %d s", tt.back, tt.step), func(t *testing.T) {
			from := fmt.Sprintf("traffic(from = toStartOfDay(now('UTC')) - INTERVAL %s, to = toStartOfDay(now('UTC')), step = %d)", tt.back, tt.step)
			// Every step has 1000 bytes a second, which are 8000 bit/s, from 10 packets a second.
			got := texts(t, conn, "SELECT DISTINCT seconds, round(bps, 6), round(pps, 6) FROM (SELECT time, seconds, sum(bps) AS bps, sum(pps) AS pps FROM "+from+" GROUP BY time, seconds)")
			if want := fmt.Sprintf("%d 8000 10\n", tt.wantSeconds); got != want {
				t.Errorf("seconds, bit/s, packets/s: %q, want %q", got, want)
			}
			read := texts(t, conn, "SELECT DISTINCT trimLeft(explain) FROM (EXPLAIN indexes = 1 SELECT time, sum(bps) FROM "+from+
				" WHERE sampler_address = '192.0.2.1' GROUP BY time) WHERE explain LIKE '%ReadFromMergeTree%' OR explain LIKE '%Condition: %'")
			if !strings.Contains(read, tt.wantTable) || !strings.Contains(read, "Condition: and((sampler_address in") && tt.wantTable != "flows_5m" ||
				!strings.Contains(read, "(window_start in [") {
				t.Errorf("index is not used: %s", read)
			}
			// Of each table that is not chosen no part is read.
			parts := texts(t, conn, "SELECT count() FROM (EXPLAIN indexes = 1 SELECT sum(bps) FROM "+from+") WHERE explain LIKE '%Parts: % | Granules: %'")
			if parts != "1\n" {
				t.Errorf("%s tables are read, want 1", parts)
			}
		})
	}
}

func TestTrafficOfADatabaseThatIsYoungHasItsResolution(t *testing.T) {
	t.Parallel()
	conn := migrated(t, clickhousetest.New(t))
	const row = "(window_start, bytes_scaled) VALUES (toStartOfDay(now('UTC')) - INTERVAL 1 DAY + "
	execute(t, conn, "INSERT INTO flows_1m "+row+"2460, 60)", "INSERT INTO flows_5m "+row+"2400, 60)", "INSERT INTO flows_1h "+row+"0, 60)")
	const from = " FROM traffic(from = now() - INTERVAL 20 DAY, to = now(), step = "
	for step, want := range map[string]string{"60": "60 8\n", "300": "300 1.6\n", "86400": "86400 0.005555555555555556\n"} {
		if got := texts(t, conn, "SELECT seconds, bps"+from+step+")"); got != want {
			t.Errorf("step %s: %q, want %q", step, got, want)
		}
	}
	execute(t, conn, "TRUNCATE TABLE flows_1h", "TRUNCATE TABLE flows_5m")
	if got, want := texts(t, conn, "SELECT seconds, bps"+from+"3600)"), "3600 0.13333333333333333\n"; got != want {
		t.Errorf("only flows_1m is made: %q, want %q", got, want)
	}
}
