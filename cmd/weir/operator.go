// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/daemon"
)

// operatorName is what commands for people call themselves on the bus.
const operatorName = "operator"

// desk is what a command for people works with: the bus of the settings, and where to write.
type desk struct {
	*options
	bus  *bus.Bus
	log  *slog.Logger
	out  io.Writer
	json bool
}

// onBus completes a command that does something on the NATS server of nats.url and ends.
func onBus(cmd *cobra.Command, do func(ctx context.Context, d desk, args []string) error) *cobra.Command {
	o := newOptions()
	args := cmd.Args
	o.flags(cmd)
	if args != nil {
		cmd.Args = args
	}
	asJSON := false
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := o.load(); err != nil {
			return err
		}
		return o.withBus(cmd.Context(), func(ctx context.Context, b *bus.Bus, log *slog.Logger) error {
			return do(ctx, desk{options: o, bus: b, log: log, out: cmd.OutOrStdout(), json: asJSON}, args)
		})
	}
	return cmd
}

// withBus connects to the NATS server of nats.url as the operator, waits for it, and does something on it
// that ends.
func (o *options) withBus(ctx context.Context, do func(context.Context, *bus.Bus, *slog.Logger) error) error {
	o.base.HTTP.Listen = "" // it is over soon
	p := daemon.NewProcess("weir", o.base, os.Stderr)
	return p.Run(ctx, func(ctx context.Context, p *daemon.Process) (daemon.Runner, error) {
		b, err := bus.Connect(ctx, o.NATS, operatorName, p.Log, p.Metrics)
		if err != nil {
			return nil, err
		}
		p.OnExit(b.Close)
		return once(func(ctx context.Context) error {
			if !awaitBus(ctx, b, p.Log) {
				return nil
			}
			return do(ctx, b, p.Log)
		}), nil
	})
}

// print writes v as JSON.
func (d desk) print(v any) error {
	e := json.NewEncoder(d.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// wantSequences are the arguments of a command about dead letters.
func wantSequences(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return misuse("%s: want the number of a dead letter (weir dead list shows them)", cmd.CommandPath())
	}
	_, err := sequences(args)
	return err
}

func sequences(args []string) ([]uint64, error) {
	var seqs []uint64
	for _, a := range args {
		seq, err := strconv.ParseUint(a, 10, 64)
		if err != nil || seq == 0 {
			return nil, misuse("argument %q: want a number", a)
		}
		seqs = append(seqs, seq)
	}
	return seqs, nil
}

// group is a command that only has others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: wantCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(commands...)
	return cmd
}
