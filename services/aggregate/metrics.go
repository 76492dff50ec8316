// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

type metrics struct {
	flows, saturated, failed, flushes prometheus.Counter
	ahead, behind, cut, unspread      prometheus.Counter
	late, rows                        *prometheus.CounterVec
	keys, watermarks                  *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	clamped := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weir_aggregate_clamped_flows_total",
		Help: "Flows whose times were not taken as they are: ahead and behind (their end is too far from their receipt), duration (they lasted too long), memory (max_bytes was reached, by source of rollups).",
	}, []string{"reason"})
	m := &metrics{
		flows: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_aggregate_flows_total", Help: "Flows summed up.",
		}),
		late: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_aggregate_late_flows_total", Help: "Flows that ended in a window that was closed.",
		}, []string{"rollup"}),
		saturated: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_aggregate_saturated_values_total", Help: "Values that, times the sampling interval, stopped at 2^64 - 1.",
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_aggregate_filter_errors_total", Help: "Conditions of filters that could not be computed for a flow, which is then not counted by the rollup.",
		}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_aggregate_rows_total", Help: "Rows of partial sums sent.",
		}, []string{"rollup", "partial"}),
		flushes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_aggregate_flushes_total", Help: "Times that a partition sent its partial sums.",
		}),
		keys: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weir_aggregate_held_rows", Help: "Rows that a flush would have, at most.",
		}, []string{"partition"}),
		watermarks: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weir_aggregate_event_timestamp_seconds", Help: "Greatest event time, Unix time. Watermarks are the allowed lateness behind it.",
		}, []string{"partition"}),
		ahead: clamped.WithLabelValues("ahead"), behind: clamped.WithLabelValues("behind"),
		cut: clamped.WithLabelValues("duration"), unspread: clamped.WithLabelValues("memory"),
	}
	reg.MustRegister(m.flows, m.late, m.saturated, m.failed, m.rows, m.flushes, clamped, m.keys, m.watermarks)
	return m
}

// partitionMetrics are the gauges of a partition that is open here.
type partitionMetrics struct{ keys, watermark prometheus.Gauge }

func (m *metrics) open(p int) partitionMetrics {
	label := strconv.Itoa(p)
	return partitionMetrics{m.keys.WithLabelValues(label), m.watermarks.WithLabelValues(label)}
}

func (m *metrics) close(p int) {
	label := strconv.Itoa(p)
	m.keys.DeleteLabelValues(label)
	m.watermarks.DeleteLabelValues(label)
}

// added counts a batch and what has happened in it.
func (m *metrics) added(flows int, w *windows) {
	m.flows.Add(float64(flows))
	c := &w.counts
	for i, n := range w.late {
		if n > 0 {
			m.late.WithLabelValues(w.views[i].rollup.Name).Add(float64(n))
		}
	}
	m.saturated.Add(float64(c.saturated))
	m.failed.Add(float64(c.filter))
	m.ahead.Add(float64(c.ahead))
	m.behind.Add(float64(c.behind))
	m.cut.Add(float64(c.cut))
	m.unspread.Add(float64(c.unspread))
	*c = counts{}
	clear(w.late)
}

func (m *metrics) flushed(f []rowCount) {
	m.flushes.Inc()
	for _, v := range f {
		m.rows.WithLabelValues(v.name, "early").Add(float64(v.rows[weirv1.Partial_PARTIAL_EARLY]))
		m.rows.WithLabelValues(v.name, "closing").Add(float64(v.rows[weirv1.Partial_PARTIAL_CLOSING]))
		m.rows.WithLabelValues(v.name, "late").Add(float64(v.rows[weirv1.Partial_PARTIAL_LATE]))
	}
}
