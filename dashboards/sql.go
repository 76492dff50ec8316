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

// source is a table to sum up: its time, what selects its rows, its shortest window in seconds, and what is
// computed of a row for the sums.
type source struct{ name, time, where, window, with string }

func rollups() source { return source{rollup, "window_start", chosen, "${resolution}", ""} }

// rawFlows is the table flows, where sum(flows) is the number of rows.
func rawFlows() source {
	return source{"flows", "time_received_ns", chosenFlows, "10", "WITH toUInt64(1) AS flows\n"}
}

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

// key is a column of a table: how it is shown, and the columns that rows are grouped by for that. What is
// computed has a name: "least(src_port, dst_port) AS port".
type key struct {
	name, show string
	columns    []string
}

// by is a key that is shown as it is.
func by(name, column string) key { return key{name, column, []string{column}} }

// top is a table of the keys with the most traffic: its rate over the time range, and sums. Only what is in
// the table is made readable.
func (s source) top(limit int, keys ...key) string {
	var shown, columns, groups []string
	for _, k := range keys {
		shown, columns = append(shown, k.show+" AS `"+k.name+"`"), append(columns, k.columns...)
	}
	for _, c := range columns {
		groups = append(groups, c[strings.LastIndexByte(c, ' ')+1:])
	}
	return fmt.Sprintf("SELECT %s,\n  amount / %s AS `${unit:text}`, octets AS `bytes`, frames AS `packets`, records AS `flow count`\nFROM (\n"+
		"  %sSELECT %s, sum(${unit}) AS amount, sum(bytes_scaled) AS octets, sum(packets_scaled) AS frames, sum(flows) AS records\n  FROM %s\n  WHERE %s\n  GROUP BY %s\n  ORDER BY amount DESC\n  LIMIT %d\n)\nORDER BY amount DESC",
		strings.Join(shown, ", "), seconds, s.with, strings.Join(columns, ", "), s.name, s.where, strings.Join(groups, ", "), limit)
}

// over is the traffic over time by a key of which there are few. label is the text of the key, or of what
// join found for it. The nine largest labels have a series, with their total behind, and the rest is one.
func (s source) over(column, label, join string) string {
	if join != "" {
		join = "\n        " + join
	}
	return s.series(fmt.Sprintf(`SELECT time, amount AS part, if(dense_rank() OVER (ORDER BY total DESC, label) <= 9, label, 'other') AS label
    FROM (
      SELECT time, %s AS label, sum(part) AS amount, sum(amount) OVER (PARTITION BY label) AS total
      FROM (
        %sSELECT %s AS time, %s AS key, sum(${unit}) AS part
        FROM %s
        WHERE %s
        GROUP BY time, key
      ) AS parts%s
      GROUP BY time, label
    )`, label, s.with, s.bucket(), column, s.name, s.where, join))
}

// overMany is over for a key of which there are many: first the nine largest are found, then the others are one.
func (s source) overMany(column, label, join string) string {
	if join != "" {
		join = "\n    " + join
	}
	return s.series(fmt.Sprintf(`SELECT time, part, if(parts.large, %s, 'other') AS label
    FROM (
      %[2]sSELECT %[3]s AS time, %[4]s IN (
          %[2]sSELECT %[4]s FROM %[5]s WHERE %[6]s GROUP BY 1 ORDER BY sum(${unit}) DESC LIMIT 9
        ) AS large, if(large, %[4]s, defaultValueOfArgumentType(%[4]s)) AS key, sum(${unit}) AS part
      FROM %[5]s
      WHERE %[6]s
      GROUP BY time, large, key
    ) AS parts%[7]s`, label, s.with, s.bucket(), column, s.name, s.where, join))
}

// series has the columns of a graph, from parts of labels.
func (s source) series(parts string) string {
	return fmt.Sprintf(`SELECT time, concat(label, ', ', %s) AS series, amount / %s AS `+"`${unit:text}`"+`
FROM (
  SELECT time, label, sum(part) AS amount, sum(amount) OVER (PARTITION BY label) AS total
  FROM (
    %s
  )
  GROUP BY time, label
)
ORDER BY time`, humanTotal, s.step(), parts)
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
