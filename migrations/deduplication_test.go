// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"log/slog"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
)

// TestDeduplication checks what insert counts on: the tables drop a block whose token
// they know.
func TestDeduplication(t *testing.T) {
	t.Parallel()
	server := clickhousetest.New(t)
	database := server.Database(t)
	if err := Up(t.Context(), server.DSN(""), database, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	conn := server.Open(t, database)
	const rows = 200_000
	midnight := time.Now().UTC().Truncate(24 * time.Hour)

	promise := func(name, token string, received time.Time, want uint64) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			insert(t, conn, token, received, rows)
			var got uint64
			if err := conn.QueryRow(t.Context(), "SELECT count() FROM flows").Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("%d rows, want %d", got, want)
			}
		})
	}
	promise("a token is new", "a", midnight, rows)
	promise("the same token again is dropped", "a", midnight, rows)
	promise("other rows with the same token are dropped", "a", midnight.Add(time.Hour), rows)
	promise("the same rows with another token are kept", "b", midnight, 2*rows)
	promise("a block of two days is kept", "c", midnight.Add(-time.Second), 3*rows)
	promise("a block of two days is dropped the second time", "c", midnight.Add(-time.Second), 3*rows)
	server.Kill()
	server.Start()
	promise("a token is known after kill -9", "c", midnight.Add(-time.Second), 3*rows)
	promise("a new token is new after kill -9", "d", midnight, 4*rows)
}

// insert sends n flows that were received within two seconds, as one block.
func insert(t *testing.T, conn driver.Conn, token string, received time.Time, n int) {
	t.Helper()
	ctx := driver.Context(t.Context(), driver.WithSettings(driver.Settings{"insert_deduplication_token": token, "async_insert": 0}))
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO flows (time_received_ns, bytes)")
	if err != nil {
		t.Fatal(err)
	}
	times, bytes := make([]time.Time, n), make([]uint64, n)
	for i := range times {
		times[i], bytes[i] = received.Add(2*time.Second*time.Duration(i)/time.Duration(n)), uint64(i)
	}
	for i, column := range []any{times, bytes} {
		if err := batch.Column(i).Append(column); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
}
