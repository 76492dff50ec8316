// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/clickhouse"
)

// newClickHouse is the command that weir up starts as its child.
func newClickHouse() *cobra.Command {
	return &cobra.Command{
		Use:   "clickhouse --engine FILE --dir DIR",
		Short: "Run the embedded ClickHouse engine",
		Long: `clickhouse runs the ClickHouse engine of libchdb.so as a server on loopback until SIGINT or SIGTERM.
weir up starts it where no ClickHouse is given and no clickhouse program is on the PATH.`,
		DisableFlagParsing: true, // the package of the server reads them
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := clickhouse.ParseServe(args)
			if errors.Is(err, flag.ErrHelp) {
				cmd.PrintErrf("\n%s\n", cmd.Long)
				return nil
			}
			if err != nil {
				return misuse("%v", err)
			}
			ctx, stop := signal.NotifyContext(context.WithoutCancel(cmd.Context()), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return clickhouse.Serve(ctx, cfg)
		},
	}
}
