// SPDX-License-Identifier: Apache-2.0

package enrich

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	flows        prometheus.Counter
	cacheHits    prometheus.Counter
	cacheMisses  prometheus.Counter
	lookupErrors prometheus.Counter
	built        *prometheus.GaugeVec
	reloads      *prometheus.CounterVec
	loadErrors   *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		flows: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_enrich_flows_total", Help: "Flows that went through.",
		}),
		cacheHits: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_enrich_cache_hits_total", Help: "Addresses answered from the cache.",
		}),
		cacheMisses: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_enrich_cache_misses_total", Help: "Addresses looked up in the databases.",
		}),
		lookupErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_enrich_lookup_errors_total", Help: "Look-ups that failed because a record has another form than its database promises.",
		}),
		built: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weir_enrich_database_build_timestamp_seconds", Help: "When the database in use was built, Unix time; 0 while there is none.",
		}, []string{"database"}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_enrich_database_reloads_total", Help: "Times the database was read.",
		}, []string{"database"}),
		loadErrors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_enrich_database_load_errors_total", Help: "Times the database could not be read.",
		}, []string{"database"}),
	}
	reg.MustRegister(m.flows, m.cacheHits, m.cacheMisses, m.lookupErrors, m.built, m.reloads, m.loadErrors)
	return m
}
