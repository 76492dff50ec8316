// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// The lock is a table: ClickHouse makes it for one of two that ask at once. Its holder
// renews it, so that one that was killed does not keep it.
const (
	lockTable  = "schema_lock"
	renewEvery = 3 * time.Second
	staleAfter = 15 // s without renewal
	askEvery   = 500 * time.Millisecond

	tableExists = 57 // exception code
)

// lock waits until nobody else migrates the database of conn, and returns what unlocks it.
func lock(ctx context.Context, conn driver.Conn, log *slog.Logger) (unlock func(), err error) {
	host, _ := os.Hostname()
	holder := fmt.Sprintf("process %d on %s", os.Getpid(), host)
	for told := false; ; {
		err := conn.Exec(ctx, "CREATE TABLE "+lockTable+" (held UInt8) ENGINE = Memory COMMENT ?", holder)
		if err == nil {
			break
		}
		if exception, ok := errors.AsType[*driver.Exception](err); !ok || exception.Code != tableExists {
			return nil, fmt.Errorf("lock migrations: %w", err)
		}
		by, err := dropStale(ctx, conn)
		if err != nil {
			return nil, fmt.Errorf("lock migrations: %w", err)
		}
		if !told && by != "" {
			told = true
			log.InfoContext(ctx, "another migration is under way and is waited for", slog.String("by", by))
		}
		select {
		case <-time.After(askEvery):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		renew(ctx, conn, holder)
	}()
	return func() {
		cancel()
		<-done
		if err := conn.Exec(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS "+lockTable); err != nil {
			log.WarnContext(ctx, "lock of migrations stays until it is stale", slog.Any("err", err))
		}
	}, nil
}

// renew writes the holder down again and again, which sets the time of the table's metadata.
func renew(ctx context.Context, conn driver.Conn, holder string) {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			// One that fails is made up for by the next.
			_ = conn.Exec(ctx, fmt.Sprintf("ALTER TABLE %s MODIFY COMMENT '%s, renewed %d times'", lockTable, holder, n))
		}
	}
}

// dropStale removes a lock that nobody renews, and returns who else holds it.
func dropStale(ctx context.Context, conn driver.Conn) (by string, err error) {
	var locks, age int64
	err = conn.QueryRow(ctx, `SELECT toInt64(count()), toInt64(max(dateDiff('second', metadata_modification_time, now()))), max(comment)
		FROM system.tables WHERE database = currentDatabase() AND name = ?`, lockTable).Scan(&locks, &age, &by)
	if err != nil || locks == 0 || age <= staleAfter {
		return by, err
	}
	return "", conn.Exec(ctx, "DROP TABLE IF EXISTS "+lockTable)
}
