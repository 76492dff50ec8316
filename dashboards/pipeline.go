// SPDX-License-Identifier: Apache-2.0

package dashboards

import "fmt"

// pipeline is what Prometheus knows. The shared variables do nothing there; they are hidden, and
// kept for the way back.
func pipeline() dashboard {
	panels := append([]*panel{row("Now")}, pipelineNow()...)
	panels = append(append(panels, row("What comes and what is lost")), pipelineLoss()...)
	panels = append(append(panels, row("Stages")), pipelineStages()...)
	panels = append(append(panels, row("ClickHouse")), pipelineInserts()...)
	panels = append(append(panels, row("Exporters, names, windows, processes")), pipelineRest()...)
	d := board("weir-pipeline", "pipeline", "Whether Weir itself does well: what comes, what waits, what is lost, and how long it takes.", nil, panels...)
	d.Refresh = "30s"
	for _, v := range d.Templating.List {
		v["hide"] = 2
	}
	return d
}

// perSecond is the rate of a counter, summed by labels.
func perSecond(counter, by string) string {
	if by == "" {
		return "sum(rate(" + counter + "[$__rate_interval]))"
	}
	return "sum by (" + by + ") (rate(" + counter + "[$__rate_interval]))"
}

// percentile is one of a histogram.
func percentile(histogram string, q float64) string {
	return fmt.Sprintf("histogram_quantile(%g, sum by (le) (rate(%s_bucket[$__rate_interval])))", q, histogram)
}

func pipelineNow() []*panel {
	return []*panel{
		number("Flows", "Flows that ClickHouse has confirmed, a second. Not scaled by sampling.", "cps", 0, `sum(rate(weir_insert_rows_total{table="flows"}[5m]))`),
		number("Delay", "From receipt to the confirmation of the insert, 99 of 100 inserts of the last five minutes.", "s", 30,
			"histogram_quantile(0.99, sum by (le) (rate(weir_insert_delay_seconds_bucket[5m])))"),
		number("Waiting", "Messages that wait before any stage.", "short", 10000, "sum(weir_bus_lag_messages)"),
		number("Lost", "Datagrams that were dropped by the kernel or refused, in the last hour.", "short", 1,
			"sum(increase(weir_ingest_refused_datagrams_total[1h])) + sum(increase(weir_ingest_kernel_dropped_datagrams_total[1h])) or sum(increase(weir_ingest_kernel_dropped_datagrams_total[1h]))"),
	}
}

func pipelineLoss() []*panel {
	return []*panel{
		metric("Datagrams", "Datagrams that came, and those that JetStream has acknowledged.", "pps", half,
			expr{perSecond("weir_ingest_received_datagrams_total", ""), "received"}, expr{perSecond("weir_ingest_stored_datagrams_total", ""), "stored"}),
		metric("Datagrams lost", "Dropped by the kernel, whose buffer was full, or refused by ingest, by reason. These are gone.", "pps", half,
			expr{perSecond("weir_ingest_kernel_dropped_datagrams_total", "listener"), "kernel {{listener}}"}, expr{perSecond("weir_ingest_refused_datagrams_total", "reason"), "refused: {{reason}}"}),
		metric("Flows", "Flows that each stage has handled; not scaled by sampling.", "cps", half,
			expr{perSecond("weir_decode_flows_total", ""), "decoded"}, expr{perSecond("weir_enrich_flows_total", ""), "enriched"},
			expr{perSecond("weir_aggregate_flows_total", ""), "aggregated"}, expr{perSecond(`weir_insert_rows_total{table="flows"}`, ""), "inserted"}),
		metric("Flows by protocol", "Decoded flows by the protocol of their datagram; not scaled by sampling.", "cps", half, expr{perSecond("weir_decode_flows_total", "protocol"), "{{protocol}}"}),
		metric("Refused by decode", "Datagrams, sets, templates, samples and records that were left out, by reason.", "cps", half, expr{perSecond("weir_decode_refused_total", "reason") + " > 0", "{{reason}}"}),
		metric("Received bytes", "Payload of the datagrams.", "Bps", half, expr{perSecond("weir_ingest_received_bytes_total", ""), "received"}),
	}
}

func pipelineStages() []*panel {
	return []*panel{
		metric("Waiting before each stage", "Messages of the input stream behind the last one that the stage has read.", "short", half,
			expr{"sum by (service, stream) (weir_bus_lag_messages)", "{{service}} of {{stream}}"}),
		metric("Waiting by partition", "The ten partitions where most messages wait.", "short", half,
			expr{"topk(10, max by (service, stream, partition) (weir_bus_lag_messages))", "{{service}} {{stream}} {{partition}}"}),
		metric("Appends", "Appends to each output stream by outcome: full is a stage that waits for the one behind it, fenced a partition that has moved.", "cps", half,
			expr{perSecond("weir_bus_appends_total", "stream, outcome"), "{{stream}} {{outcome}}"}),
		metric("Bytes appended", "Octets appended to each output stream, as they are stored.", "Bps", half, expr{perSecond("weir_bus_append_bytes_total", "stream"), "{{stream}}"}),
		metric("Partitions", "Partitions that each replica owns.", "short", half, expr{"sum by (service, stream, instance) (weir_bus_partitions)", "{{service}} {{stream}} {{instance}}"}),
		metric("Dead letters and restarts", "Messages that could not be processed, and partitions that were opened again after an error, in five minutes.", "short", half,
			expr{"sum by (service, stream) (increase(weir_bus_dead_letters_total[5m]))", "dead: {{service}} {{stream}}"},
			expr{"sum by (service, stream) (increase(weir_bus_restarts_total[5m]))", "restart: {{service}} {{stream}}"}),
		metric("Streams", "How full the streams are. DATAGRAMS and ROLLUPS keep what was read for a while, up to about half.", "percentunit", half,
			expr{"max by (stream) (weir_bus_stream_bytes / weir_bus_stream_limit_bytes)", "{{stream}}"}),
		metric("Sets without a template", "Data sets that wait for their template, and what became of those that came.", "short", half,
			expr{"sum(weir_decode_held_sets)", "waiting"}, expr{"sum by (outcome) (increase(weir_decode_held_sets_total[5m]))", "{{outcome}}, in five minutes"}),
		metric("Held by ingest", "Batches handed to JetStream and not acknowledged yet. At its bound datagrams are refused.", "bytes", half, expr{"sum by (instance) (weir_ingest_pending_bytes)", "{{instance}}"}),
		metric("Held by aggregate", "Rows of partial sums that wait for the next flush.", "short", half, expr{"sum by (instance) (weir_aggregate_held_rows)", "{{instance}}"}),
	}
}

func pipelineInserts() []*panel {
	return []*panel{
		metric("Delay", "Time from the receipt of the oldest flow of an insert to its confirmation.", "s", half,
			expr{percentile("weir_insert_delay_seconds", 0.5), "half"}, expr{percentile("weir_insert_delay_seconds", 0.99), "99 of 100"}),
		metric("Insert time", "Time from the begin of an insert to its confirmation, without those that failed.", "s", half,
			expr{percentile("weir_insert_duration_seconds", 0.5), "half"}, expr{percentile("weir_insert_duration_seconds", 0.99), "99 of 100"}),
		metric("Rows of an insert", "Average size of a batch. Small ones cost ClickHouse most.", "short", half,
			expr{perSecond("weir_insert_rows_total", "table") + " / (" + perSecond("weir_insert_inserts_total", "table") + " > 0)", "{{table}}"}),
		metric("Rows", "Rows that ClickHouse has confirmed, by table.", "cps", half, expr{perSecond("weir_insert_rows_total", "table"), "{{table}}"}),
		metric("Failed inserts", "Inserts that failed and were tried again, by reason, and those that ClickHouse had already.", "cps", half,
			expr{perSecond("weir_insert_retries_total", "reason"), "failed: {{reason}}"}, expr{perSecond("weir_insert_repeated_total", ""), "repeated"}),
		metric("Bytes sent", "Column data of confirmed inserts, before compression.", "Bps", half, expr{perSecond("weir_insert_sent_bytes_total", "table"), "{{table}}"}),
	}
}

func pipelineRest() []*panel {
	return []*panel{
		metric("Sequence gaps", "Gaps in the sequence numbers of the ten exporters with most.", "cps", half,
			expr{"topk(10, " + perSecond("weir_decode_sequence_gaps_total", "exporter") + " > 0)", "{{exporter}}"}),
		metric("Templates", "Templates that were new or changed, and how often the state of exporters was written.", "cps", half,
			expr{perSecond("weir_decode_templates_learned_total", ""), "templates"}, expr{perSecond("weir_decode_state_writes_total", ""), "state writes"}),
		metric("Caches of enrich", "Share of look-ups that were answered from a cache.", "percentunit", half,
			expr{"sum(rate(weir_enrich_cache_hits_total[$__rate_interval])) / (sum(rate(weir_enrich_cache_hits_total[$__rate_interval])) + sum(rate(weir_enrich_cache_misses_total[$__rate_interval])) > 0)", "addresses"},
			expr{"sum(rate(weir_enrich_observer_hits_total[$__rate_interval])) / (sum(rate(weir_enrich_observer_hits_total[$__rate_interval])) + sum(rate(weir_enrich_observer_misses_total[$__rate_interval])) > 0)", "exporters and interfaces"}),
		metric("Event time", "How far the newest event of the slowest partition is behind the clock, and flows that came after their window had closed.", "s", half,
			expr{"time() - min by (instance) (weir_aggregate_event_timestamp_seconds > 0)", "{{instance}}"}),
		metric("Late flows", "Flows that ended in a window that was closed: counted all the same, as a correction.", "cps", half, expr{perSecond("weir_aggregate_late_flows_total", "rollup"), "{{rollup}}"}),
		metric("Times not believed", "Flows whose times were too far from their receipt, or that lasted too long.", "cps", half, expr{perSecond("weir_aggregate_clamped_flows_total", "reason"), "{{reason}}"}),
		metric("Disk", "Room on the volume of the streams, under weir up. Below 512 MiB nothing more is taken.", "bytes", half, expr{"weir_weir_disk_free_bytes", "{{instance}}"}),
		metric("Memory", "Resident memory of each process.", "bytes", half, expr{"process_resident_memory_bytes", "{{instance}}"}),
		metric("CPU", "CPU time that each process uses, in cores.", "short", half, expr{"rate(process_cpu_seconds_total[$__rate_interval])", "{{instance}}"}),
	}
}
