// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"net"
	"net/netip"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/services/probe/replay"
)

func newReplay() *cobra.Command {
	var cfg replay.Config
	var to string
	var ports []uint
	cmd := &cobra.Command{
		Use:   "replay-pcap FILE",
		Short: "Send the flow datagrams of a capture to a collector",
		Long: `replay-pcap sends the NetFlow, IPFIX and sFlow datagrams of a pcap or pcapng file to a collector, as they
are. To a collector on loopback each exporter of the capture sends from an address of its own, from
127.0.0.2 on, and with the port that it had, if that is free. At the end it writes as JSON what it sent.`,
		Example: "  weir replay-pcap routers.pcap --to 127.0.0.1:2055 --speed 10",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			cfg.File = args[0]
			if cfg.Speed < 0 {
				return misuse("--speed: is %v, want 0 or more", cfg.Speed)
			}
			for _, p := range ports {
				if p == 0 || p > 65535 {
					return misuse("--port: is %d, want 1 to 65535", p)
				}
				cfg.Ports = append(cfg.Ports, uint16(p))
			}
			if cfg.To, err = collectorAddress(to); err != nil {
				return misuse("--to: %v", err)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			report, err := replay.Run(ctx, cfg)
			if err != nil {
				return err
			}
			out := json.NewEncoder(cmd.OutOrStdout())
			out.SetIndent("", "  ")
			return out.Encode(report)
		},
	}
	cmd.Flags().StringVar(&to, "to", "127.0.0.1:2055", "collector, `host:port`")
	cmd.Flags().Float64Var(&cfg.Speed, "speed", 1, "1: as captured, 10: ten times faster, 0: as fast as possible")
	cmd.Flags().UintSliceVar(&ports, "port", nil, "only datagrams to these `ports`; without: all that begin like flow export")
	return cmd
}

// collectorAddress looks a collector's name up. Without a host it is this machine.
func collectorAddress(to string) (netip.AddrPort, error) {
	addr, err := net.ResolveUDPAddr("udp", to)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port := addr.AddrPort().Port()
	if addr.IP == nil {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port), nil
	}
	return netip.AddrPortFrom(addr.AddrPort().Addr().Unmap(), port), nil
}
