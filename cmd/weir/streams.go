// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/daemon"
)

func newStreams() *cobra.Command {
	o := newOptions()
	cmd := &cobra.Command{
		Use:   "streams",
		Short: "Make the streams of a NATS server up to date",
		Long: `streams makes the streams and buckets on the server of nats.url, with the partitions, copies and sizes
of the settings, and brings the sizes of those that are there up to date. It is for services that run
on their own; weir up does it by itself.

` + daemon.SettingsHelp,
		Example: "  weir streams --nats.url nats://nats.example.net:4222 --nats.replicas 3",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.load(); err != nil {
				return err
			}
			o.base.HTTP.Listen = "" // it is over soon
			p := daemon.NewProcess("weir", o.base, os.Stderr)
			return p.Run(cmd.Context(), func(ctx context.Context, p *daemon.Process) (daemon.Runner, error) {
				b, err := bus.Connect(ctx, o.NATS, "streams", p.Log, p.Metrics)
				if err != nil {
					return nil, err
				}
				p.OnExit(b.Close)
				return once(func(ctx context.Context) error { return makeStreams(ctx, b, p.Log, cmd.OutOrStdout()) }), nil
			})
		},
	}
	o.flags(cmd)
	return cmd
}

// makeStreams waits for the server, makes the streams and says so. It returns nil
// when ctx ends.
func makeStreams(ctx context.Context, b *bus.Bus, log *slog.Logger, out io.Writer) error {
	if !awaitBus(ctx, b, log) {
		return nil
	}
	if err := b.Ensure(ctx); err != nil {
		return err
	}
	fmt.Fprintln(out, "the streams are up to date")
	return nil
}

// awaitBus waits for the server; false means that ctx has ended.
func awaitBus(ctx context.Context, b *bus.Bus, log *slog.Logger) bool {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for warned := false; ; warned = true {
		err := b.Ready()
		if err == nil {
			return true
		}
		if !warned {
			log.Warn("waiting for NATS", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
}

// once is a daemon.Runner that ends by itself.
type once func(context.Context) error

// Run calls the function.
func (f once) Run(ctx context.Context) error { return f(ctx) }
