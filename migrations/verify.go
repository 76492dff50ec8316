// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// Verify compares the tables of a database with those that the migrations make in an empty
// one, for which it makes a database and drops it again. It returns what is missing and what
// is different; tables and columns that somebody has added are no difference.
func (t Target) Verify(ctx context.Context) (differences []string, err error) {
	all, err := Status(ctx, t.DSN, t.Database)
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		if m.Applied.IsZero() {
			differences = append(differences, fmt.Sprintf("migration %04d_%s is not applied", m.Version, m.Name))
		}
	}
	conn, err := open(t.DSN, "")
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var views uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM system.tables WHERE database = 'goflow'").Scan(&views); err != nil {
		return nil, fmt.Errorf("look for goflow: %w", err)
	}
	if len(differences) == 0 && views < 2 { // the other database must not get them
		differences = append(differences, "views of the database goflow are missing")
	}
	if len(differences) > 0 {
		return differences, nil
	}
	scratch := Target{t.DSN, t.Database + "_verify_" + rand.Text(), t.Cluster}
	err = scratch.Up(ctx, slog.New(slog.DiscardHandler))
	defer func() { err = errors.Join(err, scratch.drop(context.WithoutCancel(ctx), conn)) }()
	if err != nil {
		return nil, err
	}
	want, err := describe(ctx, conn, scratch.Database)
	if err != nil {
		return nil, err
	}
	got, err := describe(ctx, conn, t.Database)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		switch text, there := got[name]; {
		case !there:
			differences = append(differences, name+" is missing")
		case text != want[name]:
			differences = append(differences, fmt.Sprintf("%s is %s, want %s", name, text, want[name]))
		}
	}
	return differences, nil
}

func (t Target) drop(ctx context.Context, conn driver.Conn) error {
	statement := "DROP DATABASE IF EXISTS " + quote(t.Database)
	if t.Cluster != "" {
		statement += " ON CLUSTER " + quote(t.Cluster) + " SYNC"
	}
	return conn.Exec(ctx, statement)
}

// describe returns the tables and columns of a database, each with what matters of it. Names of
// other tables of the database are as they are within it.
func describe(ctx context.Context, conn driver.Conn, database string) (map[string]string, error) {
	rows, err := conn.Query(ctx, `SELECT name, concat(engine, ' by (', sorting_key, '), partitions ', partition_key)
		FROM system.tables WHERE database = $1
		UNION ALL
		SELECT concat(table, '.', name), trimRight(concat(type, ' ', default_kind, ' ', default_expression, ' ', compression_codec))
		FROM system.columns WHERE database = $1`, database)
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", database, err)
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, fmt.Errorf("describe %s: %w", database, err)
		}
		all[name] = strings.ReplaceAll(text, database+".", "")
	}
	return all, rows.Err()
}

// Print writes the SQL of all migrations, as the target gets it.
func (t Target) Print(w io.Writer) error {
	all, err := embedded(files)
	if err != nil {
		return err
	}
	for _, m := range all {
		sql := m.sql
		if t.Cluster != "" {
			all, err := t.statements(m.sql)
			if err != nil {
				return fmt.Errorf("migration %04d_%s: %w", m.Version, m.Name, err)
			}
			sql = strings.Join(all, ";\n\n") + ";\n"
		}
		if _, err := fmt.Fprintf(w, "-- %04d_%s, checksum %s\n\n%s\n", m.Version, m.Name, m.checksum, sql); err != nil {
			return err
		}
	}
	return nil
}
