// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"slices"
	"testing"
	"time"
)

// sequences returns the sequence numbers and source ports of what a load with faults sends as
// IPFIX, and the template ids of each datagram.
func faults(t *testing.T, f Faults, p Protocol, change func(*LoadConfig)) (Sent, [][][]string) {
	t.Helper()
	Require(t, "tshark")
	r := record(t)
	cfg := DefaultLoadConfig()
	cfg.To, cfg.Protocols, cfg.Exporters, cfg.Rate, cfg.Count, cfg.Faults = r.addr(), []Protocol{p}, 1, 0, 4000, f
	change(&cfg)
	l := newLoad(t, cfg)
	if err := l.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows := tshark(t, r.stop(), r.addr().Port(), "cflow", "cflow.sequence", "cflow.octets", "udp.srcport", "cflow.template_id", "cflow.flowset_id")
	return l.Sent()[0], rows
}

func unchanged(*LoadConfig) {}

func TestFaultsAreCounted(t *testing.T) {
	t.Parallel()
	sent, rows := faults(t, Faults{Loss: 0.2, Duplicate: 0.1, Reorder: 0.1}, NetFlow9, unchanged)
	var got Counts
	var duplicated, reordered uint64
	seen := map[string]bool{}
	last := uint64(0)
	for _, row := range rows[1:] { // templates
		n := number(t, row[0][0])
		switch {
		case seen[row[0][0]]:
			duplicated++
			continue
		case n < last:
			reordered++
		}
		last = max(last, n)
		seen[row[0][0]] = true
		got.Add(Counts{Datagrams: 1, Flows: uint64(len(row[1])), Bytes: sum(t, row[1])})
	}
	if got.Datagrams != sent.Datagrams || got.Flows != sent.Flows || got.Bytes != sent.Bytes {
		t.Errorf("received %+v, sent %+v", got, sent.Counts)
	}
	if f := sent.Faults; f.Duplicated.Datagrams != duplicated || f.Reordered != reordered || f.Lost.Datagrams+got.Datagrams != (4000+flows9-1)/flows9 {
		t.Errorf("%d duplicated, %d reordered, sent %+v", duplicated, reordered, f)
	}
	if f := sent.Faults; f.Lost.Datagrams == 0 || duplicated == 0 || reordered == 0 {
		t.Errorf("a fault is missing: %+v", f)
	}
}

func TestTemplatesComeLate(t *testing.T) {
	t.Parallel()
	_, rows := faults(t, Faults{LateTemplates: 300 * time.Millisecond}, IPFIX, func(c *LoadConfig) {
		c.Rate, c.Count, c.Duration = 2000, 0, time.Second
	})
	first := slices.IndexFunc(rows, func(row [][]string) bool { return row[3] != nil })
	if first < 5 {
		t.Errorf("templates come as datagram %d, want them after 0.3 s", first)
	}
}

func TestExportersRestartFromAnotherPortWithOtherIDs(t *testing.T) {
	t.Parallel()
	sent, rows := faults(t, Faults{RestartEvery: 300 * time.Millisecond, ReuseIDs: true}, IPFIX, func(c *LoadConfig) {
		c.Rate, c.Count, c.Duration = 2000, 0, time.Second
	})
	ports, orders := map[string]bool{}, map[string]bool{}
	for _, row := range rows {
		if port := row[2][0]; !ports[port] {
			ports[port] = true
			if row[0][0] != "0" || row[3] == nil {
				t.Errorf("port %s begins with sequence %s, templates %v", port, row[0][0], row[3])
				continue
			}
			orders[row[3][0]] = true
		}
	}
	if uint64(len(ports)) != sent.Faults.Restarts+1 || len(ports) < 3 || len(orders) != 2 {
		t.Errorf("%d ports, %d restarts, first templates %v", len(ports), sent.Faults.Restarts, orders)
	}
}

func TestCountsAreWrong(t *testing.T) {
	t.Parallel()
	sent, _ := faults(t, Faults{WrongCount: 0.5}, NetFlow5, unchanged)
	if n := sent.Faults.WrongCounts; n < 20 || n > sent.Datagrams {
		t.Errorf("%d of %d counts were wrong", n, sent.Datagrams)
	}
}
