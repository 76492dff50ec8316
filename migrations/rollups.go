// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// RollupTable is the table of a rollup that the settings define.
type RollupTable struct {
	Name     string
	Keys     []Column // the sorting key, behind window_start
	Measures []Column // of types that merge by themselves: SimpleAggregateFunction
}

// Column is a column of a RollupTable. Its type is a type of ClickHouse.
type Column struct{ Name, Type string }

var (
	identifier = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	typeName   = regexp.MustCompile(`^[A-Za-z0-9(), ]+$`)
)

// EnsureRollups is Target.EnsureRollups for one server.
func EnsureRollups(ctx context.Context, dsn, database string, tables []RollupTable, log *slog.Logger) error {
	return Target{DSN: dsn, Database: database}.EnsureRollups(ctx, tables, log)
}

// EnsureRollups creates the tables that are missing, which is to be called after Up. A table
// that is there must have the columns, by the same types; it is never changed.
func (t Target) EnsureRollups(ctx context.Context, tables []RollupTable, log *slog.Logger) error {
	if len(tables) == 0 {
		return nil
	}
	conn, err := open(t.DSN, t.Database)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, r := range tables {
		if err := r.validate(); err != nil {
			return err
		}
		there, err := typesOf(ctx, conn, t.Database, r.Name)
		if err != nil {
			return err
		}
		if len(there) > 0 {
			if err := r.compare(there); err != nil {
				return err
			}
			continue
		}
		if err := t.exec(ctx, conn, r.create()); err != nil {
			return fmt.Errorf("create table %s: %w", r.Name, err)
		}
		log.InfoContext(ctx, "table of a rollup created", slog.String("database", t.Database), slog.String("name", r.Name))
	}
	return nil
}

// typesOf returns the types of a table's columns by their names, none for a table that is not there.
func typesOf(ctx context.Context, conn driver.Conn, database, table string) (map[string]string, error) {
	rows, err := conn.Query(ctx, "SELECT name, type FROM system.columns WHERE database = ? AND table = ?", database, table)
	if err != nil {
		return nil, fmt.Errorf("read table %s: %w", table, err)
	}
	defer rows.Close()
	types := map[string]string{}
	for rows.Next() {
		var name, typ string
		if err := rows.Scan(&name, &typ); err != nil {
			return nil, fmt.Errorf("read table %s: %w", table, err)
		}
		types[name] = typ
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read table %s: %w", table, err)
	}
	return types, nil
}

// validate keeps what is no name and no type out of the statement.
func (t RollupTable) validate() error {
	if !identifier.MatchString(t.Name) {
		return fmt.Errorf("table %q: is not a lower-case word of letters, digits and _", t.Name)
	}
	for _, columns := range [][]Column{t.Keys, t.Measures} {
		for _, c := range columns {
			if !identifier.MatchString(c.Name) || !typeName.MatchString(c.Type) {
				return fmt.Errorf("table %s: %q %q is no column", t.Name, c.Name, c.Type)
			}
		}
	}
	return nil
}

// compare checks the columns of the table that is there.
func (t RollupTable) compare(there map[string]string) error {
	for _, columns := range [][]Column{t.Keys, t.Measures} {
		for _, c := range columns {
			if there[c.Name] != c.Type {
				return fmt.Errorf("table %s: column %s has type %q, and the rollup wants %s: give the rollup another name, or drop the table",
					t.Name, c.Name, there[c.Name], c.Type)
			}
		}
	}
	return nil
}

// create makes the table as the migrations make those of the built-in rollups.
func (t RollupTable) create() string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE IF NOT EXISTS %s\n(\n    window_start DateTime CODEC(Delta(4), ZSTD(1)),\n", quote(t.Name))
	key := []string{"window_start"}
	for _, c := range t.Keys {
		fmt.Fprintf(&b, "    %s %s,\n", c.Name, c.Type)
		key = append(key, c.Name)
	}
	for _, c := range t.Measures {
		fmt.Fprintf(&b, "    %s %s,\n", c.Name, c.Type)
	}
	list := strings.Join(key, ", ")
	fmt.Fprintf(&b, `    insert_id UInt64
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(window_start, 'UTC')
PRIMARY KEY (%s)
ORDER BY (%s, insert_id)
TTL window_start + INTERVAL 1 YEAR
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000`, list, list)
	return b.String()
}
