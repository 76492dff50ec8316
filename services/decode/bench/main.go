// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"runtime/pprof"
	"syscall"
	"text/tabwriter"
	"time"
)

// exporter sends all datagrams.
var exporter = netip.MustParseAddrPort("192.0.2.1:40000")

const (
	batch    = 40 // datagrams that are decoded into one batch
	rounds   = 8  // of which the fastest counts: what else the machine does only slows down
	duration = 250 * time.Millisecond
)

func main() {
	profile := flag.String("cpuprofile", "", "file for a CPU profile of weir's part")
	flag.Parse()
	if err := run(*profile); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(profile string) error {
	var all []subject
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tweir ns/flow\tallocs/flow\tGoFlow2 ns/flow\tallocs/flow\tratio\t")
	for _, c := range []struct {
		name      string
		told      [][]byte // before
		datagrams [][]byte
	}{
		{"NetFlow v9, 23 fields, 25 flows a datagram", template9(), repeat(netFlow9)},
		{"IPFIX, 23 fields, 25 flows a datagram", template10(), repeat(ipfix)},
		{"the same, with names of its interfaces", named(), repeat(ipfix)},
		{"sFlow v5, Ethernet IPv4 TCP, 7 flows a datagram", nil, repeat(sflow)},
	} {
		ours, err := newWeir(c.told, c.datagrams)
		if err != nil {
			return fmt.Errorf("weir, %s: %w", c.name, err)
		}
		theirs, err := newGoFlow2(c.told, c.datagrams)
		if err != nil {
			return fmt.Errorf("GoFlow2, %s: %w", c.name, err)
		}
		if ours.flows != theirs.flows {
			return fmt.Errorf("%s: weir has %d flows, GoFlow2 %d", c.name, ours.flows, theirs.flows)
		}
		all = append(all, ours)
		var a, b figure
		for range rounds {
			a, b = a.better(ours.measure()), b.better(theirs.measure())
		}
		fmt.Fprintf(w, "%s\t%.0f\t%.3f\t%.0f\t%.1f\t%.1f\t\n", c.name, a.ns, a.allocs, b.ns, b.allocs, b.ns/a.ns)
	}
	if err := w.Flush(); err != nil || profile == "" {
		return err
	}
	return profileOf(all, profile)
}

// profileOf writes a CPU profile of subjects.
func profileOf(all []subject, name string) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	for _, s := range all {
		for range rounds {
			s.measure()
		}
	}
	return nil
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

// measure runs the subject for a while. It takes the processor time of the process, garbage
// collection included, and not the time on the clock: other processes take no part in it.
func (s subject) measure() figure {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start, n := processorTime(), 0
	for end := time.Now().Add(duration); time.Now().Before(end); n++ {
		s.run()
	}
	used := processorTime() - start
	runtime.ReadMemStats(&after)
	flows := float64(s.flows * n)
	return figure{float64(used.Nanoseconds()) / flows, float64(after.Mallocs-before.Mallocs) / flows}
}

// processorTime is the time that all threads of this process have run.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (f figure) better(o figure) figure {
	if f.ns != 0 && f.ns < o.ns {
		return f
	}
	return o
}
