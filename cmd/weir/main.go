// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/daemon"
)

func main() {
	err := newRoot().ExecuteContext(context.Background())
	if err != nil {
		daemon.PrintError(os.Stderr, "weir", err)
	}
	os.Exit(daemon.ExitCode(err))
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "weir",
		Short: "NetFlow, IPFIX and sFlow into ClickHouse",
		Long: `weir takes NetFlow v5 and v9, IPFIX and sFlow v5 from routers and gives back rows in ClickHouse.

  weir up                          run everything on this machine
  weir config > weir.yaml          write all settings, to change some
  weir check --config weir.yaml    look it over
  weir up --config weir.yaml       run with it`,
		Args:          wantCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true, // main prints them
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return misuse("%v (%s --help lists the flags)", err, cmd.CommandPath())
	})
	root.AddCommand(newUp(), newMigrate(), newStreams(), newRollups(), newStatus(), newDead(), newTemplates(), newRerun(), newCheck(), newConfigCommand(), newCredentials(), newDecode(), newExplain(), newClickHouse(), newVersion(),
		newProbe(), newReplay(), newGenerate())
	return root
}

func wantCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misuse("unknown command %q (%s --help lists the commands)", args[0], cmd.CommandPath())
	}
	return nil
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misuse("argument %q: %s takes flags only (--help lists them)", args[0], cmd.CommandPath())
	}
	return nil
}

// misuse is a wrong command line.
func misuse(format string, args ...any) error {
	return &daemon.ConfigError{Problems: []string{fmt.Sprintf(format, args...)}}
}
