// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show what this program was built from",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				info = &debug.BuildInfo{}
			}
			writeVersion(cmd.OutOrStdout(), info)
			return nil
		},
	}
}

// release is the version of a release, set when it is built.
var release string //nolint:gochecknoglobals // the linker sets it

// writeVersion shows the version, the commit and the modules that matter most.
func writeVersion(w io.Writer, info *debug.BuildInfo) {
	version := cmp.Or(release, info.Main.Version, "unknown")
	fmt.Fprintf(w, "weir          %s\n", version)
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			fmt.Fprintf(w, "commit        %s\n", s.Value)
		case "vcs.modified":
			if s.Value == "true" {
				fmt.Fprintln(w, "              with changes that are not committed")
			}
		}
	}
	fmt.Fprintf(w, "go            %s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/nats-io/nats-server/v2":
			fmt.Fprintf(w, "nats-server   %s\n", m.Version)
		case "github.com/ClickHouse/clickhouse-go/v2":
			fmt.Fprintf(w, "clickhouse-go %s\n", m.Version)
		}
	}
}
