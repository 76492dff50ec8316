// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
)

func TestOneOfManyMigrates(t *testing.T) {
	t.Parallel()
	server := clickhousetest.New(t)
	const many = 8
	done := make(chan error, many)
	for range many {
		go func() { done <- Up(t.Context(), server.DSN(""), "contended", slog.New(slog.DiscardHandler)) }()
	}
	for range many {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	latest, err := Latest()
	if err != nil {
		t.Fatal(err)
	}
	var rows, locks uint64
	err = server.Open(t, "contended").QueryRow(t.Context(),
		"SELECT (SELECT count() FROM schema_migrations), (SELECT count() FROM system.tables WHERE database = 'contended' AND name = 'schema_lock')").Scan(&rows, &locks)
	if err != nil || rows != uint64(latest) || locks != 0 {
		t.Errorf("%d migrations applied, want %d, each once; %d locks left; %v", rows, latest, locks, err)
	}
}

func TestALockThatNobodyRenewsIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes as long as a lock needs to become stale")
	}
	server := clickhousetest.New(t)
	conn := server.Open(t, server.Database(t))
	if err := conn.Exec(t.Context(), "CREATE TABLE schema_lock (held UInt8) ENGINE = Memory COMMENT 'process 7 on other'"); err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	unlock, err := lock(t.Context(), conn, slog.New(slog.NewTextHandler(&logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	if strings.Count(logged.String(), "process 7 on other") != 1 {
		t.Errorf("log: %s", logged.String())
	}
}

func TestVerifyNamesWhatIsDifferent(t *testing.T) {
	t.Parallel()
	server := clickhousetest.New(t)
	const database = "verified"
	verify := func() string {
		t.Helper()
		differences, err := Target{DSN: server.DSN(""), Database: database}.Verify(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(differences, "\n")
	}
	if got := verify(); !strings.Contains(got, "migration 0001_flows is not applied") {
		t.Errorf("an empty server: %q", got)
	}
	if err := Up(t.Context(), server.DSN(""), database, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if got := verify(); got != "" {
		t.Errorf("migrated: %q", got)
	}
	conn := server.Open(t, database)
	for _, statement := range []string{
		"ALTER TABLE flows ADD COLUMN mine UInt8", "ALTER TABLE flows DROP COLUMN vlan_id", "ALTER TABLE flows MODIFY COLUMN ip_ttl UInt16", "DROP TABLE services_5m SYNC",
	} {
		if err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	got := verify()
	for _, want := range []string{"flows.vlan_id is missing", "flows.ip_ttl is UInt16, want UInt8", "services_5m is missing"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	if strings.Contains(got, "mine") {
		t.Errorf("a column that was added: %q", got)
	}
	var left uint64
	if err := conn.QueryRow(t.Context(), "SELECT count() FROM system.databases WHERE name LIKE 'verified_verify%'").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d databases left: %v", left, err)
	}
}

func TestPrintIsEveryMigration(t *testing.T) {
	t.Parallel()
	var printed bytes.Buffer
	if err := (Target{}).Print(&printed); err != nil {
		t.Fatal(err)
	}
	all, err := embedded(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if !strings.Contains(printed.String(), m.sql) {
			t.Errorf("%04d_%s is missing", m.Version, m.Name)
		}
	}
}
