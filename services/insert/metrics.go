// SPDX-License-Identifier: Apache-2.0

package insert

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	inserts  *prometheus.CounterVec
	rows     *prometheus.CounterVec
	bytes    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	retries  *prometheus.CounterVec
	repeated *prometheus.CounterVec
	delay    prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	table := []string{"table"}
	m := &metrics{
		inserts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_insert_inserts_total",
			Help: "Inserts that ClickHouse has confirmed.",
		}, table),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_insert_rows_total",
			Help: "Rows that ClickHouse has confirmed, also those that it had before.",
		}, table),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_insert_sent_bytes_total",
			Help: "Column data of confirmed inserts, before compression.",
		}, table),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "weir_insert_duration_seconds",
			Help:    "Time from the begin of an insert to its confirmation, without those that failed.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14),
		}, table),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_insert_retries_total",
			Help: "Inserts that failed and were tried again, by reason.",
		}, []string{"reason"}),
		repeated: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_insert_repeated_total",
			Help: "Inserts that ClickHouse dropped, wholly or in part, because it had them already.",
		}, table),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "weir_insert_delay_seconds",
			Help:    "Time from the receipt of the oldest flow of an insert to its confirmation.",
			Buckets: prometheus.ExponentialBuckets(0.25, 2, 14),
		}),
	}
	reg.MustRegister(m.inserts, m.rows, m.bytes, m.duration, m.retries, m.repeated, m.delay)
	return m
}
