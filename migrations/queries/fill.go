// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

//go:embed flows.sql
var flowsSQL string

//go:embed rollups.sql
var rollupsSQL string

const rowsAtOnce = 1_000_000

// fill writes rows flows of the day that ends at end, and their sums.
func fill(ctx context.Context, conn driver.Conn, rows int, end time.Time, said func(string)) error {
	for from := 0; from < rows; from += rowsAtOnce {
		sql := replaced(flowsSQL, "rows", rows, "end", int(end.Unix()), "from", from, "to", min(from+rowsAtOnce, rows))
		if err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("fill flows: %w", err)
		}
		said(fmt.Sprintf("%d of %d flows", min(from+rowsAtOnce, rows), rows))
	}
	const hour = 3600
	first := int(end.Add(-24 * time.Hour).Truncate(time.Hour).Unix())
	for from := first; from < int(end.Unix()); from += hour {
		for statement := range strings.SplitSeq(strings.TrimSpace(rollupsSQL), ";\n") {
			if err := conn.Exec(ctx, replaced(statement, "from", from, "to", from+hour)); err != nil {
				return fmt.Errorf("fill sums: %w", err)
			}
		}
		said(fmt.Sprintf("sums up to %s", time.Unix(int64(from+hour), 0).UTC().Format(time.TimeOnly)))
	}
	return nil
}

// replaced returns sql with names in braces replaced by their numbers.
func replaced(sql string, pairs ...any) string {
	for i := 0; i < len(pairs); i += 2 {
		sql = strings.ReplaceAll(sql, fmt.Sprintf("{%s}", pairs[i]), fmt.Sprint(pairs[i+1]))
	}
	return strings.TrimSuffix(sql, ";")
}
