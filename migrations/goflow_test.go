// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
)

// The questions of flow-pipeline's README, as they stand there (with a parenthesis that it
// lacks), and what it shows for such rows.
func TestQueriesOfFlowPipelineRun(t *testing.T) {
	t.Parallel()
	server := clickhousetest.New(t)
	database := server.Database(t)
	if err := Up(t.Context(), server.DSN(""), database, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	weir := server.Open(t, database)
	for _, statement := range []string{
		`INSERT INTO flows (time_received_ns, src_addr, dst_addr, etype, bytes, packets) VALUES
			(now64(9), toIPv6('192.168.1.1'), toIPv6('10.0.0.2'), 0x800, 105, 63), (now64(9), toIPv6('2001:db8:0:1::80'), toIPv6('2001:db8:0:1::20'), 0x86dd, 386, 43)`,
		`INSERT INTO flows_5m (window_start, src_origin_as, dst_origin_as, etype, bytes, packets, flows, proto) VALUES
			(toStartOfFiveMinutes(now()), 65001, 65000, 34525, 2900, 150, 3, 6), (toStartOfFiveMinutes(now()), 65001, 65000, 34525, 30, 2, 1, 17), (toStartOfFiveMinutes(now()), 65002, 65000, 2048, 1, 1, 1, 6)`,
	} {
		if err := weir.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	goflow := server.Open(t, "goflow")
	for query, want := range map[string]string{
		"SELECT IPv6NumToString(SrcAddr), IPv6NumToString(DstAddr), Bytes, Packets FROM flows_raw ORDER BY Bytes": "101:a8c0:: 200:a:: 105 63\n" +
			"2001:db8:0:1::80 2001:db8:0:1::20 386 43\n",
		"SELECT if(EType = 0x800, IPv4NumToString(reinterpretAsUInt32(SrcAddr)), IPv6NumToString(SrcAddr)) AS SrcIP FROM flows_raw ORDER BY Bytes": "192.168.1.1\n2001:db8:0:1::80\n",
		"SELECT * EXCEPT (Date, Timeslot) FROM flows_5m WHERE SrcAS = 65001":                                                                       "65001 65000 [34525] [2930] [152] [4] 2930 152 4\n",
		"SELECT sum(ETypeMap.Bytes), ETypeMap.EType FROM flows_5m ARRAY JOIN ETypeMap GROUP BY ETypeMap.EType ORDER BY 1":                          "1 2048\n2930 34525\n",
	} {
		if diff := cmp.Diff(want, texts(t, goflow, query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	const described = `Date Date, TimeReceived DateTime, TimeFlowStart DateTime, SequenceNum UInt32, SamplingRate UInt64, SamplerAddress FixedString(16),
		SrcAddr FixedString(16), DstAddr FixedString(16), SrcAS UInt32, DstAS UInt32, EType UInt32, Proto UInt32, SrcPort UInt32, DstPort UInt32, Bytes UInt64, Packets UInt64`
	got := texts(t, goflow, "SELECT name, type FROM system.columns WHERE database = 'goflow' AND table = 'flows_raw' ORDER BY position")
	if diff := cmp.Diff(strings.Fields(strings.ReplaceAll(described, ",", "")), strings.Fields(got)); diff != "" {
		t.Errorf("DESCRIBE flows_raw (-want +got):\n%s", diff)
	}
}

// texts returns the rows of a query as lines.
func texts(t *testing.T, conn driver.Conn, query string) string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT formatRowNoNewline('TSVRaw', *) FROM ("+query+")")
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var all strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&all, strings.ReplaceAll(line, "\t", " "))
	}
	return all.String()
}

// TestOldRowsReadTheSame starts with the first migrations and a million rows, and goes to the
// newest.
func TestOldRowsReadTheSame(t *testing.T) {
	t.Parallel()
	server := clickhousetest.New(t)
	database := server.Database(t)
	conn := server.Open(t, database)
	if err := conn.Exec(t.Context(), createTable); err != nil {
		t.Fatal(err)
	}
	all, err := embedded(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all[:2] {
		if err := (Target{}).apply(context.Background(), conn, m); err != nil {
			t.Fatal(err)
		}
	}
	for _, statement := range []string{
		`INSERT INTO flows (time_received_ns, time_flow_start_ns, src_addr, dst_addr, sampler_address, src_port, bytes, packets, sampling_rate, src_country, as_path, in_if)
			SELECT now64(9) - toIntervalSecond(number % 100000), now64(9), toIPv6(IPv4NumToString(toUInt32(cityHash64(number)))), toIPv6('2001:db8::1'),
			toIPv6('192.0.2.1'), number % 65536, number, number % 100, 1000, toString(number % 200), range(number % 4), number % 48 FROM numbers(1000000)`,
		`INSERT INTO flows_5m (window_start, src_origin_as, bytes, packets, flows, bytes_scaled) SELECT toStartOfFiveMinutes(now()) - 300 * (number % 200), number % 5000, number, 1, 1, 10 * number FROM numbers(100000)`,
	} {
		if err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	var sums []string
	for _, table := range []string{"flows", "flows_5m"} {
		columns := strings.Fields(texts(t, conn, "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = '"+table+"' ORDER BY position"))
		sums = append(sums, "SELECT count(), sum(cityHash64("+strings.Join(columns, ", ")+")) FROM "+table+" FINAL")
	}
	sums[0] = strings.TrimSuffix(sums[0], " FINAL")
	sums = append(sums,
		"SELECT src_ip, sum(bytes_scaled) AS b FROM flows GROUP BY src_ip ORDER BY b DESC LIMIT 10",
		"SELECT window_start, src_origin_as, sum(bytes_scaled), sum(flows) FROM flows_5m GROUP BY ALL ORDER BY ALL LIMIT 1000")
	var before []string
	for _, query := range sums {
		before = append(before, texts(t, conn, query))
	}
	if err := Up(t.Context(), server.DSN(""), database, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	for i, query := range sums {
		if diff := cmp.Diff(before[i], texts(t, conn, query)); diff != "" {
			t.Errorf("%s (-before +after):\n%s", query, diff)
		}
	}
}
