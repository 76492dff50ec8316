// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/services/decode/internal/datagram"
	"github.com/weirflow/weir/services/decode/internal/held"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/row"
)

type metrics struct {
	datagrams   [row.NumTypes]prometheus.Counter
	flows       [row.NumTypes]prometheus.Counter
	refused     [len(refusal.Counts{})]prometheus.Counter
	templates   prometheus.Counter
	stateWrites prometheus.Counter
	sequences   *sequences
	held        [held.NumOutcomes]prometheus.Counter
	heldSets    *prometheus.GaugeVec
	heldBytes   *prometheus.GaugeVec
	heldSince   *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	datagrams := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weir_decode_datagrams_total", Help: "Datagrams by protocol.",
	}, []string{"protocol"})
	flows := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weir_decode_flows_total", Help: "Flows by protocol of their datagram.",
	}, []string{"protocol"})
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weir_decode_refused_total", Help: "Datagrams, sets, templates, samples and records left out, by reason.",
	}, []string{"reason"})
	m := &metrics{
		templates: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_decode_templates_learned_total", Help: "Templates and options templates that were new or changed.",
		}),
		stateWrites: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_decode_state_writes_total", Help: "Times that the state of an exporter was written.",
		}),
		sequences: newSequences(reg),
	}
	for kind := range m.datagrams {
		name := row.Type(kind).String() //nolint:gosec // below NumTypes
		m.datagrams[kind] = datagrams.WithLabelValues(name)
		m.flows[kind] = flows.WithLabelValues(name)
	}
	for reason := range m.refused {
		m.refused[reason] = refused.WithLabelValues(refusal.Reason(reason).String()) //nolint:gosec // of the list
	}
	m.newHeld(reg)
	reg.MustRegister(datagrams, flows, refused, m.templates, m.stateWrites)
	return m
}

// add adds what a decoder has counted.
func (m *metrics) add(c datagram.Counts) {
	addAll(m.datagrams[:], c.Datagrams[:])
	addAll(m.flows[:], c.Flows[:])
	addAll(m.refused[:], c.Refused[:])
	addAll(m.held[:], c.Held[:])
	m.templates.Add(float64(c.Templates))
	for i := range c.Health {
		m.sequences.add(&c.Health[i])
	}
}

func addAll(counters []prometheus.Counter, counts []uint64) {
	for i, n := range counts {
		if n != 0 {
			counters[i].Add(float64(n))
		}
	}
}

// newHeld makes the metrics of data sets that wait for their template.
func (m *metrics) newHeld(reg prometheus.Registerer) {
	outcomes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weir_decode_held_sets_total",
		Help: "Data sets without a template by outcome: held and released when it came; age, exporter_sets, exporter_bytes and bytes are limits for which they were given up.",
	}, []string{"outcome"})
	for outcome := range m.held {
		m.held[outcome] = outcomes.WithLabelValues(held.Outcome(outcome).String()) //nolint:gosec // of the list
	}
	m.heldSets = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "weir_decode_held_sets", Help: "Data sets that wait for their template.",
	}, []string{"partition"})
	m.heldBytes = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "weir_decode_held_bytes", Help: "Memory of data sets that wait for their template.",
	}, []string{"partition"})
	m.heldSince = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "weir_decode_held_oldest_timestamp_seconds", Help: "Since when the oldest data set waits for its template, Unix time; 0 where none waits.",
	}, []string{"partition"})
	reg.MustRegister(outcomes, m.heldSets, m.heldBytes, m.heldSince)
}

// heldGauges say what a partition holds.
type heldGauges struct{ sets, bytes, since prometheus.Gauge }

func (m *metrics) heldOf(p int) heldGauges {
	partition := strconv.Itoa(p)
	return heldGauges{m.heldSets.WithLabelValues(partition), m.heldBytes.WithLabelValues(partition), m.heldSince.WithLabelValues(partition)}
}

func (g heldGauges) set(store *held.Store) {
	g.sets.Set(float64(store.Sets()))
	g.bytes.Set(float64(store.Octets()))
	since := 0.0
	if oldest := store.Oldest(); oldest != nil {
		since = float64(oldest.TimeNs) / 1e9
	}
	g.since.Set(since)
}

// clear says that the partition is no longer this worker's.
func (g heldGauges) clear() {
	g.sets.Set(0)
	g.bytes.Set(0)
	g.since.Set(0)
}
