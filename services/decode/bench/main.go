// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/netip"
	"os"
	"testing"
	"text/tabwriter"
)

// exporter sends all datagrams.
var exporter = netip.MustParseAddrPort("192.0.2.1:40000")

const (
	batch  = 40 // datagrams that are decoded into one batch
	rounds = 5  // of which the fastest counts: what else the machine does only slows down
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tweir ns/flow\tallocs/flow\tGoFlow2 ns/flow\tallocs/flow\tratio\t")
	for _, c := range []struct {
		name      string
		template  []byte
		datagrams [][]byte
	}{
		{"NetFlow v9, 23 fields, 25 flows a datagram", template9(), repeat(netFlow9)},
		{"IPFIX, 23 fields, 25 flows a datagram", template10(), repeat(ipfix)},
		{"sFlow v5, Ethernet IPv4 TCP, 7 flows a datagram", nil, repeat(sflow)},
	} {
		ours, err := newWeir(c.template, c.datagrams)
		if err != nil {
			return fmt.Errorf("weir, %s: %w", c.name, err)
		}
		theirs, err := newGoFlow2(c.template, c.datagrams)
		if err != nil {
			return fmt.Errorf("GoFlow2, %s: %w", c.name, err)
		}
		if ours.flows != theirs.flows {
			return fmt.Errorf("%s: weir has %d flows, GoFlow2 %d", c.name, ours.flows, theirs.flows)
		}
		var a, b figure
		for range rounds {
			a, b = a.better(ours.measure()), b.better(theirs.measure())
		}
		fmt.Fprintf(w, "%s\t%.0f\t%.3f\t%.0f\t%.1f\t%.1f\t\n", c.name, a.ns, a.allocs, b.ns, b.allocs, b.ns/a.ns)
	}
	return w.Flush()
}

func repeat(make func(n int) []byte) [][]byte {
	var all [][]byte
	for n := range batch {
		all = append(all, make(n))
	}
	return all
}

// subject decodes all datagrams again and again.
type subject struct {
	flows int // of one run
	run   func()
}

// figure is what one flow costs.
type figure struct {
	ns, allocs float64
}

func (s subject) measure() figure {
	r := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.run()
		}
	})
	flows := float64(s.flows) * float64(r.N)
	return figure{float64(r.T.Nanoseconds()) / flows, float64(r.MemAllocs) / flows}
}

func (f figure) better(o figure) figure {
	if f.ns != 0 && f.ns < o.ns {
		return f
	}
	return o
}
