// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/services/probe"
)

// probeConfig is the section of a file that weir probe reads.
type probeConfig struct {
	Probe probe.Config `yaml:"probe" usage:"measures packets and exports flows"`
}

func newProbe() *cobra.Command {
	cfg, base := probeConfig{probe.DefaultConfig()}, daemon.DefaultConfig()
	base.HTTP.Listen = "" // several may run on a machine
	settings := daemon.NewSettings(&cfg, &base)
	var file string
	cmd := &cobra.Command{
		Use:   "probe",
		Short: "Measure packets and export flows",
		Long: `probe captures packets from interfaces, or reads them from pcap and pcapng files, and exports flows as
NetFlow v1, v5, v9 or IPFIX, or samples as sFlow v5. Capturing needs the capability net_raw.

With --model it takes a configuration in the data model of RFC 6728, as JSON.

` + daemon.SettingsHelp,
		Example: `  weir probe -i eth0 --to collector:4739
  weir probe -r capture.pcap --to 127.0.0.1:2055 --protocol v9
  weir probe -i eth0 -f "not port 4739" --to collector:4739
  weir probe --model ipfix.json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				file = os.Getenv("WEIR_CONFIG")
			}
			if err := settings.Load(daemon.Sources{File: file, Env: os.LookupEnv}); err != nil {
				return err
			}
			p := daemon.NewProcess("probe", base, os.Stderr)
			return p.Run(cmd.Context(), func(_ context.Context, p *daemon.Process) (daemon.Runner, error) {
				return probe.New(cfg.Probe, p.Log, p.Metrics)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&file, "config", "", "YAML file with the settings; other sections are skipped (WEIR_CONFIG)")
	settings.Flags(flags)
	for _, short := range []struct{ name, letter, key string }{
		{"interface", "i", "probe.interfaces"},
		{"read", "r", "probe.files"},
		{"to", "", "probe.to"},
		{"protocol", "", "probe.protocol"},
		{"model", "m", "probe.model"},
		{"speed", "", "probe.speed"},
		{"filter", "f", "probe.filter"},
	} {
		f := flags.Lookup(short.key)
		flags.VarP(&repeated{Value: f.Value}, short.name, short.letter, f.Usage)
	}
	return cmd
}

// repeated is a short name of a setting. A list may be given an item at a time.
type repeated struct {
	pflag.Value
	set bool
}

// Set implements pflag.Value.
func (r *repeated) Set(text string) error {
	if r.set && r.Type() == "list" {
		text = r.String() + "," + text
	}
	r.set = true
	return r.Value.Set(text)
}
