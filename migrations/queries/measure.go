// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// figures are what one run of a query cost.
type figures struct {
	took, cpu    time.Duration
	read, result uint64 // rows
	tables       []string
}

// measure runs a query three times and returns the fastest run.
func measure(ctx context.Context, conn driver.Conn, q query) (best figures, err error) {
	for i := range 3 {
		f, err := run(ctx, conn, q)
		if err != nil {
			return f, fmt.Errorf("%s: %w", q.title, err)
		}
		if i == 0 || f.took < best.took {
			best = f
		}
	}
	best.tables, err = tablesRead(ctx, conn, q)
	return best, err
}

func run(ctx context.Context, conn driver.Conn, q query) (f figures, err error) {
	ctx = driver.Context(ctx,
		driver.WithProgress(func(p *driver.Progress) { f.read += p.Rows }),
		driver.WithProfileEvents(func(events []driver.ProfileEvent) {
			for _, e := range events {
				if e.Name == "OSCPUVirtualTimeMicroseconds" {
					f.cpu += time.Duration(e.Value) * time.Microsecond
				}
			}
		}))
	start := time.Now()
	rows, err := conn.Query(ctx, q.sql)
	if err != nil {
		return f, err
	}
	defer rows.Close()
	for rows.Next() {
		f.result++
	}
	f.took = time.Since(start)
	return f, rows.Err()
}

var (
	reading = regexp.MustCompile(`ReadFromMergeTree \(\w+\.(\w+)\)`)
	some    = regexp.MustCompile(`Parts: \d+ \| Granules: [1-9]`)
)

// tablesRead returns the tables of which a query reads anything.
func tablesRead(ctx context.Context, conn driver.Conn, q query) ([]string, error) {
	lines, err := explain(ctx, conn, q)
	if err != nil {
		return nil, err
	}
	var tables []string
	var table string
	for _, line := range lines {
		if m := reading.FindStringSubmatch(line); m != nil {
			table = m[1]
		}
		if some.MatchString(line) && !slices.Contains(tables, table) {
			tables = append(tables, table)
		}
	}
	return tables, nil
}

// explain returns how a query would be run.
func explain(ctx context.Context, conn driver.Conn, q query) ([]string, error) {
	rows, err := conn.Query(ctx, "EXPLAIN indexes = 1 "+q.sql)
	if err != nil {
		return nil, fmt.Errorf("explain %s: %w", q.title, err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, rows.Err()
}

func (f figures) String() string {
	return fmt.Sprintf("| %s | %.1f M | %.2f s | %.2f s |", strings.Join(f.tables, ", "), float64(f.read)/1e6, f.took.Seconds(), f.cpu.Seconds())
}
