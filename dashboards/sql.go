// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"fmt"
	"strings"
)

// What the queries have in common. Rollups have the time window_start and sums; the table flows
// has time_received_ns and one row for each flow.
const (
	// recent bounds look-ups of names to ten minutes of flows at the end of the time range.
	recent = "time_received_ns >= least($__toTime, now()) - INTERVAL 10 MINUTE AND time_received_ns <= $__toTime"

	exporterNames = "(SELECT sampler_address, anyLast(exporter_name) AS name, anyLast(exporter_site) AS site FROM flows WHERE " + recent + " GROUP BY sampler_address)"

	interfaceNames = "(SELECT sampler_address, side.1 AS interface, anyLast(side.2) AS name, anyLast(side.3) AS description FROM (" +
		"SELECT sampler_address, arrayJoin([(in_if, in_if_name, in_if_description), (out_if, out_if_name, out_if_description)]) AS side FROM flows WHERE " + recent +
		") GROUP BY sampler_address, interface)"

	asNames = "(SELECT side.1 AS number, anyLast(side.2) AS name FROM (" +
		"SELECT arrayJoin([(src_origin_as, src_as_name), (dst_origin_as, dst_as_name)]) AS side FROM flows WHERE " + recent + ") WHERE side.2 != '' GROUP BY number)"

	byExporter = "$__conditionalAll(sampler_address IN (${exporter:singlequote}), $exporter)"

	// Rollups do not know sites: the exporters of a site are those whose flows say so.
	bySite = "$__conditionalAll(sampler_address IN (SELECT sampler_address FROM flows WHERE " + recent + " AND exporter_site IN (${site:singlequote})), $site)" +
		" AND $__conditionalAll(sampler_address IN (SELECT sampler_address FROM flows WHERE " + recent + " AND exporter_tenant IN (${tenant:singlequote})), $tenant)"

	byInterface = "$__conditionalAll((${direction} != 1 AND in_if IN (${interface:csv}) OR ${direction} != 0 AND out_if IN (${interface:csv})), $interface)"

	byVersion = "(${ip_version} = 0 OR etype = ${ip_version})"

	// chosen is the condition of all rollups of flows.
	chosen = "$__timeFilter(window_start)\n  AND " + byExporter + "\n  AND " + bySite + "\n  AND " + byInterface + "\n  AND " + byVersion

	// chosenFlows is that of the table flows, in which a flow that several exporters saw counts once.
	chosenFlows = "$__timeFilter(time_received_ns) AND duplicate = 0\n  AND " + byExporter +
		"\n  AND $__conditionalAll(exporter_site IN (${site:singlequote}), $site)" +
		"\n  AND $__conditionalAll(exporter_tenant IN (${tenant:singlequote}), $tenant)\n  AND " + byInterface + "\n  AND " + byVersion

	rollup = "flows_${resolution:text}"

	// seconds of the time range.
	seconds = "greatest($__toTime - $__fromTime, 1)"
)

// source is a table to sum up: its time, what selects its rows, and its shortest window in seconds.
type source struct{ name, time, where, window string }

func rollups() source { return source{rollup, "window_start", chosen, "${resolution}"} }

func rawFlows() source { return source{"flows", "time_received_ns", chosenFlows, "10"} }

// and adds a condition.
func (s source) and(condition string) source {
	s.where += "\n  AND " + condition
	return s
}

// step is the distance of a graph's points in seconds.
func (s source) step() string { return "greatest($__interval_s, " + s.window + ")" }

// bucket is the time of a graph's point.
func (s source) bucket() string {
	return "toStartOfInterval(" + s.time + ", toIntervalSecond(" + s.step() + "))"
}

// one makes sum(flows) the number of rows where a row is a flow.
func (s source) one() string {
	if s.name == "flows" {
		return "WITH toUInt64(1) AS flows\n"
	}
	return ""
}

// rates are the rate over the time range, and its sums.
const rates = "sum(${unit}) / " + seconds + " AS `${unit:text}`,\n  sum(bytes_scaled) AS `bytes`, sum(packets_scaled) AS `packets`, sum(flows) AS `flow count`"

// key is a column of a table: what rows are grouped by, and how it is shown.
type key struct{ name, group, show string }

// by is a key that is shown as it is.
func by(name, column string) key { return key{name, column, column} }

// top is a table of the keys with the most traffic.
func (s source) top(limit int, keys ...key) string {
	var shown, groups []string
	for _, k := range keys {
		shown, groups = append(shown, k.show+" AS `"+k.name+"`"), append(groups, k.group)
	}
	return fmt.Sprintf("%sSELECT %s,\n  %s\nFROM %s\nWHERE %s\nGROUP BY %s\nORDER BY sum(${unit}) DESC\nLIMIT %d",
		s.one(), strings.Join(shown, ", "), rates, s.name, s.where, strings.Join(groups, ", "), limit)
}

// over is the traffic over time by a key. label is the text of the key, or of what join found for it. The nine
// largest have names, with their total behind, and the rest is one series.
func (s source) over(column, label, join string) string {
	if join != "" {
		join = "\n        " + join
	}
	return fmt.Sprintf(`SELECT time, concat(label, ', ', %[1]s) AS series, amount / %[2]s AS `+"`${unit:text}`"+`
FROM (
  SELECT time, label, sum(part) AS amount, sum(amount) OVER (PARTITION BY label) AS total
  FROM (
    SELECT time, amount AS part, if(dense_rank() OVER (ORDER BY total DESC, label) <= 9, label, 'other') AS label
    FROM (
      SELECT time, %[3]s AS label, sum(part) AS amount, sum(amount) OVER (PARTITION BY label) AS total
      FROM (
        %[4]sSELECT %[5]s AS time, %[6]s AS key, sum(${unit}) AS part
        FROM %[7]s
        WHERE %[8]s
        GROUP BY time, key
      ) AS parts%[9]s
      GROUP BY time, label
    )
  )
  GROUP BY time, label
)
ORDER BY time`, humanTotal, s.step(), label, s.one(), s.bucket(), column, s.name, s.where, join)
}

// humanTotal is the column total as text in the unit of its sum.
const humanTotal = "if('${unit:text}' = 'bits/s', formatReadableDecimalSize(total / 8), formatReadableQuantity(total))"

// text is an address as people write it.
func text(address string) string { return "replaceOne(toString(" + address + "), '::ffff:', '')" }

// named is a number as text, by a table of names.
func named(number string, names []string) string {
	var numbers, texts []string
	for _, n := range names {
		number, text, _ := strings.Cut(n, " ")
		numbers, texts = append(numbers, number), append(texts, "'"+text+"'")
	}
	return fmt.Sprintf("transform(%[1]s, [%[2]s], [%[3]s], toString(%[1]s))", number, strings.Join(numbers, ", "), strings.Join(texts, ", "))
}

// protocolName and serviceName ask the dictionaries of names.
func protocolName(number string) string {
	return fmt.Sprintf("dictGetOrDefault('protocols', 'name', toUInt64(%[1]s), toString(%[1]s))", number)
}

func serviceName(proto, port string) string {
	return fmt.Sprintf("concat(%s, ' ', dictGetOrDefault('services', 'name', (toUInt8(%s), toUInt16(%s)), toString(%[3]s)))", protocolName(proto), proto, port)
}
