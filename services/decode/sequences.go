// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"net/netip"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/flow"
)

const (
	// maxExporterLabels bounds the values of the label exporter; the others share one.
	maxExporterLabels = 1000
	otherExporters    = "other"
)

// sequences are the metrics of what the sequence numbers of exporters tell.
type sequences struct {
	gaps, missing, returned, samples, late, duplicates, resets *prometheus.CounterVec

	mu     sync.Mutex
	labels map[[16]byte]string
}

func newSequences(reg prometheus.Registerer) *sequences {
	s := &sequences{
		gaps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_decode_sequence_gaps_total", Help: "Gaps in the sequence numbers of an exporter.",
		}, []string{"exporter"}),
		missing: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_decode_sequence_missing_total", Help: "What is missing by the sequence numbers of an exporter: flows (NetFlow v5, v7, v8), datagrams (v9, sFlow) or records (IPFIX).",
		}, []string{"exporter"}),
		returned: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_decode_sequence_returned_total", Help: "What was counted as missing and came late.",
		}, []string{"exporter"}),
		samples: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_decode_sequence_missing_samples_total", Help: "Flow samples of sFlow that are missing by their own numbers.",
		}, []string{"exporter"}),
		late: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_decode_sequence_late_datagrams_total", Help: "Datagrams that came behind their successors.",
		}, []string{"exporter"}),
		duplicates: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_decode_sequence_duplicate_datagrams_total", Help: "Datagrams that came again.",
		}, []string{"exporter"}),
		resets: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_decode_sequence_resets_total", Help: "Times that an exporter's sequence numbers began anew.",
		}, []string{"exporter"}),
		labels: make(map[[16]byte]string),
	}
	reg.MustRegister(s.gaps, s.missing, s.returned, s.samples, s.late, s.duplicates, s.resets)
	return s
}

// add adds what came of a domain, where that is more than what was due.
func (s *sequences) add(h *flow.Health) {
	if h.Missing == 0 && h.MissingSamples == 0 && h.Gaps|h.Late|h.Duplicates|h.Resets == 0 {
		return
	}
	exporter := s.label(h.Exporter)
	for _, c := range []struct {
		vec *prometheus.CounterVec
		n   float64
	}{
		{s.gaps, float64(h.Gaps)},
		{s.late, float64(h.Late)},
		{s.duplicates, float64(h.Duplicates)},
		{s.resets, float64(h.Resets)},
		{s.missing, float64(max(h.Missing, 0))},
		{s.returned, float64(max(-h.Missing, 0))},
		{s.samples, float64(max(h.MissingSamples, 0))},
	} {
		if c.n != 0 {
			c.vec.WithLabelValues(exporter).Add(c.n)
		}
	}
}

// label returns the value of the label exporter.
func (s *sequences) label(exporter [16]byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	label, ok := s.labels[exporter]
	switch {
	case ok:
	case len(s.labels) < maxExporterLabels:
		label = netip.AddrFrom16(exporter).Unmap().String()
		s.labels[exporter] = label
	default:
		label = otherExporters
	}
	return label
}
