// SPDX-License-Identifier: Apache-2.0

package main

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
	"github.com/weirflow/weir/migrations"
)

const (
	byReceipt = "toStartOfFiveMinutes(time_received_ns)"
	byWindow  = "window_start"
)

// expected is which tables a question of the page reads, and what of their indexes it uses.
var expected = map[string]struct {
	tables []string
	keys   []string
}{
	"How much traffic is there, by protocol?":           {[]string{"flows_1m"}, []string{byWindow}},
	"Who sends most in the last hour?":                  {[]string{"flows"}, []string{byReceipt}},
	"How does traffic of the largest AS go over a day?": {[]string{"flows_5m"}, []string{byWindow}},
	"With whom does a host speak?":                      {[]string{"flows"}, []string{byReceipt, "src_addr_filter", "dst_addr_filter"}},
	"How full are interfaces?":                          {[]string{"interfaces_1m"}, []string{byWindow}},
	"Which services does a subnet use?":                 {[]string{"flows"}, []string{byReceipt}},
	"To which countries does a tenant send?":            {[]string{"flows"}, []string{byReceipt}},
	"Which exporters lose data on the way?":             {[]string{"exporter_health"}, []string{"time"}},
	"Who was behind a translated address?":              {[]string{"flows"}, []string{byReceipt, "nat_events"}},
	"What do routers drop?":                             {[]string{"flows_1h"}, []string{byWindow}},
}

func TestEveryQueryOfThePageAnswersFromItsTableByItsIndex(t *testing.T) {
	t.Parallel()
	server := clickhousetest.New(t)
	database := server.Database(t)
	if err := migrations.Up(t.Context(), server.DSN(""), database, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	conn := server.Open(t, database)
	if err := fill(t.Context(), conn, 100_000, time.Now(), func(string) {}); err != nil {
		t.Fatal(err)
	}
	queries, err := readPage("../../docs/queries.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(queries) != len(expected) {
		t.Errorf("%d queries, want %d", len(queries), len(expected))
	}
	for _, q := range queries {
		t.Run(q.title, func(t *testing.T) {
			f, err := run(t.Context(), conn, q)
			if err != nil {
				t.Fatal(err)
			}
			if f.result == 0 {
				t.Error("no rows")
			}
			lines, err := explain(t.Context(), conn, q)
			if err != nil {
				t.Fatal(err)
			}
			tables, err := tablesRead(t.Context(), conn, q)
			if err != nil {
				t.Fatal(err)
			}
			if want := expected[q.title].tables; !slices.Equal(tables, want) {
				t.Errorf("reads %v, want %v", tables, want)
			}
			for _, key := range expected[q.title].keys {
				used := func(line string) bool {
					line = strings.TrimLeft(line, " │└├─")
					return line == key || line == "Name: "+key
				}
				if !slices.ContainsFunc(lines, used) {
					t.Errorf("%s is not used:\n%s", key, strings.Join(lines, "\n"))
				}
			}
		})
	}
}
