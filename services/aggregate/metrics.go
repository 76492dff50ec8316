// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

type metrics struct {
	flows, late, saturated    prometheus.Counter
	skewed, cut, unspread     prometheus.Counter
	early, closing, lateRows  prometheus.Counter
	flushes                   prometheus.Counter
	keys, windows, watermarks *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	clamped := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weir_aggregate_clamped_flows_total",
		Help: "Flows whose times were not taken as they are: skew (they end too far ahead of their receipt), spread (they overlap too many windows), memory (max_keys was reached).",
	}, []string{"reason"})
	rows := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weir_aggregate_rows_total", Help: "Rows of partial sums sent.",
	}, []string{"partial"})
	m := &metrics{
		flows: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_aggregate_flows_total", Help: "Flows summed up.",
		}),
		late: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_aggregate_late_flows_total", Help: "Flows that ended in a window that was closed.",
		}),
		saturated: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_aggregate_saturated_sums_total", Help: "Additions to sums that would have passed 2^64 and stopped before it.",
		}),
		flushes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_aggregate_flushes_total", Help: "Times that a partition sent its partial sums.",
		}),
		keys: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weir_aggregate_keys", Help: "Windows times keys summed since the last flush.",
		}, []string{"partition"}),
		windows: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weir_aggregate_windows", Help: "Windows that the last flush had sums of.",
		}, []string{"partition"}),
		watermarks: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weir_aggregate_watermark_timestamp_seconds", Help: "Event time before which nothing more is expected, Unix time.",
		}, []string{"partition"}),
		skewed: clamped.WithLabelValues("skew"), cut: clamped.WithLabelValues("spread"), unspread: clamped.WithLabelValues("memory"),
		early: rows.WithLabelValues("early"), closing: rows.WithLabelValues("closing"), lateRows: rows.WithLabelValues("late"),
	}
	reg.MustRegister(m.flows, m.late, m.saturated, m.flushes, clamped, rows, m.keys, m.windows, m.watermarks)
	return m
}

// partitionMetrics are the gauges of a partition that is open here.
type partitionMetrics struct{ keys, windows, watermark prometheus.Gauge }

func (m *metrics) open(p int) partitionMetrics {
	label := strconv.Itoa(p)
	return partitionMetrics{m.keys.WithLabelValues(label), m.windows.WithLabelValues(label), m.watermarks.WithLabelValues(label)}
}

func (m *metrics) close(p int) {
	label := strconv.Itoa(p)
	m.keys.DeleteLabelValues(label)
	m.windows.DeleteLabelValues(label)
	m.watermarks.DeleteLabelValues(label)
}

func (m *metrics) added(flows int, c counts) {
	m.flows.Add(float64(flows))
	m.late.Add(float64(c.late))
	m.saturated.Add(float64(c.saturated))
	m.skewed.Add(float64(c.skewed))
	m.cut.Add(float64(c.cut))
	m.unspread.Add(float64(c.unspread))
}

func (m *metrics) flushed(f flushed) {
	m.flushes.Inc()
	m.early.Add(float64(f.rows[weirv1.Partial_PARTIAL_EARLY]))
	m.closing.Add(float64(f.rows[weirv1.Partial_PARTIAL_CLOSING]))
	m.lateRows.Add(float64(f.rows[weirv1.Partial_PARTIAL_LATE]))
}
