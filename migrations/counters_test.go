// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
	"github.com/weirflow/weir/flow"
)

func TestCountersHaveTheColumnsOfTheirTables(t *testing.T) {
	t.Parallel()
	server := clickhousetest.New(t)
	database := server.Database(t)
	if err := Up(t.Context(), server.DSN(""), database, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	conn := server.Open(t, database)
	for table := range flow.CounterTable(flow.NumCounterTables) {
		want := map[string]string{"insert_id": "UInt64"}
		for _, c := range table.Columns() {
			want[c.Name] = c.Type
		}
		if diff := cmp.Diff(want, columns(t, conn, table.Name())); diff != "" {
			t.Errorf("%s (-flow/counter_tables.go +table):\n%s", table.Name(), diff)
		}
	}
}

// The queries of docs/counters.md, on rows of known values: an interface that takes 1000 octets a second, one that
// is down, and an exporter of which 2 of 10 datagrams are missing.
func TestQueriesOfCountersAnswer(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/counters.md")
	if err != nil {
		t.Fatal(err)
	}
	queries := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	want := []string{"192.0.2.1 7 8000;192.0.2.1 7 8000", "192.0.2.1 8", "192.0.2.1 8 2"}
	if len(queries) != len(want) {
		t.Fatalf("%d queries, want %d", len(queries), len(want))
	}
	server := clickhousetest.New(t)
	database := server.Database(t)
	if err := Up(t.Context(), server.DSN(""), database, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	conn := server.Open(t, database)
	for _, rows := range []string{
		`interface_counters (time_received_ns, sampler_address, if_index, if_status, in_octets) SELECT now() - 60 + 10 * number, '::ffff:192.0.2.1', 7, 3,
			arrayElement([1000000, 1010000, 1020000, 5], number + 1) FROM numbers(4)`, // the last one after a restart
		`interface_counters (time_received_ns, sampler_address, if_index, if_status) VALUES (now(), '::ffff:192.0.2.1', 8, 1)`,
		`exporter_health (time, exporter, protocol, datagrams, missing) VALUES (now(), '::ffff:192.0.2.1', 1, 8, 2), (now(), '::ffff:192.0.2.2', 1, 8, 0)`,
	} {
		if err := conn.Exec(t.Context(), "INSERT INTO "+rows); err != nil {
			t.Fatal(err)
		}
	}
	columns := []string{"sampler_ip, if_index, toUInt64(in_bps)", "sampler_ip, if_index", "exporter_ip, received, missing"}
	for i, q := range queries {
		var got []string
		rows, err := conn.Query(t.Context(), fmt.Sprintf("SELECT arrayStringConcat(arrayMap(x -> toString(x), [%s]), ' ') FROM (%s)",
			"toString("+strings.ReplaceAll(columns[i], ", ", "), toString(")+")", q[1]))
		if err != nil {
			t.Fatalf("query %d: %v", i+1, err)
		}
		for rows.Next() {
			var row string
			if err := rows.Scan(&row); err != nil {
				t.Fatal(err)
			}
			got = append(got, row)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(got, ";"); text != want[i] {
			t.Errorf("query %d: %q, want %q", i+1, text, want[i])
		}
	}
}
