// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

//go:embed clickhouse/*.sql
var files embed.FS

// Migration is one numbered file, and when it was applied.
type Migration struct {
	Version uint32
	Name    string
	Applied time.Time // zero: not yet

	sql      string
	checksum string
}

// Latest returns the version of the newest migration.
func Latest() (uint32, error) {
	all, err := embedded(files)
	return uint32(len(all)), err //nolint:gosec // a version
}

// Target is a database that is migrated.
type Target struct {
	DSN      string
	Database string
	// Cluster is the name of the cluster, in the servers' remote_servers, on all of whose servers the
	// database is made; empty: on the server of the DSN alone.
	Cluster string
}

// Up is Target.Up for one server.
func Up(ctx context.Context, dsn, database string, log *slog.Logger) error {
	return Target{DSN: dsn, Database: database}.Up(ctx, log)
}

// Up creates the database if it is missing and applies what is missing in it, one of
// several that try at once after the other. It
// refuses a database that a newer version has migrated, one whose applied
// migrations are not those of this version, and one that was made for another kind of target.
func (t Target) Up(ctx context.Context, log *slog.Logger) error {
	conn, err := open(t.DSN, "")
	if err != nil {
		return err
	}
	err = t.exec(ctx, conn, "CREATE DATABASE IF NOT EXISTS "+quote(t.Database))
	conn.Close()
	if err != nil {
		return fmt.Errorf("create database %s: %w", t.Database, err)
	}
	if conn, err = open(t.DSN, t.Database); err != nil {
		return err
	}
	defer conn.Close()
	if err := t.exec(ctx, conn, createTable); err != nil {
		return fmt.Errorf("create table %s.%s: %w", t.Database, migrationsTable, err)
	}
	all, err := embedded(files)
	if err != nil {
		return err
	}
	if err := errors.Join(t.checkKind(ctx, conn), compare(ctx, conn, t.Database, all)); err != nil {
		return err
	}
	applied := func(m Migration) bool { return !m.Applied.IsZero() }
	if !slices.ContainsFunc(all, func(m Migration) bool { return !applied(m) }) {
		return nil
	}
	unlock, err := lock(ctx, conn, log)
	if err != nil {
		return err
	}
	defer unlock()
	if err := compare(ctx, conn, t.Database, all); err != nil { // what others did meanwhile
		return err
	}
	for _, m := range slices.DeleteFunc(all, applied) {
		if err := t.apply(ctx, conn, m); err != nil {
			return fmt.Errorf("migrate %s to %04d_%s: %w", t.Database, m.Version, m.Name, err)
		}
		log.InfoContext(ctx, "migration applied", slog.String("database", t.Database),
			slog.Uint64("version", uint64(m.Version)), slog.String("name", m.Name))
	}
	return nil
}

// checkKind refuses the database of one server for a cluster, and the other way round.
func (t Target) checkKind(ctx context.Context, conn driver.Conn) error {
	var engine string
	err := conn.QueryRow(ctx, "SELECT engine FROM system.tables WHERE database = ? AND name = ?", t.Database, migrationsTable).Scan(&engine)
	switch replicated := strings.HasPrefix(engine, "Replicated"); {
	case err != nil:
		return fmt.Errorf("look for %s.%s: %w", t.Database, migrationsTable, err)
	case replicated && t.Cluster == "":
		return fmt.Errorf("database %s is one of a cluster: clickhouse.cluster has to name it", t.Database)
	case !replicated && t.Cluster != "":
		return fmt.Errorf("database %s is one of a single server: give clickhouse.cluster another database", t.Database)
	default:
		return nil
	}
}

// Status returns the migrations of this version and when each was applied. It changes
// nothing, and fails where Up would refuse.
func Status(ctx context.Context, dsn, database string) ([]Migration, error) {
	all, err := embedded(files)
	if err != nil {
		return nil, err
	}
	conn, err := open(dsn, "")
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var tables uint64
	err = conn.QueryRow(ctx, "SELECT count() FROM system.tables WHERE database = ? AND name = ?", database, migrationsTable).Scan(&tables)
	if err != nil {
		return nil, fmt.Errorf("look for %s.%s: %w", database, migrationsTable, err)
	}
	if tables > 0 {
		err = compare(ctx, conn, database, all)
	}
	return all, err
}

const migrationsTable = "schema_migrations"

const createTable = `CREATE TABLE IF NOT EXISTS schema_migrations
(
    version  UInt32,
    name     String,
    checksum String,
    applied  DateTime
)
ENGINE = MergeTree
ORDER BY version`

// compare fills in when migrations were applied.
func compare(ctx context.Context, conn driver.Conn, database string, all []Migration) error {
	rows, err := conn.Query(ctx, "SELECT version, name, checksum, applied FROM "+quote(database)+".schema_migrations ORDER BY version, applied")
	if err != nil {
		return fmt.Errorf("read %s.schema_migrations: %w", database, err)
	}
	defer rows.Close()
	for rows.Next() {
		var m Migration
		if err := rows.Scan(&m.Version, &m.Name, &m.checksum, &m.Applied); err != nil {
			return fmt.Errorf("read %s.schema_migrations: %w", database, err)
		}
		if m.Version-1 >= uint32(len(all)) {
			return fmt.Errorf("database %s is at migration %04d_%s and this version of weir knows %04d at most: use a newer weir",
				database, m.Version, m.Name, len(all))
		}
		mine := &all[m.Version-1]
		if mine.checksum != m.checksum {
			return fmt.Errorf("database %s: migration %04d_%s was applied with other contents than %04d_%s of this version (checksum %.8s, here %.8s)",
				database, m.Version, m.Name, mine.Version, mine.Name, m.checksum, mine.checksum)
		}
		mine.Applied = m.Applied
	}
	return rows.Err()
}

func (t Target) apply(ctx context.Context, conn driver.Conn, m Migration) error {
	if err := t.exec(ctx, conn, m.sql); err != nil {
		return err
	}
	// A row is known to be there when this returns.
	ctx = driver.Context(ctx, driver.WithSettings(driver.Settings{"async_insert": 0}))
	return conn.Exec(ctx, "INSERT INTO schema_migrations (version, name, checksum, applied) VALUES (?, ?, ?, now())",
		m.Version, m.Name, m.checksum)
}

// exec runs the statements of a file, each on all servers of the target.
func (t Target) exec(ctx context.Context, conn driver.Conn, sql string) error {
	all, err := t.statements(sql)
	if err != nil {
		return err
	}
	for _, statement := range all {
		if err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// embedded reads the migrations of a folder clickhouse. Versions count from 1 without
// a gap.
func embedded(fsys fs.FS) ([]Migration, error) {
	names, err := fs.Glob(fsys, "clickhouse/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	all := make([]Migration, 0, len(names))
	for i, path := range names {
		sql, err := fs.ReadFile(fsys, path)
		if err != nil {
			return nil, err
		}
		number, name, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(path, "clickhouse/"), ".sql"), "_")
		version, err := strconv.ParseUint(number, 10, 32)
		if err != nil || len(number) != 4 || int(version) != i+1 || name == "" {
			return nil, fmt.Errorf("migration %s: want clickhouse/%04d_name.sql", path, i+1)
		}
		sum := sha256.Sum256(sql)
		all = append(all, Migration{Version: uint32(version), Name: name, sql: string(sql), checksum: hex.EncodeToString(sum[:])})
	}
	return all, nil
}

func open(dsn, database string) (driver.Conn, error) {
	options, err := driver.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("clickhouse dsn: %w", err)
	}
	options.Auth.Database = database
	return driver.Open(options)
}

// quote makes an identifier of any text.
func quote(name string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(name) + "`"
}
