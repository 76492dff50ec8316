// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
)

func TestRowsAreKeptForAsManyDaysAsTheSettingsSay(t *testing.T) {
	t.Parallel()
	server := clickhousetest.New(t)
	target := Target{DSN: server.DSN(""), Database: "kept"}
	var logged bytes.Buffer
	log := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelInfo}))
	if err := target.Up(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	conn := server.Open(t, target.Database)
	execute(t, conn, "INSERT INTO flows (time_received_ns) SELECT now64(9) - toIntervalDay(number) FROM numbers(20)")
	days := map[string]int{"flows": 7, "flows_1h": 400, "exporter_health": 10, "hosts_5m": 90}
	for _, changes := range []int{3, 0} { // hosts_5m has 90 already
		logged.Reset()
		if err := target.Keep(t.Context(), days, log); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(logged.String(), "time that rows are kept changed"); got != changes {
			t.Errorf("%d tables changed, want %d: %s", got, changes, logged.String())
		}
	}
	for table, want := range map[string]string{"flows": "toDateTime(time_received_ns) + toIntervalDay(7)", "flows_1h": "window_start + toIntervalDay(400)", "exporter_health": "time + toIntervalDay(10)", "flows_5m": "window_start + toIntervalYear(1)"} {
		if got := texts(t, conn, "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = '"+table+"'"); !strings.Contains(got, "TTL "+want+" ") {
			t.Errorf("%s: %s, want TTL %s", table, got, want)
		}
	}
	execute(t, conn, "OPTIMIZE TABLE flows FINAL")
	if got := texts(t, conn, "SELECT countIf(time_received_ns < now() - INTERVAL 9 DAY), countIf(time_received_ns > now() - INTERVAL 6 DAY) FROM flows"); got != "0 6\n" {
		t.Errorf("old and new rows: %q, want those of before gone by the new time", got)
	}
	err := target.Keep(t.Context(), map[string]int{"nothing": 3}, log)
	if err == nil || !strings.Contains(err.Error(), "keep 3 days of nothing: database kept has no such table") {
		t.Errorf("a table that is not there: %v", err)
	}
}
