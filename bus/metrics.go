// SPDX-License-Identifier: Apache-2.0

package bus

import "github.com/prometheus/client_golang/prometheus"

// Outcomes of an append.
const (
	appended = "appended"
	fenced   = "fenced" // somebody else appended, or an answer was lost: read the position again
	full     = "full"
	failed   = "failed"
)

type metrics struct {
	partitions  *prometheus.GaugeVec
	read        *prometheus.CounterVec
	lag         *prometheus.GaugeVec
	stored      *prometheus.GaugeVec
	limit       *prometheus.GaugeVec
	appends     *prometheus.CounterVec
	bytes       *prometheus.CounterVec
	deadLetters *prometheus.CounterVec
	restarts    *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		partitions: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weir_bus_partitions", Help: "Partitions of the input stream that this worker owns.",
		}, []string{"stream"}),
		read: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_bus_read_messages_total", Help: "Messages read from the input stream; some again after a restart of a partition.",
		}, []string{"stream"}),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weir_bus_lag_messages", Help: "Messages of the input stream that wait behind the last one taken; grows also while the stage stands.",
		}, []string{"stream", "partition"}),
		stored: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weir_bus_stream_bytes", Help: "Octets in the input stream, as the worker of its partition 0 sees it.",
		}, []string{"stream"}),
		limit: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weir_bus_stream_limit_bytes", Help: "Octets that the input stream may have.",
		}, []string{"stream"}),
		appends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_bus_appends_total", Help: "Appends to the output stream by outcome: appended, fenced, full, failed.",
		}, []string{"stream", "outcome"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_bus_append_bytes_total", Help: "Octets appended to the output stream.",
		}, []string{"stream"}),
		deadLetters: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_bus_dead_letters_total", Help: "Messages put into the DEAD stream.",
		}, []string{"stream"}),
		restarts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_bus_restarts_total", Help: "Times that a partition was opened again after an error.",
		}, []string{"stream"}),
	}
	reg.MustRegister(m.partitions, m.read, m.lag, m.stored, m.limit, m.appends, m.bytes, m.deadLetters, m.restarts)
	return m
}
