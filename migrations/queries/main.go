// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

func main() {
	dsn := flag.String("dsn", "clickhouse://127.0.0.1:9000/weir", "database, migrated; it is filled if it has no flows")
	rows := flag.Int("rows", 50_000_000, "flows of the day that ends now")
	page := flag.String("page", "docs/queries.md", "page with the queries")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := fillAndMeasure(ctx, os.Stdout, *dsn, *page, *rows); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

// fillAndMeasure writes a row of a Markdown table for each query.
func fillAndMeasure(ctx context.Context, w io.Writer, dsn, page string, rows int) error {
	queries, err := readPage(page)
	if err != nil {
		return err
	}
	options, err := driver.ParseDSN(dsn)
	if err != nil {
		return err
	}
	conn, err := driver.Open(options)
	if err != nil {
		return err
	}
	defer conn.Close()
	var there uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM flows").Scan(&there); err != nil {
		return err
	}
	if there == 0 {
		said := func(what string) { fmt.Fprintln(os.Stderr, what) }
		if err := fill(ctx, conn, rows, time.Now(), said); err != nil {
			return err
		}
	}
	fmt.Fprint(w, "| question | table | rows read | time | CPU time |\n| --- | --- | --- | --- | --- |\n")
	for _, q := range queries {
		f, err := measure(ctx, conn, q)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "| %s %s\n", q.title, f)
	}
	return nil
}
