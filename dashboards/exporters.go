// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"fmt"
	"strings"
)

// healthRows is the condition of exporter_health, whose exporter is sampler_address elsewhere.
const healthRows = "$__timeFilter(h.time)\n  AND $__conditionalAll(h.exporter IN (${exporter:singlequote}), $exporter)" +
	"\n  AND $__conditionalAll(h.exporter IN (SELECT sampler_address FROM flows WHERE " + recent + " AND exporter_site IN (${site:singlequote})), $site)" +
	"\n  AND $__conditionalAll(h.exporter IN (SELECT sampler_address FROM flows WHERE " + recent + " AND exporter_tenant IN (${tenant:singlequote})), $tenant)"

// allFlows are the rows of flows of the chosen exporters, duplicates too.
const allFlows = "$__timeFilter(time_received_ns)\n  AND " + byExporter +
	"\n  AND $__conditionalAll(exporter_site IN (${site:singlequote}), $site)\n  AND $__conditionalAll(exporter_tenant IN (${tenant:singlequote}), $tenant)"

// protocolOf names the values of the field type.
func protocolOf(column string) string {
	return named(column, []string{"1 sFlow v5", "2 NetFlow v5", "3 NetFlow v9", "4 IPFIX", "101 NetFlow v1", "107 NetFlow v7", "108 NetFlow v8"})
}

// qualities are the bits of the field quality, from the lowest on.
var qualities = []string{
	"sampling unknown", "time from receipt", "time skewed", "header truncated", "value out of range", "list truncated",
	"country unknown", "AS unknown", "exporter unknown", "interface unknown", "address hidden", "sampling assumed",
}

func exporters() dashboard {
	return board("weir-exporters", "exporter health", "What comes from each exporter and what does not: loss, templates, sampling, clocks, quality of its flows.", nil,
		table("Exporters", "What came in the time range, by exporter, protocol and observation domain. Loss is what sequence numbers say: datagrams (sFlow: samples) that were sent and did not come. Not scaled by sampling.", full, healthOfExporters()),
		lines("Loss", "Share of datagrams that did not come, by sequence numbers, of the exporters that lose most.", half,
			healthOver("greatest(sum(h.missing), 0) / greatest(sum(h.datagrams) + greatest(sum(h.missing), 0), 1)", "share")),
		lines("Records without a template", "Sets of data records whose template was not there: dropped, or held until it comes.", half, healthOver("sum(h.template_unknown + h.held)", "events")),
		table("Sampling", "Sampling intervals that were used and where they come from: told by the exporter, assumed by the configuration, or unknown, in which case the flow counts once.", half, sampling()),
		table("Quality", "Share of each exporter's flows that lack something, by the bits of the field quality. Flows are counted as they came.", half, quality()),
		table("Clocks", "Time from the end of flows to their receipt: the active timeout and the way, and how wrong the clock is. Negative: the exporter's clock is ahead.", half, clocks()),
		table("What exporters count themselves", "Increases over the time range of what exporters tell in options data: what their metering processes left out, and their exporting processes did not send.", half, ownStatistics()),
		table("Silent exporters", "Exporters with flows in the time range and none in its last ten minutes.", half, silent()),
	)
}

func healthOfExporters() string {
	return fmt.Sprintf(`SELECT if(n.name = '', %[1]s, n.name) AS `+"`exporter`"+`, %[1]s AS address, %[2]s AS protocol, t.domain AS domain,
  t.seen AS `+"`last seen`, t.came AS datagrams, t.flows AS `flow count`, greatest(t.missing, 0) / greatest(t.came + greatest(t.missing, 0), 1) AS `loss`"+`,
  t.gaps AS gaps, t.resets AS resets, t.late AS late, t.duplicates AS duplicates, t.templates AS templates, t.template_unknown + t.held AS `+"`without template`, t.lost AS `held and lost`,"+`
  t.refused AS refused, t.sampling_unknown AS `+"`sampling unknown`, t.time_skewed AS `times skewed`, t.behind / 1000 AS `clock behind`, t.ahead / 1000 AS `clock ahead`"+`
FROM (
  SELECT h.exporter AS address, h.protocol AS protocol, h.domain AS domain, CAST(max(h.last_seen), 'DateTime64(9)') AS seen, sum(h.datagrams) AS came, sum(h.flows) AS flows,
    sum(h.missing) AS missing, sum(h.gaps) AS gaps, sum(h.resets) AS resets, sum(h.late) AS late, sum(h.duplicates) AS duplicates, sum(h.templates) AS templates,
    sum(h.template_unknown) AS template_unknown, sum(h.held) AS held, sum(h.held_dropped) AS lost, sum(h.refused) AS refused, sum(h.sampling_unknown) AS sampling_unknown,
    sum(h.time_skewed) AS time_skewed, toUInt32(max(h.clock_behind_ms)) AS behind, toUInt32(max(h.clock_ahead_ms)) AS ahead
  FROM exporter_health AS h
  WHERE %[3]s
  GROUP BY h.exporter, h.protocol, h.domain
) AS t
LEFT JOIN %[4]s AS n ON n.sampler_address = t.address
ORDER BY `+"`loss` DESC, `exporter`"+`
LIMIT 1000`, text("t.address"), protocolOf("t.protocol"), healthRows, exporterNames)
}

// healthOver is a series for each of the exporters where value is greatest at some time.
func healthOver(value, name string) string {
	return fmt.Sprintf(`SELECT at AS time, %[1]s AS series, v AS `+"`%[2]s`"+`
FROM (
  SELECT at, address, v, dense_rank() OVER (ORDER BY most DESC, address) AS rank
  FROM (
    SELECT toStartOfInterval(h.time, toIntervalSecond(greatest($__interval_s, 60))) AS at, h.exporter AS address, %[3]s AS v, max(v) OVER (PARTITION BY address) AS most
    FROM exporter_health AS h
    WHERE %[4]s
    GROUP BY at, address
  )
)
WHERE rank <= 10
ORDER BY time`, text("address"), name, value, healthRows)
}

const exporterOfFlow = "if(any(exporter_name) = '', any(sampler_ip), any(exporter_name)) AS `exporter`, any(sampler_ip) AS address"

func sampling() string {
	return "SELECT " + exporterOfFlow + ", " + protocolOf("type") + " AS protocol, sampling_rate AS `one in`,\n" +
		"  multiIf(bitTest(quality, 0), 'unknown', bitTest(quality, 11), 'assumed', 'told') AS origin, count() AS `flow count`\nFROM flows\nWHERE " + allFlows +
		"\nGROUP BY sampler_address, type, sampling_rate, origin\nORDER BY origin = 'told', `flow count` DESC\nLIMIT 500"
}

func quality() string {
	names := "'" + strings.Join(qualities, "', '") + "'"
	return "SELECT if(n.name = '', " + text("q.address") + ", n.name) AS `exporter`, " + text("q.address") + " AS address, [" + names + "][bit.1 + 1] AS lacks, bit.2 / q.all AS `share`, bit.2 AS `flow count`\n" +
		"FROM (\n  SELECT sampler_address AS address, count() AS all, arrayZip(range(12), sumForEach(arrayMap(i -> toUInt64(bitTest(quality, i)), range(12)))) AS bits\n  FROM flows\n  WHERE " + allFlows +
		"\n  GROUP BY sampler_address\n) AS q\nARRAY JOIN bits AS bit\nLEFT JOIN " + exporterNames + " AS n ON n.sampler_address = q.address\nWHERE bit.2 > 0\nORDER BY `share` DESC\nLIMIT 500"
}

func clocks() string {
	const late = "(toUnixTimestamp64Milli(time_received_ns) - toUnixTimestamp64Milli(time_flow_end_ns)) / 1000"
	return "SELECT " + exporterOfFlow + ", min(" + late + ") AS `least`, quantileTDigest(0.5)(" + late + ") AS `median`, max(" + late + ") AS `most`\nFROM flows\nWHERE " + allFlows +
		" AND NOT bitTest(quality, 1) AND time_flow_end_ns > toDateTime64(0, 9)\nGROUP BY sampler_address\nORDER BY abs(`median`) DESC\nLIMIT 500"
}

// ownStatistics has the increases of an exporter's own counters.
func ownStatistics() string {
	var sums []string
	for _, c := range []string{"observed_flows", "exported_flow_records", "exported_messages", "not_sent_flows", "not_sent_packets", "ignored_packets", "ignored_octets"} {
		sums = append(sums, increase(c, none64)+" AS `"+strings.ReplaceAll(c, "_", " ")+"`")
	}
	return "SELECT if(any(n.name) = '', " + text("s.sampler_address") + ", any(n.name)) AS `exporter`, " + text("s.sampler_address") + " AS address, s.observation_domain_id AS domain,\n  " +
		strings.Join(sums, ",\n  ") + "\nFROM exporter_statistics AS s\nLEFT JOIN " + exporterNames + " AS n ON n.sampler_address = s.sampler_address\nWHERE $__timeFilter(s.time_received_ns)\n  AND $__conditionalAll(s.sampler_address IN (${exporter:singlequote}), $exporter)\n" +
		"GROUP BY s.sampler_address, s.observation_domain_id, s.line_card_id, s.metering_process_id, s.exporting_process_id, s.template_id, s.selector_id\nORDER BY `not sent packets` + `ignored packets` DESC\nLIMIT 500"
}

func silent() string {
	return "SELECT if(n.name = '', " + text("s.address") + ", n.name) AS `exporter`, " + text("s.address") + " AS address, s.seen AS `last flow`\nFROM (\n" +
		"  SELECT sampler_address AS address, max(window_start) AS seen\n  FROM flows_${resolution:text}\n  WHERE $__timeFilter(window_start)\n  AND " + byExporter +
		"\n  GROUP BY address\n) AS s\nLEFT JOIN " + exporterNames + " AS n ON n.sampler_address = s.address\n" +
		"WHERE s.address NOT IN (SELECT sampler_address FROM flows WHERE " + recent + ")\nORDER BY `last flow`\nLIMIT 500"
}
