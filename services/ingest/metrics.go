// SPDX-License-Identifier: Apache-2.0

package ingest

import "github.com/prometheus/client_golang/prometheus"

// Reasons of weir_ingest_refused_datagrams_total.
const (
	notAllowed     = "not_allowed"
	unknownVersion = "unknown_version"
	truncated      = "truncated"
	streamFull     = "stream_full"
	disconnected   = "disconnected"
	backlog        = "backlog"
	stopped        = "stopped"
)

type metrics struct {
	received      *prometheus.CounterVec
	receivedBytes *prometheus.CounterVec
	refused       *prometheus.CounterVec
	stored        prometheus.Counter
	kernelDropped *prometheus.CounterVec
	receiveBuffer *prometheus.GaugeVec
	pending       prometheus.Gauge
	hidden        prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	exporter := []string{"exporter"}
	m := &metrics{
		received: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_ingest_received_datagrams_total",
			Help: "Datagrams that came, also those that were refused.",
		}, exporter),
		receivedBytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_ingest_received_bytes_total",
			Help: "Payload of the datagrams that came, also those that were refused.",
		}, exporter),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_ingest_refused_datagrams_total",
			Help: "Datagrams that came and were not taken, by reason.",
		}, []string{"exporter", "reason"}),
		stored: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_ingest_stored_datagrams_total",
			Help: "Datagrams that JetStream has acknowledged.",
		}),
		kernelDropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_ingest_kernel_dropped_datagrams_total",
			Help: "Datagrams that the kernel dropped because a socket's buffer was full.",
		}, []string{"listener"}),
		receiveBuffer: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weir_ingest_receive_buffer_bytes",
			Help: "Kernel buffer of all sockets of the listener, as granted.",
		}, []string{"listener"}),
		pending: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "weir_ingest_pending_bytes",
			Help: "Batches handed to JetStream and not acknowledged yet.",
		}),
		hidden: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "weir_ingest_only_exporter_is_gateway",
			Help: "1 where the only exporter seen is the default gateway, which may hide all others.",
		}),
	}
	reg.MustRegister(m.received, m.receivedBytes, m.refused, m.stored, m.kernelDropped, m.receiveBuffer, m.pending, m.hidden)
	return m
}
