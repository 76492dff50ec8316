// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/daemon"
)

func newStatus() *cobra.Command {
	partitions := false
	cmd := onBus(&cobra.Command{
		Use:   "status",
		Short: "Show workers, lag and streams",
		Long: `status prints, for each stage, its workers, how many messages wait for it, and in which partitions they do;
and how full each stream is. HELD has what waits for its template, DEAD what could not be processed. What stages
tell about themselves is up to two seconds old.

` + daemon.SettingsHelp,
	}, func(ctx context.Context, d desk, _ []string) error {
		s, err := d.bus.Survey(ctx)
		if err != nil {
			return err
		}
		if d.json {
			return d.print(s)
		}
		return printSurvey(d, s, partitions)
	})
	cmd.Flags().BoolVar(&partitions, "partitions", false, "also a line for each partition of a stage")
	return cmd
}

func printSurvey(d desk, s bus.Survey, partitions bool) error {
	w := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STAGE\tREADS\tWORKERS\tLAG\tBEHIND")
	for _, st := range s.Stages {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\n", st.Stage, st.Stream, len(st.Workers), st.Lag, behind(st))
		if !partitions {
			continue
		}
		for _, p := range st.Partitions {
			fmt.Fprintf(w, "\t  .%d\t%s\t%d\tcovered to %d\n", p.Partition, owner(p), p.Lag, p.Covered)
		}
	}
	fmt.Fprintln(w, "\nSTREAM\tMESSAGES\tBYTES\tFULL\tCOPIES")
	for _, u := range s.Streams {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%d\n", u.Name, u.Messages, grouped(float64(u.Bytes)), fill(u), u.Replicas)
	}
	return w.Flush()
}

func owner(p bus.PartitionSurvey) string {
	if p.Worker == "" {
		return "nobody"
	}
	return p.Worker
}

// behind names the partitions with the most messages that wait.
func behind(st bus.StageSurvey) string {
	const most = 4
	waiting := slices.DeleteFunc(slices.Clone(st.Partitions), func(p bus.PartitionSurvey) bool { return p.Lag == 0 })
	slices.SortStableFunc(waiting, func(a, b bus.PartitionSurvey) int { return int(b.Lag) - int(a.Lag) }) //nolint:gosec // far below
	var names []string
	for _, p := range waiting[:min(len(waiting), most)] {
		names = append(names, fmt.Sprintf(".%d: %d", p.Partition, p.Lag))
	}
	if len(waiting) > most {
		names = append(names, "...")
	}
	return strings.Join(names, ", ")
}

// fill is how full a stream is.
func fill(u bus.StreamSurvey) string {
	if u.MaxBytes <= 0 {
		return "no limit"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(u.Bytes)/float64(u.MaxBytes))
}
