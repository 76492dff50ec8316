// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// sum is what the generator has made of a key, scaled by sampling once.
type sum struct{ bytes, packets, flows float64 }

// add sums up flows by a key; those with an empty key are left out.
func add(flows []demoFlow, key func(f *demoFlow) string) map[string]sum {
	sums := map[string]sum{}
	for i := range flows {
		f := &flows[i]
		if k := key(f); k != "" {
			s := sums[k]
			s.bytes += float64(f.bytesScaled())
			s.packets += float64(f.packetsScaled())
			s.flows++
			sums[k] = s
		}
	}
	return sums
}

// once leaves the duplicates out.
func once(key func(f *demoFlow) string) func(f *demoFlow) string {
	return func(f *demoFlow) string {
		if f.duplicate != 0 {
			return ""
		}
		return key(f)
	}
}

func everything(*demoFlow) string { return "all" }

func protocol(f *demoFlow) string { return map[uint8]string{1: "ICMP", 6: "TCP", 17: "UDP"}[f.proto] }

// ports are the demo services by their names at IANA.
func ports(f *demoFlow) string {
	return protocol(f) + " " + map[uint16]string{0: "0", 22: "ssh", 25: "smtp", 53: "domain", 80: "http", 443: "https"}[min(f.srcPort, f.dstPort)]
}

// exporterTitle is how dashboards call an exporter.
func exporterTitle(f *demoFlow) string {
	if f.exporter.name == "" {
		return f.exporter.addr.String()
	}
	return f.exporter.name
}

// panelOf runs the query of a panel.
func (s *store) panelOf(t *testing.T, a asked, name string) answer {
	t.Helper()
	uid, title, _ := strings.Cut(name, "/")
	for _, b := range boards(t) {
		for _, p := range b.Panels {
			if b.UID == uid && p.Title == title {
				return s.ask(t, a, p.Targets[0].RawSQL)
			}
		}
	}
	t.Fatalf("there is no panel %s", name)
	return answer{}
}

func same(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-6*math.Abs(want) {
		t.Errorf("%s: %v, the generator says %v", what, got, want)
	}
}

// compareSums checks columns bytes, packets and flow count of a table; limit is the rows it has at most.
func compareSums(t *testing.T, got answer, want map[string]sum, limit int, keys ...string) {
	t.Helper()
	if len(got.rows) != min(limit, len(want)) {
		t.Errorf("%d rows, the generator says %d", len(got.rows), len(want))
	}
	for row := range got.rows {
		var parts []string
		for _, k := range keys {
			parts = append(parts, got.text(row, got.column(t, k)))
		}
		key := strings.Join(parts, " ")
		same(t, "bytes of "+key, got.number(t, row, "bytes"), want[key].bytes)
		same(t, "packets of "+key, got.number(t, row, "packets"), want[key].packets)
		same(t, "flows of "+key, got.number(t, row, "flow count"), want[key].flows)
	}
}

// compareSeries checks that a graph of bits a second adds up to bytes: points are seconds apart, and the text
// of a series is its name and its total.
func compareSeries(t *testing.T, got answer, seconds float64, want map[string]sum) {
	t.Helper()
	total := map[string]float64{}
	for row := range got.rows {
		name, _, _ := strings.Cut(got.text(row, 1), ", ")
		total[name] += got.number(t, row, "bits/s") * seconds / 8
	}
	if len(total) != len(want) {
		t.Errorf("series %v, the generator says %v", total, want)
	}
	for name, s := range want {
		same(t, "bytes of "+name, total[name], s.bytes)
	}
}

// testNumbers: what panels show equals what the generator has added up by itself. All ranges are one hour less a second.
func (s *store) testNumbers(t *testing.T) {
	t.Helper()
	const seconds, minute = 3599.0, 60.0
	a := s.choices()
	all := add(s.flows, everything)["all"]

	t.Run("overview: rates of both days", func(t *testing.T) {
		got := s.panelOf(t, a, "weir-overview/Against a day and a week before")
		same(t, "now", got.number(t, 0, "now, bits/s"), all.bytes*8/seconds)
		same(t, "a day before", got.number(t, 0, "a day before, bits/s"), add(s.before, everything)["all"].bytes*8/seconds)
		packets := s.panelOf(t, a.with("unit", one("packets/s", "packets_scaled")), "weir-overview/Against a day and a week before")
		same(t, "packets", packets.number(t, 0, "now, packets/s"), all.packets/seconds)
	})
	t.Run("overview: protocols", func(t *testing.T) {
		compareSeries(t, s.panelOf(t, a, "weir-overview/By protocol"), minute, add(s.flows, protocol))
	})
	t.Run("overview: exporters", func(t *testing.T) {
		compareSeries(t, s.panelOf(t, a, "weir-overview/By exporter"), minute, add(s.flows, exporterTitle))
	})
	t.Run("overview: inputs of an interface", func(t *testing.T) {
		chosen := a.with("exporter", one("edge1.par", "10.255.0.1")).with("interface", one("1", "1")).with("direction", one("in", "0"))
		compareSeries(t, s.panelOf(t, chosen, "weir-overview/By protocol"), minute, add(s.flows, func(f *demoFlow) string {
			if f.exporter.name != "edge1.par" || f.inIf != 1 {
				return ""
			}
			return protocol(f)
		}))
	})
	t.Run("talkers: sources", func(t *testing.T) {
		compareSums(t, s.panelOf(t, a, "weir-talkers/Sources"), add(s.flows, once(func(f *demoFlow) string { return f.src.addr.String() })), 50, "source")
	})
	t.Run("talkers: conversations", func(t *testing.T) {
		compareSums(t, s.panelOf(t, a, "weir-talkers/Conversations"), add(s.flows, once(func(f *demoFlow) string {
			return f.src.addr.String() + " " + f.dst.addr.String() + " " + ports(f)
		})), 100, "source", "destination", "service")
	})
	t.Run("one host: both directions", func(t *testing.T) {
		compareSums(t, s.panelOf(t, a, "weir-host/Traffic"), map[string]sum{"": add(s.flows, once(func(f *demoFlow) string {
			if a.variables["host"].values[0] != f.src.addr.String() && a.variables["host"].values[0] != f.dst.addr.String() {
				return ""
			}
			return "host"
		}))["host"]}, 1)
	})
	t.Run("geography: countries", func(t *testing.T) {
		compareSums(t, s.panelOf(t, a, "weir-geography/Where traffic comes from"), add(s.flows, func(f *demoFlow) string { return f.src.country }), 300, "country")
	})
	t.Run("services", func(t *testing.T) {
		compareSums(t, s.panelOf(t, a, "weir-services/Services"), add(s.flows, ports), 100, "service")
	})
	t.Run("drops: forwarding status", func(t *testing.T) {
		compareSeries(t, s.panelOf(t, a, "weir-drops/Forwarding status"), minute, add(s.flows, func(f *demoFlow) string {
			return map[uint8]string{0: "unknown", 64: "forwarded", 130: "dropped: ACL drop"}[f.forwarding]
		}))
	})
	t.Run("drops: discarded packets", func(t *testing.T) {
		lost := 0.0
		for i := range s.flows {
			if f := &s.flows[i]; f.duplicate == 0 {
				lost += float64(f.lostBytes * f.rate())
			}
		}
		compareSeries(t, s.panelOf(t, a, "weir-drops/Discarded samples by reason"), a.interval.Seconds(), map[string]sum{"blackhole route": {bytes: lost}})
	})
	t.Run("exporter health: loss and sampling", func(t *testing.T) { s.testHealthNumbers(t) })
	t.Run("interfaces: percentile and counters", func(t *testing.T) { s.testInterfaceNumbers(t) })
}

func (s *store) testHealthNumbers(t *testing.T) {
	t.Helper()
	got := s.panelOf(t, s.choices(), "weir-exporters/Exporters")
	for row := range got.rows {
		want := 0.0
		if got.text(row, 0) == "edge2.par" {
			want = missingPerMinute / float64(datagramsOfMinute+missingPerMinute)
		}
		same(t, "loss of "+got.text(row, 0), got.number(t, row, "loss"), want)
		same(t, "datagrams of "+got.text(row, 0), got.number(t, row, "datagrams"), 60*datagramsOfMinute)
	}
	own := s.panelOf(t, s.choices(), "weir-exporters/What exporters count themselves")
	same(t, "not sent by "+own.text(0, 0), own.number(t, 0, "not sent packets"), 59*notSentPerMinute)
	sampling := s.panelOf(t, s.choices(), "weir-exporters/Sampling")
	want := add(s.flows, func(f *demoFlow) string {
		return fmt.Sprint(exporterTitle(f), " ", f.exporter.sampling, " ", f.exporter.sampling == 0)
	})
	if len(sampling.rows) != len(want) {
		t.Errorf("%d sampling intervals, the generator says %v", len(sampling.rows), want)
	}
	for row := range sampling.rows {
		key := fmt.Sprint(sampling.text(row, 0), " ", sampling.number(t, row, "one in"), " ", sampling.text(row, sampling.column(t, "origin")) == "unknown")
		same(t, key, sampling.number(t, row, "flow count"), want[key].flows)
	}
}

// testInterfaceNumbers: the 95th percentile is the twelfth of twelve five-minute averages by the nearest rank.
func (s *store) testInterfaceNumbers(t *testing.T) {
	t.Helper()
	key := func(f *demoFlow, index uint32, direction string) string {
		return fmt.Sprintf("%s %d %s", exporterTitle(f), index, direction)
	}
	rates := map[string][]float64{}
	for i := range s.flows {
		f := &s.flows[i]
		at := int(f.end.Sub(s.from) / (5 * time.Minute))
		for _, k := range []string{key(f, f.inIf, "in"), key(f, f.outIf, "out")} {
			if rates[k] == nil {
				rates[k] = make([]float64, 12)
			}
			rates[k][at] += float64(f.bytesScaled()) * 8 / 300
		}
	}
	got := s.panelOf(t, s.choices(), "weir-interfaces/Interfaces")
	found := 0
	for row := range got.rows {
		for _, direction := range []string{"in", "out"} {
			k := fmt.Sprintf("%s %s %s", got.text(row, 0), got.text(row, got.column(t, "interface")), direction)
			if rates[k] == nil {
				same(t, "rate of "+k, got.number(t, row, direction), 0)
				continue
			}
			found++
			slices.Sort(rates[k])
			same(t, "percentile of "+k, got.number(t, row, "p95 "+direction), rates[k][11])
		}
	}
	if found != len(rates) {
		t.Errorf("%d interfaces and directions, the generator says %d", found, len(rates))
	}
	s.testCounterNumbers(t)
}

// testCounterNumbers: rates from counters are the increases between samples, a new start left out.
func (s *store) testCounterNumbers(t *testing.T) {
	t.Helper()
	increase := map[uint32]float64{}
	var last counterSample
	for _, c := range s.samples {
		if c.index == last.index && c.in >= last.in {
			increase[c.index] += float64(c.in - last.in)
		}
		last = c
	}
	got := s.panelOf(t, s.choices(), "weir-interfaces/Flows beside counters")
	if len(got.rows) != lastInterface {
		t.Errorf("%d interfaces with counters, want %d", len(got.rows), lastInterface)
	}
	for row := range got.rows {
		index := uint32(got.number(t, row, "interface"))
		bits := increase[index] * 8 / (time.Hour - counterEvery).Seconds()
		same(t, fmt.Sprintf("counters of interface %d", index), got.number(t, row, "counters in"), bits)
		if bits > 0 {
			same(t, fmt.Sprintf("difference of interface %d", index), got.number(t, row, "difference in"), got.number(t, row, "in")/bits-1)
		}
	}
}
