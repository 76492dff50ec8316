// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"net/netip"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/services/decode/internal/datagram"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/row"
)

const (
	// maxGapExporters bounds the values of the label exporter; the others share one.
	maxGapExporters = 1000
	otherExporters  = "other"
)

type metrics struct {
	datagrams    [row.NumTypes]prometheus.Counter
	flows        [row.NumTypes]prometheus.Counter
	refused      [len(refusal.Counts{})]prometheus.Counter
	templates    prometheus.Counter
	stateWrites  prometheus.Counter
	sequenceGaps *prometheus.CounterVec

	mu     sync.Mutex
	labels map[netip.Addr]prometheus.Counter
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
		sequenceGaps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_decode_sequence_gaps_total", Help: "Gaps in the sequence numbers of an exporter.",
		}, []string{"exporter"}),
		labels: make(map[netip.Addr]prometheus.Counter),
	}
	for kind := range m.datagrams {
		name := row.Type(kind).String() //nolint:gosec // below NumTypes
		m.datagrams[kind] = datagrams.WithLabelValues(name)
		m.flows[kind] = flows.WithLabelValues(name)
	}
	for reason := range m.refused {
		m.refused[reason] = refused.WithLabelValues(refusal.Reason(reason).String()) //nolint:gosec // of the list
	}
	reg.MustRegister(datagrams, flows, refused, m.templates, m.stateWrites, m.sequenceGaps)
	return m
}

// add adds what a decoder has counted.
func (m *metrics) add(c datagram.Counts) {
	addAll(m.datagrams[:], c.Datagrams[:])
	addAll(m.flows[:], c.Flows[:])
	addAll(m.refused[:], c.Refused[:])
	m.templates.Add(float64(c.Templates))
	for exporter, n := range c.Gaps {
		m.gap(exporter).Add(float64(n))
	}
}

func addAll(counters []prometheus.Counter, counts []uint64) {
	for i, n := range counts {
		if n != 0 {
			counters[i].Add(float64(n))
		}
	}
}

// gap returns the counter of an exporter.
func (m *metrics) gap(exporter netip.Addr) prometheus.Counter {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.labels[exporter]
	switch {
	case ok:
	case len(m.labels) < maxGapExporters:
		c = m.sequenceGaps.WithLabelValues(exporter.String())
		m.labels[exporter] = c
	default:
		c = m.sequenceGaps.WithLabelValues(otherExporters)
	}
	return c
}
