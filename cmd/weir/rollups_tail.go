// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/flow/rollup"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

func newRollups() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollups",
		Short: "Look at sums of flows as they are made",
		Args:  wantCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRollupsTail())
	return cmd
}

func newRollupsTail() *cobra.Command {
	o := newOptions()
	var name string
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Print the windows of rollups when they are final",
		Long: `tail reads the stream of partial sums on the server of nats.url, adds them up, and prints the rows of
a window when every partition has closed it. What comes late after that is printed as a correction.
Windows that had begun before tail did are left out.

` + daemon.SettingsHelp,
		Example: "  weir rollups tail --nats.url nats://127.0.0.1:4222 --rollup flows_1m",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.load(); err != nil {
				return err
			}
			o.base.HTTP.Listen = ""
			p := daemon.NewProcess("weir", o.base, os.Stderr)
			return p.Run(cmd.Context(), func(ctx context.Context, p *daemon.Process) (daemon.Runner, error) {
				b, err := bus.Connect(ctx, o.NATS, "tail", p.Log, p.Metrics)
				if err != nil {
					return nil, err
				}
				p.OnExit(b.Close)
				t := tail{b, rollup.NewFinals(o.NATS.Partitions), name, o.Aggregate.MaxAhead, map[int]bool{}, p.Log, bufio.NewWriter(cmd.OutOrStdout())}
				return once(t.run), nil
			})
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&name, "rollup", "", "print this one only")
	return cmd
}

// tail prints final windows.
type tail struct {
	bus    *bus.Bus
	finals *rollup.Finals
	name   string        // of the rollup, empty for all
	ahead  time.Duration // that a window may start after the receipt of its flows
	began  map[int]bool  // partitions that have had a message
	log    *slog.Logger
	out    *bufio.Writer
}

func (t tail) run(ctx context.Context) error {
	err := bus.Tail(ctx, t.bus, bus.Rollups, func(at bus.Tailed, m *weirv1.RollupBatch) error {
		if at.Gap {
			t.finals.Incomplete(at.Stored.Add(t.ahead))
			if t.began[at.Partition] {
				t.log.Warn("partial sums were gone before they were read", "partition", at.Partition)
			}
		}
		t.began[at.Partition] = true
		for _, w := range t.finals.Add(at.Partition, m) {
			if t.name == "" || t.name == w.Rollup {
				printWindow(t.out, w)
			}
		}
		return t.out.Flush()
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// printWindow writes a line for each row.
func printWindow(out io.Writer, w rollup.Window) {
	state := "final"
	if w.Late {
		state = "late"
	}
	for _, row := range w.Rows {
		fmt.Fprintf(out, "%s %s %s", w.Start.Format(time.RFC3339), w.Rollup, state)
		for _, values := range [][]rollup.Value{row.Keys, row.Measures} {
			for _, v := range values {
				fmt.Fprintf(out, " %s=%s", v.Name, v)
			}
		}
		fmt.Fprintln(out)
	}
}
