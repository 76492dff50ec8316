// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// Keep sets for how many days tables keep their rows, which is to be called after Up. Tables that are not
// named keep what they have. What is there already goes by the new time as well: only its times
// are read for that, and whole parts are dropped.
func (t Target) Keep(ctx context.Context, days map[string]int, log *slog.Logger) error {
	if len(days) == 0 {
		return nil
	}
	conn, err := open(t.DSN, t.Database)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, table := range slices.Sorted(maps.Keys(days)) {
		changed, err := t.keep(ctx, conn, table, days[table])
		if err != nil {
			return fmt.Errorf("keep %d days of %s: %w", days[table], table, err)
		}
		if changed {
			log.InfoContext(ctx, "time that rows are kept changed", slog.String("table", table), slog.Int("days", days[table]))
		}
	}
	return nil
}

// keep reports whether the table had another TTL.
func (t Target) keep(ctx context.Context, conn driver.Conn, table string, days int) (changed bool, err error) {
	types, err := typesOf(ctx, conn, t.Database, table)
	if err != nil {
		return false, err
	}
	var clock string
	switch {
	case types["time_received_ns"] != "":
		clock = "toDateTime(time_received_ns)"
	case types["window_start"] != "":
		clock = "window_start"
	case types["time"] != "":
		clock = "time"
	default:
		return false, fmt.Errorf("database %s has no such table of flows or sums", t.Database)
	}
	stored := table
	if t.Cluster != "" {
		stored += "_local"
	}
	var definition string
	if err := conn.QueryRow(ctx, "SELECT engine_full FROM system.tables WHERE database = ? AND name = ?", t.Database, stored).Scan(&definition); err != nil {
		return false, err
	}
	ttl := fmt.Sprintf("%s + toIntervalDay(%d)", clock, days)
	if strings.Contains(definition, " TTL "+ttl+" ") {
		return false, nil
	}
	for _, change := range []string{"MODIFY SETTING materialize_ttl_recalculate_only = 1", "MODIFY TTL " + ttl} {
		if err := t.exec(ctx, conn, "ALTER TABLE "+table+" "+change); err != nil {
			return false, err
		}
	}
	return true, nil
}
