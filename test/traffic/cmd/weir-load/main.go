// SPDX-License-Identifier: Apache-2.0

// Command weir-load sends made-up flows to a collector and tells exactly what it sent.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/weirflow/weir/test/traffic"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "weir-load: %v\n", err)
		os.Exit(1)
	}
}

func run(w io.Writer) error {
	cfg := traffic.DefaultLoadConfig()
	to := flag.String("to", cfg.To.String(), "collector, `host:port`")
	protocols := flag.String("protocol", "v5,v9,ipfix,sflow", "what the exporters speak, in turn")
	flag.IntVar(&cfg.Exporters, "exporters", cfg.Exporters, "how many; to loopback they send from 127.0.0.2 on")
	flag.Float64Var(&cfg.Rate, "rate", cfg.Rate, "flows per second, 0 for as many as possible")
	flag.DurationVar(&cfg.Duration, "duration", 0, "how long, 0 for ever")
	flag.Uint64Var(&cfg.Count, "count", 0, "how many flows exactly, 0 for no limit")
	flag.Uint64Var(&cfg.Seed, "seed", cfg.Seed, "the same seed makes the same flows")
	sampling := flag.Uint("sampling", uint(cfg.Sampling), "sampling interval that the exporters tell")
	asJSON := flag.Bool("json", false, "write totals as JSON")
	flag.Parse()

	var err error
	if cfg.To, err = resolve(*to); err != nil {
		return err
	}
	cfg.Protocols = nil
	for p := range strings.SplitSeq(*protocols, ",") {
		cfg.Protocols = append(cfg.Protocols, traffic.Protocol(strings.TrimSpace(p)))
	}
	cfg.Sampling = uint32(min(*sampling, 1<<31)) //nolint:gosec // checked by NewLoad
	load, err := traffic.NewLoad(cfg)
	if err != nil {
		return err
	}
	defer load.Close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	start := time.Now()
	if err := load.Run(ctx); err != nil {
		return err
	}
	return report(w, load.Sent(), time.Since(start), cfg.Sampling, *asJSON)
}

// resolve looks the collector's name up.
func resolve(to string) (netip.AddrPort, error) {
	addr, err := net.ResolveUDPAddr("udp", to)
	if err != nil {
		return netip.AddrPort{}, err
	}
	a := addr.AddrPort()
	if addr.IP == nil { // ":2055"
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port()), nil
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), nil
}

func report(w io.Writer, sent []traffic.Sent, took time.Duration, sampling uint32, asJSON bool) error {
	var total traffic.Counts
	for _, s := range sent {
		total.Add(s.Counts)
	}
	if asJSON {
		return json.NewEncoder(w).Encode(struct {
			Seconds   float64        `json:"seconds"`
			Sampling  uint32         `json:"sampling"`
			Total     traffic.Counts `json:"total"`
			Exporters []traffic.Sent `json:"exporters"`
		}{took.Seconds(), sampling, total, sent})
	}
	for _, s := range sent {
		fmt.Fprintf(w, "%-15v %-5s %10d datagrams %12d flows %16d bytes %14d packets\n",
			s.Exporter, s.Protocol, s.Datagrams, s.Flows, s.Bytes, s.Packets)
	}
	fmt.Fprintf(w, "sent %d flows in %d datagrams in %.2f s: %.0f flows/s\n",
		total.Flows, total.Datagrams, took.Seconds(), float64(total.Flows)/took.Seconds())
	return nil
}
