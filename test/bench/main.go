// SPDX-License-Identifier: Apache-2.0

// Command bench measures the whole of weir up on this machine: flows from the UDP
// socket to rows in ClickHouse, and what a flow costs each process.
//
//	bench [-rate N] [-duration D] bin/weir
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"text/tabwriter"
	"time"

	"github.com/weirflow/weir/test/traffic"
)

func main() {
	rate := flag.Float64("rate", 200_000, "flows per second to send")
	duration := flag.Duration("duration", 30*time.Second, "how long to send")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: bench [-rate N] [-duration D] bin/weir")
		os.Exit(2)
	}
	if err := run(context.Background(), flag.Arg(0), *rate, *duration); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, program string, rate float64, duration time.Duration) error {
	dir, err := os.MkdirTemp("", "weir-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w, err := startWeir(ctx, program, dir)
	if err != nil {
		return err
	}
	defer w.stop()
	if _, err := w.awaitRows(ctx, 0, time.Minute); err != nil {
		return err
	}
	load, err := newLoad(w.flows, rate, duration)
	if err != nil {
		return err
	}
	defer load.Close()

	fmt.Fprintf(os.Stderr, "sending %.0f flows a second for %v\n", rate, duration)
	before, began := w.cpu(), time.Now()
	if err := load.Run(ctx); err != nil {
		return err
	}
	sent, sending := total(load), time.Since(began)
	rows, err := w.awaitRows(ctx, sent.Flows, time.Minute)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	report(os.Stdout, result{sent: sent, rows: rows, sending: sending, arriving: time.Since(began), cpu: w.cpu().since(before)})
	return nil
}

func newLoad(to netip.AddrPort, rate float64, duration time.Duration) (*traffic.Load, error) {
	cfg := traffic.DefaultLoadConfig()
	cfg.To, cfg.Rate, cfg.Duration = to, rate, duration
	return traffic.NewLoad(cfg)
}

func total(load *traffic.Load) (sum traffic.Counts) {
	for _, s := range load.Sent() {
		sum.Add(s.Counts)
	}
	return sum
}

// result is one measurement.
type result struct {
	sent              traffic.Counts
	rows              uint64
	sending, arriving time.Duration
	cpu               cpuTimes
}

func report(out io.Writer, r result) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "sent\t%d flows in %d datagrams\t%.0f flows/s\n", r.sent.Flows, r.sent.Datagrams, float64(r.sent.Flows)/r.sending.Seconds())
	fmt.Fprintf(w, "in ClickHouse\t%d rows\t%.0f flows/s, socket to row\n", r.rows, float64(r.rows)/r.arriving.Seconds())
	fmt.Fprintf(w, "lost\t%d\t\n", int64(r.sent.Flows)-int64(r.rows)) //nolint:gosec // far below 2^63
	for _, p := range []struct {
		name string
		time time.Duration
	}{{"CPU of weir", r.cpu.weir}, {"CPU of ClickHouse", r.cpu.clickhouse}, {"CPU of the load", r.cpu.self}} {
		fmt.Fprintf(w, "%s\t%.1f s\t%.2f µs/flow\n", p.name, p.time.Seconds(), float64(p.time.Nanoseconds())/1000/float64(max(r.rows, 1)))
	}
	_ = w.Flush()
}
