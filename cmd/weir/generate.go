// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"io"
	"net/netip"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weirflow/weir/test/traffic"
)

func newGenerate() *cobra.Command {
	cfg := traffic.DefaultLoadConfig()
	var to string
	var protocols, sources []string
	var networks bool
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Send made-up flows to a collector and tell exactly what was sent",
		Long: `generate sends flows that it makes up, as NetFlow v5 and v9, IPFIX and sFlow v5, without capturing packets.
To a collector on loopback each exporter sends from an address of its own, from 127.0.0.2 on. Exporters tell
their sampling and the names of their interfaces; hosts, ports and sizes are distributed as in networks. At the end it
writes as JSON how many datagrams, flows, octets and packets each exporter sent, and which faults it had.
The same seed makes the same flows.`,
		Example: `  weir generate --to 127.0.0.1:2055 --rate 100000 --duration 1m
  weir generate --to 127.0.0.1:4739 --protocol ipfix --exporters 1 --count 1000000 --rate 0
  weir generate --to 127.0.0.1:2055 --loss 0.01 --reorder 0.01 --restart-every 30s
  weir generate --to 127.0.0.1:2055 --day 10m --flood 198.51.100.10 --flood-share 0.4 --flood-after 2m --flood-for 1m
  weir generate --networks > networks.yaml    # for enrich: names, countries and AS numbers of all hosts`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if networks {
				return traffic.WriteNetworks(cmd.OutOrStdout())
			}
			if err := setAddresses(cmd.Flags(), &cfg, sources); err != nil {
				return err
			}
			if cfg.To, err = collectorAddress(to); err != nil {
				return misuse("--to: %v", err)
			}
			cfg.Protocols = nil
			for _, p := range protocols {
				cfg.Protocols = append(cfg.Protocols, traffic.Protocol(p))
			}
			load, err := traffic.NewLoad(cfg)
			if err != nil {
				return misuse("%v", err)
			}
			defer load.Close()
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return generate(ctx, load, cfg.Sampling, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&to, "to", cfg.To.String(), "collector, `host:port`")
	f.StringSliceVar(&protocols, "protocol", []string{"v5", "v9", "ipfix", "sflow"}, "what the exporters speak, in turn")
	f.IntVar(&cfg.Exporters, "exporters", cfg.Exporters, "how many")
	f.Float64Var(&cfg.Rate, "rate", cfg.Rate, "flows per second of all together, 0: as many as possible")
	f.DurationVar(&cfg.Duration, "duration", 0, "how long, 0: until it is stopped")
	f.Uint64Var(&cfg.Count, "count", 0, "how many flows exactly, 0: no limit")
	f.StringSliceVar(&sources, "source", nil, "addresses of this machine that the exporters send from, one for each")
	f.DurationVar(&cfg.Day, "day", 0, "length of a day, in whose course the rate changes; --rate is that of the busiest hour")
	f.BoolVar(&networks, "networks", false, "send nothing, write the networks of the hosts, as enrich.network_files reads them")
	for name, attack := range map[string]*traffic.Attack{"scan": &cfg.Scan, "flood": &cfg.Flood} {
		f.String(name, "", map[string]string{"scan": "IPv4 address from which on ports are scanned", "flood": "IPv4 address that is flooded"}[name])
		f.Float64Var(&attack.Share, name+"-share", defaultShare, "share of the flows, 0 to 1")
		f.DurationVar(&attack.After, name+"-after", 0, "when it begins, from the start")
		f.DurationVar(&attack.For, name+"-for", 0, "how long it goes on, 0: to the end")
	}
	f.Uint64Var(&cfg.Seed, "seed", cfg.Seed, "the same seed makes the same flows")
	f.Uint32Var(&cfg.Sampling, "sampling", cfg.Sampling, "sampling interval that the exporters tell")
	f.DurationVar(&cfg.TemplateEvery, "template-every", cfg.TemplateEvery, "time after which templates are sent again")
	f.Float64Var(&cfg.Faults.Loss, "loss", 0, "share of datagrams that are lost, 0 to 1")
	f.Float64Var(&cfg.Faults.Duplicate, "duplicate", 0, "share of datagrams that are sent twice")
	f.Float64Var(&cfg.Faults.Reorder, "reorder", 0, "share of datagrams that are sent after the next")
	f.Float64Var(&cfg.Faults.WrongCount, "wrong-count", 0, "share of NetFlow v5 and v9 datagrams whose header counts one record too many")
	f.DurationVar(&cfg.Faults.LateTemplates, "late-templates", 0, "time from the start to the first templates")
	f.DurationVar(&cfg.Faults.RestartEvery, "restart-every", 0, "time after which exporters restart, with another port and sequence 0")
	f.BoolVar(&cfg.Faults.ReuseIDs, "reuse-ids", false, "swap the ids of the templates at each restart")
	return cmd
}

// defaultShare is that of an attack.
const defaultShare = 0.3

// setAddresses reads the addresses of sources and attacks. An attack without one is none.
func setAddresses(flags *pflag.FlagSet, cfg *traffic.LoadConfig, sources []string) error {
	for _, text := range sources {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return misuse("--source: %v", err)
		}
		cfg.Sources = append(cfg.Sources, a)
	}
	if len(sources) > 0 && !flags.Changed("exporters") {
		cfg.Exporters = len(sources)
	}
	for name, attack := range map[string]*traffic.Attack{"scan": &cfg.Scan, "flood": &cfg.Flood} {
		text := flags.Lookup(name).Value.String()
		if text == "" {
			*attack = traffic.Attack{}
			continue
		}
		var err error
		if attack.Target, err = netip.ParseAddr(text); err != nil {
			return misuse("--%s: %v", name, err)
		}
	}
	return nil
}

// generate runs a load and writes what it sent.
func generate(ctx context.Context, load *traffic.Load, sampling uint32, w io.Writer) error {
	start := time.Now()
	if err := load.Run(ctx); err != nil {
		return err
	}
	report := struct {
		Seconds   float64        `json:"seconds"`
		Sampling  uint32         `json:"sampling"`
		Total     traffic.Counts `json:"total"`
		Exporters []traffic.Sent `json:"exporters"`
	}{Seconds: time.Since(start).Seconds(), Sampling: sampling, Exporters: load.Sent()}
	for _, s := range report.Exporters {
		report.Total.Add(s.Counts)
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(report)
}
