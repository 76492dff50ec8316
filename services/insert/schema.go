// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"context"
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// awaitSchema waits until the database has the tables that this version writes.
func (w *writer) awaitSchema(ctx context.Context) error {
	_, err := w.write(ctx, flowsTable, "", func(*table) error {
		w.batch.reset(0)
		return w.checkMigration(ctx)
	})
	return err
}

const unknownTable = 60 // exception code

// checkMigration compares what the database was migrated to with what this version knows. A
// newer database is fine, since migrations leave what is there as it is.
func (w *writer) checkMigration(ctx context.Context) error {
	if w.cfg.Migration == 0 {
		return nil
	}
	ctx, cancel := w.deadline(ctx)
	defer cancel()
	var at uint32
	err := w.conn.QueryRow(ctx, "SELECT max(version) FROM schema_migrations").Scan(&at)
	if exception := (*clickhouse.Exception)(nil); errors.As(err, &exception) && exception.Code == unknownTable {
		return nil // made by other means; its columns are as they must be
	}
	switch {
	case err != nil:
		return err
	case at < w.cfg.Migration:
		return &schemaError{fmt.Sprintf("database %s: is at migration %04d, and this version of weir needs %04d", w.cfg.Database, at, w.cfg.Migration)}
	case at > w.cfg.Migration:
		w.log.Warn("the database was migrated by a newer weir, writing what this version knows",
			"database", w.cfg.Database, "migration", at, "known", w.cfg.Migration)
	}
	return nil
}
