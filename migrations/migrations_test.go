// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
	"github.com/weirflow/weir/flow"
)

func TestUp(t *testing.T) {
	t.Parallel()
	server := clickhousetest.New(t)
	const database = "migrated"
	dsn := server.DSN("")
	up := func() error { return Up(t.Context(), dsn, database, slog.New(slog.DiscardHandler)) }

	before, err := Status(t.Context(), dsn, database)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range before {
		if !m.Applied.IsZero() {
			t.Errorf("%04d_%s is applied before Up", m.Version, m.Name)
		}
	}
	if err := up(); err != nil {
		t.Fatal(err)
	}
	conn := server.Open(t, database)

	t.Run("applies every migration", func(t *testing.T) {
		after, err := Status(t.Context(), dsn, database)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range after {
			if m.Applied.IsZero() {
				t.Errorf("%04d_%s is not applied", m.Version, m.Name)
			}
		}
	})
	t.Run("makes flows with the columns of the flow table", func(t *testing.T) {
		want := map[string]string{"insert_id": "UInt64"}
		for f := range flow.Fields() {
			want[f.Info().Name] = f.Info().Type
		}
		if diff := cmp.Diff(want, columns(t, conn, "flows")); diff != "" {
			t.Errorf("-flow/fields.go +table:\n%s", diff)
		}
	})
	t.Run("gives every table a TTL and a deduplication window", func(t *testing.T) {
		rows, err := conn.Query(t.Context(), "SELECT name, create_table_query FROM system.tables WHERE database = ? AND name != 'schema_migrations' AND NOT endsWith(name, '_names') AND engine LIKE '%MergeTree'", database)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		tables := 0
		for ; rows.Next(); tables++ {
			var name, query string
			if err := rows.Scan(&name, &query); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{" TTL ", "non_replicated_deduplication_window = ", "ttl_only_drop_parts = 1"} {
				if !strings.Contains(query, want) {
					t.Errorf("%s lacks %q", name, want)
				}
			}
		}
		if tables < 2 {
			t.Errorf("%d tables", tables)
		}
	})
	t.Run("does nothing the second time", func(t *testing.T) {
		if err := up(); err != nil {
			t.Fatal(err)
		}
		var rows uint64
		if err := conn.QueryRow(t.Context(), "SELECT count() FROM schema_migrations").Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if rows != uint64(len(before)) {
			t.Errorf("%d rows in schema_migrations, want %d", rows, len(before))
		}
	})
	t.Run("goes on after a migration that was cut short", func(t *testing.T) {
		mutate(t, conn, "ALTER TABLE schema_migrations DELETE WHERE version = 2")
		if err := up(); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("refuses a changed migration", func(t *testing.T) {
		mutate(t, conn, "ALTER TABLE schema_migrations UPDATE checksum = 'x' WHERE version = 1")
		if err := up(); err == nil || !strings.Contains(err.Error(), "0001_flows was applied with other contents") {
			t.Errorf("got %v", err)
		}
		mutate(t, conn, "ALTER TABLE schema_migrations DELETE WHERE version = 1")
	})
	t.Run("refuses the database of a newer version", func(t *testing.T) {
		if err := conn.Exec(t.Context(), "INSERT INTO schema_migrations VALUES (9999, 'future', 'x', now())"); err != nil {
			t.Fatal(err)
		}
		if err := up(); err == nil || !strings.Contains(err.Error(), "9999_future") || !strings.Contains(err.Error(), "use a newer weir") {
			t.Errorf("got %v", err)
		}
		if _, err := Status(t.Context(), dsn, database); err == nil {
			t.Error("Status does not say so")
		}
	})
}

func TestFlowsReadsWell(t *testing.T) {
	t.Parallel()
	server := clickhousetest.New(t)
	database := server.Database(t)
	if err := Up(t.Context(), server.DSN(""), database, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	conn := server.Open(t, database)
	err := conn.Exec(t.Context(), `INSERT INTO flows (time_received_ns, src_addr, dst_addr, sampler_address, bytes, packets, sampling_rate)
		VALUES (now64(9), toIPv6('192.0.2.1'), toIPv6('2001:db8::1'), toIPv6('198.51.100.7'), 100, 2, 1000), (now64(9), toIPv6('::'), toIPv6('::'), toIPv6('::'), 7, 1, 0)`)
	if err != nil {
		t.Fatal(err)
	}
	var src, dst, sampler string
	var bytes, packets uint64
	err = conn.QueryRow(t.Context(), "SELECT src_ip, dst_ip, sampler_ip, bytes_scaled, packets_scaled FROM flows WHERE bytes = 100").
		Scan(&src, &dst, &sampler, &bytes, &packets)
	if err != nil {
		t.Fatal(err)
	}
	got := []any{src, dst, sampler, bytes, packets}
	if diff := cmp.Diff([]any{"192.0.2.1", "2001:db8::1", "198.51.100.7", uint64(100_000), uint64(2_000)}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := conn.QueryRow(t.Context(), "SELECT sum(bytes_scaled) FROM flows").Scan(&bytes); err != nil || bytes != 100_007 {
		t.Errorf("unknown sampling counts as exported: sum %d, %v", bytes, err)
	}
}

func TestEmbedded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		paths   []string
		wantErr string
	}{
		{"versions in order", []string{"0001_a.sql", "0002_b_c.sql"}, ""},
		{"a gap", []string{"0001_a.sql", "0003_b.sql"}, "want clickhouse/0002_name.sql"},
		{"a version twice", []string{"0001_a.sql", "0001_b.sql"}, "want clickhouse/0002_name.sql"},
		{"a short number", []string{"1_a.sql"}, "want clickhouse/0001_name.sql"},
		{"no name", []string{"0001.sql"}, "want clickhouse/0001_name.sql"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fsys := fstest.MapFS{}
			for _, p := range tt.paths {
				fsys["clickhouse/"+p] = &fstest.MapFile{Data: []byte("SELECT 1;\n")}
			}
			all, err := embedded(fsys)
			switch {
			case tt.wantErr == "" && (err != nil || len(all) != len(tt.paths)):
				t.Errorf("got %d migrations, %v", len(all), err)
			case tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)):
				t.Errorf("got %v, want %q in it", err, tt.wantErr)
			}
		})
	}
}

// columns returns the stored columns of a table and their types.
func columns(t *testing.T, conn driver.Conn, table string) map[string]string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = ? AND default_kind != 'ALIAS'", table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types := map[string]string{}
	for rows.Next() {
		var name, typ string
		if err := rows.Scan(&name, &typ); err != nil {
			t.Fatal(err)
		}
		types[name] = typ
	}
	return types
}

// mutate changes stored rows and waits for it.
func mutate(t *testing.T, conn driver.Conn, query string) {
	t.Helper()
	ctx := driver.Context(context.Background(), driver.WithSettings(driver.Settings{"mutations_sync": 1}))
	if err := conn.Exec(ctx, query); err != nil {
		t.Fatal(err)
	}
}
