// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"log/slog"
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
