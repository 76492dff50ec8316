// SPDX-License-Identifier: Apache-2.0

package enrich

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	flows          prometheus.Counter
	cacheHits      prometheus.Counter
	cacheMisses    prometheus.Counter
	observerHits   prometheus.Counter
	observerMisses prometheus.Counter
	lookupErrors   prometheus.Counter
	ruleErrors     prometheus.Counter
	duplicates     prometheus.Counter
	hidden         prometheus.Counter
	snmpAnswers    prometheus.Counter
	snmpErrors     prometheus.Counter
	built          *prometheus.GaugeVec
	reloads        *prometheus.CounterVec
	loadErrors     *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		reg.MustRegister(c)
		return c
	}
	byFile := func(name, help string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{"file"})
		reg.MustRegister(c)
		return c
	}
	built := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "weir_enrich_database_build_timestamp_seconds", Help: "When the database in use was built, Unix time.",
	}, []string{"database"})
	reg.MustRegister(built)
	return &metrics{
		flows:          counter("weir_enrich_flows_total", "Flows that went through."),
		cacheHits:      counter("weir_enrich_cache_hits_total", "Addresses answered from the cache."),
		cacheMisses:    counter("weir_enrich_cache_misses_total", "Addresses looked up in databases and networks."),
		observerHits:   counter("weir_enrich_observer_hits_total", "Flows whose exporter and interfaces were answered from the cache."),
		observerMisses: counter("weir_enrich_observer_misses_total", "Flows whose exporter and interfaces were put together anew, with the rules."),
		lookupErrors:   counter("weir_enrich_lookup_errors_total", "Look-ups that failed because a record has another form than its database promises."),
		ruleErrors:     counter("weir_enrich_rule_errors_total", "Conditions of rules that failed, and were taken as false."),
		duplicates:     counter("weir_enrich_duplicates_total", "Flows marked as counted elsewhere."),
		hidden:         counter("weir_enrich_hidden_addresses_total", "Addresses truncated or encrypted."),
		snmpAnswers:    counter("weir_enrich_snmp_answers_total", "Times an exporter told its names by SNMP."),
		snmpErrors:     counter("weir_enrich_snmp_errors_total", "Times an exporter could not be asked by SNMP."),
		built:          built,
		reloads:        byFile("weir_enrich_file_reloads_total", "Times the file was read."),
		loadErrors:     byFile("weir_enrich_file_load_errors_total", "Times the file could not be read or was not valid."),
	}
}
