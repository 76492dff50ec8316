// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/netip"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/services/decode/offline"
)

func newTemplates() *cobra.Command {
	return group("templates", "Look at what exporters told about their records",
		onBus(&cobra.Command{
			Use:   "list",
			Short: "List the exporters with what is kept of them",
			Long: `list prints a line for each exporter that told something: templates, samplers, names.

` + daemon.SettingsHelp,
		}, listTemplates),
		onBus(&cobra.Command{
			Use:   "show EXPORTER",
			Short: "Print the templates, sampling intervals and names of an exporter, as JSON",
			Args:  wantExporter,
		}, showTemplates),
		onBus(&cobra.Command{
			Use:   "forget EXPORTER",
			Short: "Make decode forget what an exporter told",
			Long: `forget makes decode forget the templates, sampling intervals and names of an exporter, as if it were new: it
sends them again by itself. The order stands in the stream DATAGRAMS between the datagrams, so that every worker
follows it at the same place.

` + daemon.SettingsHelp,
			Args: wantExporter,
		}, forgetTemplates),
	)
}

func wantExporter(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return misuse("%s: want the address of one exporter", cmd.CommandPath())
	}
	_, err := exporterAddress(args)
	return err
}

func exporterAddress(args []string) (netip.Addr, error) {
	a, err := netip.ParseAddr(args[0])
	if err != nil {
		return a, misuse("argument %q: want the address of an exporter", args[0])
	}
	return a.Unmap(), nil
}

// knownExporter is what is kept of an exporter.
type knownExporter struct {
	Exporter  netip.Addr   `json:"exporter"`
	Partition int          `json:"partition"`
	Written   time.Time    `json:"written"`
	Position  bus.Position `json:"position"` // of the datagrams that it belongs to
	offline.Told
}

// eachExporter calls yield for each exporter that told something.
func (d desk) eachExporter(ctx context.Context, yield func(knownExporter) error) error {
	return d.bus.States(ctx, bus.Templates, false, func(s bus.State) error {
		exporter, err := offline.ExporterOf(s.Key)
		if err != nil {
			d.log.Warn("state is left out", "key", s.Key, "err", err)
			return nil
		}
		told, err := offline.State(s.Value)
		if err != nil {
			d.log.Warn("state is left out", "exporter", exporter, "err", err)
			return nil
		}
		if len(told.Domains) == 0 { // forgotten
			return nil
		}
		return yield(knownExporter{exporter, s.Partition, s.Written, s.Position, told})
	})
}

func listTemplates(ctx context.Context, d desk, _ []string) error {
	all := []knownExporter{}
	if err := d.eachExporter(ctx, func(k knownExporter) error { all = append(all, k); return nil }); err != nil {
		return err
	}
	if d.json {
		return d.print(all)
	}
	w := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "EXPORTER\tPARTITION\tDOMAINS\tTEMPLATES\tSAMPLERS\tNAMES\tCHANGED")
	for _, k := range all {
		templates, samplers := 0, 0
		for _, domain := range k.Domains {
			templates += len(domain.Templates)
			samplers += len(domain.Samplers) + len(domain.Interfaces)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%s\n", k.Exporter, k.Partition, len(k.Domains), templates, samplers,
			len(k.Interfaces)+len(k.VRFs)+len(k.Applications), k.Written.UTC().Format(time.RFC3339))
	}
	return w.Flush()
}

func showTemplates(ctx context.Context, d desk, args []string) error {
	exporter, err := exporterAddress(args)
	if err != nil {
		return err
	}
	found := false
	err = d.eachExporter(ctx, func(k knownExporter) error {
		if k.Exporter != exporter {
			return nil
		}
		found = true
		return d.print(k)
	})
	if err == nil && !found {
		err = fmt.Errorf("exporter %s: nothing is kept of it", exporter)
	}
	return err
}

// forgetTemplates puts the order to forget among the exporter's datagrams.
func forgetTemplates(ctx context.Context, d desk, args []string) error {
	exporter, err := exporterAddress(args)
	if err != nil {
		return err
	}
	if err := d.bus.Store(ctx, bus.Datagrams, bus.Partition(exporter, d.bus.Partitions()), offline.Forget(exporter)); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "decode forgets %s with the datagrams that come now\n", exporter)
	return nil
}
