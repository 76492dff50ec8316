// SPDX-License-Identifier: Apache-2.0

package enrich

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	flows          prometheus.Counter
	cacheHits      prometheus.Counter
	cacheMisses    prometheus.Counter
	observerHits   prometheus.Counter
	observerMisses prometheus.Counter
	ruleErrors     prometheus.Counter
	duplicates     *prometheus.CounterVec
	hidden         prometheus.Counter
	snmpAnswers    prometheus.Counter
	snmpErrors     prometheus.Counter
	built          *prometheus.GaugeVec
	reloads        *prometheus.CounterVec
	loadErrors     *prometheus.CounterVec
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
			Name: "weir_enrich_cache_misses_total", Help: "Addresses looked up in databases and networks.",
		}),
		observerHits: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_enrich_observer_hits_total", Help: "Flows whose exporter and interfaces were answered from the cache.",
		}),
		observerMisses: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_enrich_observer_misses_total", Help: "Flows whose exporter and interfaces were put together anew, with the rules.",
		}),
		ruleErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_enrich_rule_errors_total", Help: "Conditions of rules that failed, and were taken as false.",
		}),
		duplicates: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_enrich_duplicates_total", Help: "Flows marked as counted elsewhere, by policy: boundary, direction, content.",
		}, []string{"policy"}),
		hidden: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_enrich_hidden_addresses_total", Help: "Addresses truncated or encrypted.",
		}),
		snmpAnswers: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_enrich_snmp_answers_total", Help: "Times an exporter told its names by SNMP.",
		}),
		snmpErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_enrich_snmp_errors_total", Help: "Times an exporter could not be asked by SNMP.",
		}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_enrich_file_reloads_total", Help: "Times the file was read.",
		}, []string{"file"}),
		loadErrors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_enrich_file_load_errors_total", Help: "Times the file could not be read or was not valid.",
		}, []string{"file"}),
		built: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weir_enrich_database_build_timestamp_seconds", Help: "When the database in use was built, Unix time.",
		}, []string{"database"}),
	}
	reg.MustRegister(m.flows, m.cacheHits, m.cacheMisses, m.observerHits, m.observerMisses, m.ruleErrors,
		m.duplicates, m.hidden, m.snmpAnswers, m.snmpErrors, m.built, m.reloads, m.loadErrors)
	for d := counted + 1; d < numDuplicates; d++ {
		m.duplicates.WithLabelValues(policyOf(d))
	}
	return m
}
