// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/weirflow/weir/bus"
)

// stages read a stream, in the order in which a flow passes them.
func stages() []string { return []string{bus.Decode, bus.Enrich, bus.Aggregate, bus.Insert} }

// numbers are sums of what /metrics shows.
type numbers struct {
	datagrams, flows, rows float64
	lag                    map[string]float64 // messages that wait, by stage
	read                   map[string]float64 // messages read, by stage
}

// gather sums the metrics. What nobody has registered yet counts as zero.
func gather(g prometheus.Gatherer) (numbers, error) {
	families, err := g.Gather()
	if err != nil {
		return numbers{}, fmt.Errorf("gather metrics: %w", err)
	}
	n := numbers{lag: map[string]float64{}, read: map[string]float64{}}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			n.add(f.GetName(), m)
		}
	}
	return n, nil
}

func (n *numbers) add(name string, m *dto.Metric) {
	switch name {
	case "weir_ingest_received_datagrams_total":
		n.datagrams += m.GetCounter().GetValue()
	case "weir_decode_flows_total":
		n.flows += m.GetCounter().GetValue()
	case "weir_insert_rows_total":
		if label(m, "table") == "flows" {
			n.rows += m.GetCounter().GetValue()
		}
	case "weir_bus_lag_messages":
		n.lag[label(m, "service")] += m.GetGauge().GetValue()
	case "weir_bus_read_messages_total":
		n.read[label(m, "service")] += m.GetCounter().GetValue()
	}
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// statusLine says what went through since the start, the rates since before and
// how many messages wait in front of each stage.
func statusLine(now time.Time, n, before numbers, since time.Duration) string {
	var b strings.Builder
	b.WriteString(now.Format(time.TimeOnly))
	for _, c := range []struct {
		name       string
		now, until float64
	}{
		{"datagrams", n.datagrams, before.datagrams},
		{"flows", n.flows, before.flows},
		{"rows", n.rows, before.rows},
	} {
		fmt.Fprintf(&b, "  %s %s", c.name, grouped(c.now))
		if rate := (c.now - c.until) / since.Seconds(); rate >= 0.5 {
			fmt.Fprintf(&b, " (%s/s)", grouped(rate))
		}
	}
	b.WriteString("  lag")
	for _, stage := range stages() {
		fmt.Fprintf(&b, " %s %s", stage, grouped(n.lag[stage]))
	}
	return b.String()
}

// grouped writes a whole number with a space between thousands.
func grouped(f float64) string {
	digits := fmt.Sprintf("%.0f", f)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(d)
	}
	return b.String()
}
