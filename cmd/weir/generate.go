// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/netip"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/offline"
	"github.com/weirflow/weir/test/traffic"
)

// generator is what the flags of generate say.
type generator struct {
	traffic.LoadConfig
	to                 string
	protocols, sources []string
	networks           bool
	rows               string
	direct             bool
	config             string
}

func newGenerate() *cobra.Command {
	g := &generator{LoadConfig: traffic.DefaultLoadConfig()}
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Send made-up flows to a collector and tell exactly what was sent",
		Long: `generate sends flows that it makes up, as NetFlow v5 and v9, IPFIX and sFlow v5, without capturing packets.
To a collector on loopback each exporter sends from an address of its own, from 127.0.0.2 on. Exporters tell
their sampling and the names of their interfaces; hosts, ports and sizes are distributed as in networks. At the end it
writes as JSON how many datagrams, flows, octets and packets each exporter sent, and which faults it had.
The same seed makes the same flows.

With --rows nothing is sent: the flows are written as decode prints them, a JSON object for each, and the
totals go to standard error. With --direct they are appended to the stream FLOWS of a pipeline, without
datagrams, sockets and decode; the NATS server is that of the settings (WEIR_NATS_URL and so on, or --config).`,
		Example: `  weir generate --to 127.0.0.1:2055 --rate 100000 --duration 1m
  weir generate --to 127.0.0.1:4739 --protocol ipfix --exporters 1 --count 1000000 --rate 0
  weir generate --to 127.0.0.1:2055 --loss 0.01 --reorder 0.01 --restart-every 30s
  weir generate --to 127.0.0.1:2055 --day 10m --flood 198.51.100.10 --flood-share 0.4 --flood-after 2m --flood-for 1m
  weir generate --rows json --rate 10         # rows for other consumers, without a collector
  weir generate --networks > networks.yaml    # for enrich: names, countries and AS numbers of all hosts`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if g.networks {
				return traffic.WriteNetworks(cmd.OutOrStdout())
			}
			return g.run(cmd)
		},
	}
	g.flags(cmd.Flags())
	return cmd
}

func (g *generator) flags(f *pflag.FlagSet) {
	f.StringVar(&g.to, "to", g.To.String(), "collector, `host:port`")
	f.StringSliceVar(&g.protocols, "protocol", []string{"v5", "v9", "ipfix", "sflow"}, "what the exporters speak, in turn")
	f.IntVar(&g.Exporters, "exporters", g.Exporters, "how many")
	f.StringSliceVar(&g.sources, "source", nil, "addresses of this machine that the exporters send from, one for each")
	f.Float64Var(&g.Rate, "rate", g.Rate, "flows per second of all together, 0: as many as possible")
	f.DurationVar(&g.Day, "day", 0, "length of a day, in whose course the rate changes; --rate is that of the busiest hour")
	f.DurationVar(&g.Duration, "duration", 0, "how long, 0: until it is stopped")
	f.Uint64Var(&g.Count, "count", 0, "how many flows exactly, 0: no limit")
	f.Uint64Var(&g.Seed, "seed", g.Seed, "the same seed makes the same flows")
	f.Uint32Var(&g.Sampling, "sampling", g.Sampling, "sampling interval that the exporters tell")
	f.DurationVar(&g.TemplateEvery, "template-every", g.TemplateEvery, "time after which templates are sent again")
	f.StringVar(&g.rows, "rows", "", "send nothing, write the flows: json or neutral, as decode does")
	f.BoolVar(&g.direct, "direct", false, "send no datagrams, append the flows to the stream FLOWS of nats.url")
	f.StringVar(&g.config, "config", "", "with --direct: YAML file with the settings (WEIR_CONFIG)")
	f.BoolVar(&g.networks, "networks", false, "send nothing, write the networks of the hosts, as enrich.network_files reads them")
	for name, attack := range g.attacks() {
		f.String(name, "", map[string]string{"scan": "IPv4 address from which on ports are scanned", "flood": "IPv4 address that is flooded"}[name])
		f.Float64Var(&attack.Share, name+"-share", defaultShare, "share of the flows, 0 to 1")
		f.DurationVar(&attack.After, name+"-after", 0, "when it begins, from the start")
		f.DurationVar(&attack.For, name+"-for", 0, "how long it goes on, 0: to the end")
	}
	f.Float64Var(&g.Faults.Loss, "loss", 0, "share of datagrams that are lost, 0 to 1")
	f.Float64Var(&g.Faults.Duplicate, "duplicate", 0, "share of datagrams that are sent twice")
	f.Float64Var(&g.Faults.Reorder, "reorder", 0, "share of datagrams that are sent after the next")
	f.Float64Var(&g.Faults.WrongCount, "wrong-count", 0, "share of NetFlow v5 and v9 datagrams whose header counts one record too many")
	f.DurationVar(&g.Faults.LateTemplates, "late-templates", 0, "time from the start to the first templates")
	f.DurationVar(&g.Faults.RestartEvery, "restart-every", 0, "time after which exporters restart, with another port and sequence 0")
	f.BoolVar(&g.Faults.ReuseIDs, "reuse-ids", false, "swap the ids of the templates at each restart")
}

func (g *generator) attacks() map[string]*traffic.Attack {
	return map[string]*traffic.Attack{"scan": &g.Scan, "flood": &g.Flood}
}

// defaultShare is that of an attack.
const defaultShare = 0.3

// addresses reads those of the collector, of sources and of attacks. An attack without one is none.
func (g *generator) addresses(flags *pflag.FlagSet) (err error) {
	if g.To, err = collectorAddress(g.to); err != nil {
		return misuse("--to: %v", err)
	}
	for _, text := range g.sources {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return misuse("--source: %v", err)
		}
		g.Sources = append(g.Sources, a)
	}
	if len(g.sources) > 0 && !flags.Changed("exporters") {
		g.Exporters = len(g.sources)
	}
	for name, attack := range g.attacks() {
		text := flags.Lookup(name).Value.String()
		if text == "" {
			*attack = traffic.Attack{}
			continue
		}
		if attack.Target, err = netip.ParseAddr(text); err != nil {
			return misuse("--%s: %v", name, err)
		}
	}
	return nil
}

// run sends the flows, or writes them as rows, and then writes what was sent.
func (g *generator) run(cmd *cobra.Command) error {
	if err := g.addresses(cmd.Flags()); err != nil {
		return err
	}
	g.Protocols = nil
	for _, p := range g.protocols {
		g.Protocols = append(g.Protocols, traffic.Protocol(p))
	}
	if g.direct {
		return g.runDirect(cmd)
	}
	finish, report := allSent, cmd.OutOrStdout()
	if g.rows != "" {
		out := bufio.NewWriter(cmd.OutOrStdout())
		if err := g.deliverRows(out); err != nil {
			return err
		}
		finish, report = out.Flush, cmd.ErrOrStderr()
	}
	load, err := traffic.NewLoad(g.LoadConfig)
	if err != nil {
		return misuse("%v", err)
	}
	defer load.Close()
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return generate(ctx, load, g.Sampling, finish, report)
}

// deliverRows has the datagrams decoded here and printed.
func (g *generator) deliverRows(out *bufio.Writer) error {
	form, ok := forms[g.rows]
	if !ok {
		return misuse("--rows %q: want json or neutral", g.rows)
	}
	d, err := offline.NewDecoder(offline.DefaultConfig())
	if err != nil {
		return err
	}
	g.Deliver = func(exporter netip.Addr, payload []byte) error {
		datagram := flow.Datagram{
			Exporter: exporter, Source: netip.AddrPortFrom(exporter, g.To.Port()), ListenerPort: g.To.Port(),
			ReceivedNs: uint64(time.Now().UnixNano()), Payload: payload, //nolint:gosec // after 1970
		}
		err := d.Datagram(&datagram, func(f offline.Flows) error { return printFlows(out, form, f) })
		if err != nil || g.Rate == 0 {
			return err
		}
		return out.Flush() // for who follows it
	}
	return nil
}

func allSent() error { return nil }

// generate runs a load, has finish send what is left, and writes what was sent.
func generate(ctx context.Context, load *traffic.Load, sampling uint32, finish func() error, w io.Writer) error {
	start := time.Now()
	if err := cmp.Or(load.Run(ctx), finish()); err != nil {
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
