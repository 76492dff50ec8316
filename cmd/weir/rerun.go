// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/flow"
)

func newRerun() *cobra.Command {
	o := newOptions()
	r := rerun{since: time.Hour}
	var exporters []string
	cmd := &cobra.Command{
		Use:   "replay --into TABLE",
		Short: "Decode kept datagrams again, into a table of their own",
		Long: `replay takes the datagrams that the stream DATAGRAMS still has, decodes and enriches them again with this
version and these settings, and writes the flows into a new table with the columns of the table flows. It has a NATS
server of its own for that, in the folder for temporary files, and changes nothing in the one of nats.url. The table
appears when it is complete.

Decode begins with what exporters had told before the first datagram.

` + daemon.SettingsHelp,
		Example: "  weir replay --since 2h --exporter 192.0.2.0/24 --into flows_again --nats.url nats://127.0.0.1:4222 --clickhouse.dsn clickhouse://127.0.0.1:9000",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.load(); err != nil {
				return err
			}
			if err := r.check(o, exporters); err != nil {
				return err
			}
			o.base.HTTP.Listen = ""
			p := daemon.NewProcess("weir", o.base, os.Stderr)
			r.config, r.log, r.out = o.config, p.Log, cmd.OutOrStdout()
			return p.Run(cmd.Context(), func(ctx context.Context, p *daemon.Process) (daemon.Runner, error) {
				b, err := bus.Connect(ctx, o.NATS, operatorName, p.Log, p.Metrics)
				if err != nil {
					return nil, err
				}
				p.OnExit(b.Close)
				r.from, r.process = b, p
				return once(r.run), nil
			})
		},
	}
	o.flags(cmd)
	cmd.Flags().DurationVar(&r.since, "since", r.since, "how far to go back")
	cmd.Flags().StringSliceVar(&exporters, "exporter", nil, "networks of exporters; all by default")
	cmd.Flags().StringVar(&r.into, "into", "", "name of the table to make, in clickhouse.database")
	return cmd
}

// check looks the command line over.
func (r *rerun) check(o *options, exporters []string) error {
	switch {
	case !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(r.into):
		return misuse("--into %q: want the name of a table that is not there yet", r.into)
	case r.since <= 0:
		return misuse("--since %v: want a time such as 2h", r.since)
	case o.ClickHouse.DSN == "":
		return misuse("clickhouse.dsn: is empty, want the ClickHouse that has the table flows (weir up prints its address)")
	}
	for _, text := range exporters {
		p, err := netip.ParsePrefix(text)
		if a, failed := netip.ParseAddr(text); failed == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return misuse("--exporter %q: want an address or a network such as 192.0.2.0/24", text)
		}
		r.exporters = append(r.exporters, p)
	}
	return nil
}

// wants tells whether the datagrams of an exporter are to be decoded.
func (r *rerun) wants(exporter netip.Addr) bool {
	for _, p := range r.exporters {
		if p.Contains(exporter) {
			return true
		}
	}
	return len(r.exporters) == 0
}

// copy takes the kept datagrams over into the streams of the private server.
func (r *rerun) copy(ctx context.Context, to *bus.Bus, begin time.Time) (datagrams int, err error) {
	const memory = 16 << 20
	publisher := to.NewPublisher(bus.Datagrams, memory)
	sending, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- publisher.Run(sending) }()
	gone, err := bus.Kept(ctx, r.from, bus.Datagrams, begin, func(p int, m *flow.Datagrams) error {
		g := r.selected(m)
		datagrams += g.Rows()
		if g.Rows() == 0 {
			return nil
		}
		return patiently(ctx, func() error { return publisher.Publish(p, g, func() {}) })
	})
	if gone {
		r.log.Warn("the stream does not go back so far, taking what it has", "since", begin)
	}
	if err == nil {
		err = publisher.Flush(ctx)
	}
	stop()
	return datagrams, errors.Join(err, <-done)
}

// selected returns the datagrams of a batch that are wanted.
func (r *rerun) selected(m *flow.Datagrams) *flow.Datagrams {
	if len(r.exporters) == 0 {
		return m
	}
	g := &flow.Datagrams{}
	for d := range m.All() {
		if r.wants(d.Exporter) {
			g.Append(d)
		}
	}
	return g
}

// patiently tries again while there is no room.
func patiently(ctx context.Context, do func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if do() == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// told takes over what exporters had told before begin, and what enrich had learned of them.
func (r *rerun) told(ctx context.Context, to *bus.Bus, begin time.Time) error {
	states := map[string][]bus.State{}
	err := r.from.States(ctx, bus.Templates, true, func(s bus.State) error {
		states[s.Key] = append(states[s.Key], s)
		return nil
	})
	if err != nil {
		return err
	}
	for key, all := range states {
		s, known := asOf(r.log, key, all, begin)
		if !known {
			continue
		}
		if err := to.PutState(ctx, bus.Templates, s.Partition, key, s.Value); err != nil {
			return err
		}
	}
	return r.from.States(ctx, bus.Exporters, false, func(s bus.State) error {
		return to.PutState(ctx, bus.Exporters, s.Partition, s.Key, s.Value)
	})
}

// asOf returns the last state of an exporter that belongs to a datagram before begin.
func asOf(log *slog.Logger, key string, all []bus.State, begin time.Time) (s bus.State, known bool) {
	for _, next := range all {
		if next.Position.Time < begin.UnixNano() {
			s, known = next, true
		}
	}
	if !known && len(all) >= bus.StateHistory {
		log.Warn("what an exporter had told by then is gone, beginning with the oldest that is kept", "key", key)
		return all[0], true
	}
	return s, known
}

// finished waits until nothing waits for a stage any more.
func (r *rerun) finished(ctx context.Context, b *bus.Bus) error {
	reads := []struct {
		stage  string
		stream bus.Stream
	}{{bus.Decode, bus.Datagrams}, {bus.Enrich, bus.Flows}, {bus.Insert, bus.Enriched}}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for _, read := range reads {
		for {
			lag, err := b.Lag(ctx, read.stream, read.stage)
			if err != nil {
				return fmt.Errorf("wait for %s: %w", read.stage, err)
			}
			if lag == 0 {
				break
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
			}
		}
	}
	return nil
}
