// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
	"github.com/weirflow/weir/flow/rollup"
)

func tableOf(t *testing.T, r rollup.Rollup) RollupTable {
	t.Helper()
	keys, measures, err := r.Columns()
	if err != nil {
		t.Fatal(err)
	}
	table := RollupTable{Name: r.Name}
	for _, k := range keys {
		table.Keys = append(table.Keys, Column(k))
	}
	for _, m := range measures {
		table.Measures = append(table.Measures, Column(m))
	}
	return table
}

func TestTablesOfRollups(t *testing.T) {
	t.Parallel()
	server := clickhousetest.New(t)
	const database = "rollups"
	log := slog.New(slog.DiscardHandler)
	if err := Up(t.Context(), server.DSN(""), database, log); err != nil {
		t.Fatal(err)
	}
	conn := server.Open(t, database)
	ensure := func(tables ...RollupTable) error {
		return EnsureRollups(t.Context(), server.DSN(""), database, tables, log)
	}
	t.Run("migrations make those of the built-in ones", func(t *testing.T) {
		for _, r := range rollup.Builtin() {
			want := map[string]string{"window_start": "DateTime", "insert_id": "UInt64"}
			table := tableOf(t, r)
			for _, c := range append(table.Keys, table.Measures...) {
				want[c.Name] = c.Type
				if r.Name == "flows_5m" { // a SummingMergeTree
					want[c.Name] = strings.TrimSuffix(strings.TrimPrefix(c.Type, "SimpleAggregateFunction(sum, "), ")")
				}
				if c.Type == "LowCardinality(String)" {
					want[c.Name] = c.Type
				}
			}
			if diff := cmp.Diff(want, columns(t, conn, r.Name)); diff != "" {
				t.Errorf("%s: -definition +table:\n%s", r.Name, diff)
			}
		}
	})
	own := rollup.Rollup{Name: "mine", Keys: []string{"src_addr/24/48", "src_country"}, Measures: []string{"bytes", "max(packets)", "min(packets)"}, Top: 3}
	t.Run("those of the user are made once", func(t *testing.T) {
		for range 2 {
			if err := ensure(tableOf(t, own)); err != nil {
				t.Fatal(err)
			}
		}
		if err := conn.Exec(t.Context(), `INSERT INTO mine (window_start, src_country, bytes, max_packets, min_packets) VALUES (now(), 'DE', 3, 7, 7), (now(), 'DE', 4, 5, 5)`); err != nil {
			t.Fatal(err)
		}
		var bytes, most, least uint64
		if err := conn.QueryRow(t.Context(), "SELECT bytes, max_packets, min_packets FROM mine FINAL").Scan(&bytes, &most, &least); err != nil {
			t.Fatal(err)
		}
		if bytes != 7 || most != 7 || least != 5 {
			t.Errorf("merged to %d %d %d, want 7 7 5", bytes, most, least)
		}
	})
	t.Run("a table with other columns is named", func(t *testing.T) {
		other := own
		other.Keys = []string{"proto"}
		if err := ensure(tableOf(t, other)); err == nil || !strings.Contains(err.Error(), "table mine: column proto has type") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what is no name is refused", func(t *testing.T) {
		for _, table := range []RollupTable{
			{Name: "a b"}, {Name: "x; DROP TABLE flows"}, {Name: "x", Keys: []Column{{"a`", "UInt8"}}}, {Name: "x", Keys: []Column{{"a", "UInt8; --"}}},
		} {
			if err := ensure(table); err == nil {
				t.Errorf("%+v was made", table)
			}
		}
	})
}

func TestOldRowsOfFlows5mStayReadable(t *testing.T) {
	t.Parallel()
	server := clickhousetest.New(t)
	all, err := embedded(files)
	if err != nil {
		t.Fatal(err)
	}
	conn := server.Open(t, server.Database(t))
	run := func(m Migration) {
		t.Helper()
		for statement := range strings.SplitSeq(m.sql, ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if err := conn.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, m := range all[:5] {
		run(m)
	}
	insert := func(columns, values string) {
		t.Helper()
		if err := conn.Exec(t.Context(), "INSERT INTO flows_5m ("+columns+") VALUES "+values); err != nil {
			t.Fatal(err)
		}
	}
	const old, now = "window_start, src_origin_as, bytes", "window_start, src_origin_as, bytes, in_if, src_country"
	insert(old, "(toDateTime('2026-11-21 10:00:00', 'UTC'), 64500, 5), (toDateTime('2026-11-21 10:00:00', 'UTC'), 64501, 7)")
	run(all[5])
	insert(now, "(toDateTime('2026-11-21 10:00:00', 'UTC'), 64500, 10, 1, 'DE'), (toDateTime('2026-11-21 10:00:00', 'UTC'), 64500, 20, 2, 'DE'), (toDateTime('2026-11-21 10:00:00', 'UTC'), 64500, 1, 2, 'DE')")
	if err := conn.Exec(t.Context(), "OPTIMIZE TABLE flows_5m FINAL"); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), "SELECT src_origin_as, in_if, toString(src_country), bytes FROM flows_5m ORDER BY ALL")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	type row struct {
		AS, In  uint32
		Country string
		Bytes   uint64
	}
	var got []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.AS, &r.In, &r.Country, &r.Bytes); err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if diff := cmp.Diff([]row{{64500, 0, "", 5}, {64500, 1, "DE", 10}, {64500, 2, "DE", 21}, {64501, 0, "", 7}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
