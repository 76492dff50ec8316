// SPDX-License-Identifier: Apache-2.0

package probe

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	packets      prometheus.Counter
	kernelDrops  prometheus.Counter
	skipped      prometheus.Counter
	refused      prometheus.Counter
	evictions    prometheus.Counter
	activeFlows  prometheus.Gauge
	flows        prometheus.Counter
	messages     prometheus.Counter
	bytes        prometheus.Counter
	unsent       prometheus.Counter
	noVersion4   prometheus.Counter
	reconnection prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		packets: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_probe_packets_total", Help: "Packets that were observed.",
		}),
		kernelDrops: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_probe_kernel_drops_total", Help: "Packets that the kernel dropped because the probe was too slow.",
		}),
		skipped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_probe_skipped_packets_total", Help: "Packets that a cache left out: its layout has no addresses of their kind.",
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_probe_refused_packets_total", Help: "Packets of new flows that a full permanent cache left out.",
		}),
		evictions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_probe_evictions_total", Help: "Flows that were exported early because the cache was full.",
		}),
		activeFlows: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "weir_probe_active_flows", Help: "Flows in the caches.",
		}),
		flows: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_probe_exported_flows_total", Help: "Flow records, or samples of sFlow, that were sent; each destination counts.",
		}),
		messages: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_probe_messages_total", Help: "Datagrams and messages that were sent.",
		}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_probe_sent_bytes_total", Help: "Octets of the messages that were sent.",
		}),
		unsent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_probe_unsent_flows_total", Help: "Flow records or samples that were lost because their message could not be sent.",
		}),
		noVersion4: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_probe_unfit_flows_total", Help: "Flows that NetFlow v1 and v5 have no form for: those that are not of IPv4.",
		}),
		reconnection: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_probe_reconnects_total", Help: "Connections to collectors that were made again.",
		}),
	}
	reg.MustRegister(m.packets, m.kernelDrops, m.skipped, m.refused, m.evictions, m.activeFlows, m.flows, m.messages,
		m.bytes, m.unsent, m.noVersion4, m.reconnection)
	return m
}
