// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

var victim = netip.MustParseAddr("198.51.100.10")

// TestAttacksAreWhatTheyAreCalled: tshark sees as many of their flows as are counted.
func TestAttacksAreWhatTheyAreCalled(t *testing.T) {
	t.Parallel()
	for _, p := range []Protocol{NetFlow5, NetFlow9, IPFIX} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			cfg := DefaultLoadConfig()
			cfg.Protocols, cfg.Rate, cfg.Count = []Protocol{p}, 0, 4000
			cfg.Scan, cfg.Flood = Attack{Share: 0.1, Target: netip.MustParseAddr("203.0.113.0")}, Attack{Share: 0.25, Target: victim}
			l, rows := load(t, cfg, "cflow", "cflow.srcaddr", "cflow.dstaddr", "cflow.dstport", "cflow.packets", "cflow.octets", "cflow.tcpflags", "cflow.flowset_id")
			var scan, flood Counts
			scanned := map[string]bool{}
			for _, row := range rows {
				for i, dst := range row[1] {
					c := Counts{Flows: 1, Packets: number(t, row[3][i]), Bytes: number(t, row[4][i])}
					switch {
					case dst == victim.String():
						flood.Add(c)
					case strings.HasPrefix(dst, "203.0."):
						scan.Add(c)
						scanned[dst+" "+row[2][i]] = true
						if c.Bytes != 40 || number(t, row[5][i]) != flagSYN {
							t.Errorf("a flow of a scan has %d octets and flags %s", c.Bytes, row[5][i])
						}
					}
				}
			}
			sent := l.Sent()[0]
			for name, pair := range map[string][2]Counts{"scan": {sent.Scan, scan}, "flood": {sent.Flood, flood}} {
				pair[0].Datagrams = 0 // of which tshark does not tell
				if pair[0] != pair[1] || pair[1].Flows == 0 {
					t.Errorf("%s: received %+v, counted %+v", name, pair[1], pair[0])
				}
			}
			share := float64(flood.Flows) / 4000
			if math.Abs(share-0.25) > 0.03 {
				t.Errorf("%.3f of the flows are of the flood, want 0.25", share)
			}
			if len(scanned) < int(scan.Flows)/2 {
				t.Errorf("%d flows of a scan went to %d places", scan.Flows, len(scanned))
			}
		})
	}
}

func TestAttackHasItsTime(t *testing.T) {
	t.Parallel()
	a := Attack{Share: 1, After: time.Minute, For: 2 * time.Minute}
	for elapsed, want := range map[time.Duration]bool{0: false, time.Minute: true, 3*time.Minute - 1: true, 3 * time.Minute: false} {
		if a.active(elapsed) != want {
			t.Errorf("%v after the start: active is %v", elapsed, !want)
		}
	}
	if a.For = 0; !a.active(time.Hour) {
		t.Error("an attack without an end ended")
	}
}

// TestDayHasItsCourse against sums over seconds.
func TestDayHasItsCourse(t *testing.T) {
	t.Parallel()
	midnight := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	const day, rate = 24 * time.Hour, 1000.0
	hour := func(h int) float64 {
		return flowsIn(day, rate, midnight.Add(time.Duration(h)*time.Hour), time.Hour)
	}
	var hours []float64
	for h := range 24 {
		hours = append(hours, hour(h))
	}
	if least, most := slices.Index(hours, slices.Min(hours)), slices.Index(hours, slices.Max(hours)); least != 3 && least != 4 || most != 15 && most != 16 {
		t.Errorf("hours %d and %d have the least and the most traffic, want those around 4 and 16", least, most)
	}
	var sum float64
	for s := range 24 * 3600 {
		at := 2 * math.Pi * (float64(s) + 0.5 - 4*3600) / (24 * 3600)
		sum += rate * (0.3 + 0.7*(1-math.Cos(at))/2)
	}
	if got := flowsIn(day, rate, midnight.Add(7*time.Hour), day); math.Abs(got-sum) > 1 {
		t.Errorf("a day has %.0f flows, want %.0f", got, sum)
	}
	if got := flowsIn(0, rate, midnight, time.Minute); got != 60*rate {
		t.Errorf("a minute at a constant rate has %v flows", got)
	}
}

func TestNetworksHoldEveryHost(t *testing.T) {
	t.Parallel()
	all := Networks()
	seen := map[netip.Prefix]bool{}
	for _, n := range all {
		if seen[n.IPv4] || seen[n.IPv6] {
			t.Errorf("network %v is there twice", n)
		}
		seen[n.IPv4], seen[n.IPv6] = true, true
	}
	for host := range uint64(hosts) {
		n := all[host/hostsPerAS]
		v4, v6 := address(host, false), address(host, true)
		if !n.IPv4.Contains(netip.AddrFrom4([4]byte(v4[12:]))) || !n.IPv6.Contains(netip.AddrFrom16(v6)) || n.AS != asOf(host) {
			t.Fatalf("host %d is not in %+v", host, n)
		}
	}
}

func TestSourcesAreThoseGiven(t *testing.T) {
	t.Parallel()
	r := record(t)
	cfg := DefaultLoadConfig()
	cfg.To, cfg.Exporters, cfg.Rate, cfg.Count = r.addr(), 4, 0, 4000
	for _, a := range []string{"127.9.0.1", "127.9.0.2", "127.9.0.3", "127.9.0.9"} {
		cfg.Sources = append(cfg.Sources, netip.MustParseAddr(a))
	}
	l := newLoad(t, cfg)
	if err := l.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, row := range tshark(t, r.stop(), r.addr().Port(), "cflow", "ip.src") {
		got[row[0][0]] = true
	}
	for i, s := range l.Sent() {
		if s.Exporter != cfg.Sources[i] || !got[s.Exporter.String()] {
			t.Errorf("exporter %d is %v and sent from %v, want %v", i, s.Exporter, got, cfg.Sources[i])
		}
	}
}
