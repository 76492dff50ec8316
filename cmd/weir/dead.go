// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/flow"
)

func newDead() *cobra.Command {
	return group("dead", "Look at messages that could not be processed, and do something about them",
		onBus(&cobra.Command{
			Use:   "list",
			Short: "List the dead letters",
			Long: `list prints a line for each dead letter: its number, when it was put there, by which stage, which message of
which stream it was, and why.

` + daemon.SettingsHelp,
		}, listDead),
		onBus(&cobra.Command{
			Use:   "show NUMBER...",
			Short: "Print dead letters with what is in them",
			Long: `show prints everything about dead letters: their datagrams or flows too.

` + daemon.SettingsHelp,
			Args: wantSequences,
		}, showDead),
		onBus(&cobra.Command{
			Use:   "replay NUMBER...",
			Short: "Give dead letters to their stage again, and delete them",
			Long: `replay puts messages back where their stage reads them, behind what waits there, and deletes the letters.
Other stages that read the same stream do not get them a second time. A replay that was cut short can be repeated.

` + daemon.SettingsHelp,
			Args: wantSequences,
		}, eachDead("replayed", (*bus.Bus).Replay)),
		onBus(&cobra.Command{
			Use:   "drop NUMBER...",
			Short: "Delete dead letters",
			Args:  wantSequences,
		}, eachDead("dropped", (*bus.Bus).Drop)),
	)
}

func listDead(ctx context.Context, d desk, _ []string) error {
	letters := []*bus.Letter{}
	if err := d.bus.Letters(ctx, func(l *bus.Letter) error { letters = append(letters, l); return nil }); err != nil {
		return err
	}
	if d.json {
		return d.print(letters)
	}
	if len(letters) == 0 {
		fmt.Fprintln(d.out, "no dead letters")
		return nil
	}
	w := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NUMBER\tTIME\tSTAGE\tMESSAGE\tBYTES\tREASON")
	for _, l := range letters {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d\t%s\n", l.Sequence, l.Time.UTC().Format(time.RFC3339), l.Stage, sourceOf(l), l.Bytes, l.Reason)
	}
	return w.Flush()
}

// sourceOf says which message a letter was.
func sourceOf(l *bus.Letter) string {
	part := ""
	if l.Part {
		part = " (part)"
	}
	return fmt.Sprintf("%s.%d %d%s", l.Stream, l.Partition, l.Source, part)
}

func showDead(ctx context.Context, d desk, args []string) error {
	seqs, err := sequences(args)
	if err != nil {
		return err
	}
	for _, seq := range seqs {
		l, err := d.bus.Letter(ctx, seq)
		if err != nil {
			return err
		}
		if d.json {
			err = d.print(l)
		} else {
			_, err = fmt.Fprintf(d.out, "letter %d of %s\nstage %s, message %s, %d octets\nreason: %s\n",
				l.Sequence, l.Time.UTC().Format(time.RFC3339), l.Stage, sourceOf(l), l.Bytes, l.Reason)
		}
		if err != nil {
			return err
		}
		if err := showContent(d, l); err != nil {
			fmt.Fprintf(d.out, "content: %v\n", err)
		}
	}
	return nil
}

// showContent prints the datagrams or flows of a letter. What made it a letter may be that it can't
// be read.
func showContent(d desk, l *bus.Letter) error {
	payload, err := l.Payload()
	if err != nil {
		return err
	}
	switch l.Stream {
	case bus.Datagrams.Name:
		var batch flow.Datagrams
		if err := batch.UnmarshalVTUnsafe(payload); err != nil {
			return err
		}
		for g := range batch.All() {
			fmt.Fprintf(d.out, "datagram of %s from %s, %d octets: %x\n", g.Exporter, g.Source, len(g.Payload), g.Payload)
		}
	case bus.Flows.Name, bus.Enriched.Name:
		var batch flow.Batch
		if err := batch.UnmarshalVTUnsafe(payload); err != nil {
			return err
		}
		for row := range batch.JSON(flow.Neutral) {
			fmt.Fprintf(d.out, "%s\n", row)
		}
	default:
		fmt.Fprintf(d.out, "content: %x\n", payload)
	}
	return nil
}

// eachDead does something with each of the letters that are named.
func eachDead(done string, do func(*bus.Bus, context.Context, uint64) error) func(context.Context, desk, []string) error {
	return func(ctx context.Context, d desk, args []string) error {
		seqs, err := sequences(args)
		if err != nil {
			return err
		}
		var errs []error
		for _, seq := range seqs {
			if err := do(d.bus, ctx, seq); err != nil {
				errs = append(errs, err)
				continue
			}
			fmt.Fprintf(d.out, "letter %d %s\n", seq, done)
		}
		return errors.Join(errs...)
	}
}
