// SPDX-License-Identifier: Apache-2.0

// Command host is the engine's process in tests.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/weirflow/weir/clickhouse"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg, err := clickhouse.ParseServe(os.Args[1:])
	if err == nil {
		err = clickhouse.Serve(ctx, cfg)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
