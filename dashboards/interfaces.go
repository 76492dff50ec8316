// SPDX-License-Identifier: Apache-2.0

package dashboards

import "strings"

// interfaceRows is the condition of interfaces_1m.
const interfaceRows = "$__timeFilter(window_start)\n  AND " + byExporter + "\n  AND " + bySite +
	"\n  AND $__conditionalAll(interface IN (${interface:csv}), $interface)\n  AND ${direction} IN (2, direction)"

// counterRows is that of interface_counters; a counter that the agent does not have is all ones.
const counterRows = "$__timeFilter(time_received_ns)\n  AND " + byExporter + "\n  AND $__conditionalAll(if_index IN (${interface:csv}), $interface)"

const interfaceLabel = "concat(if(n.name = '', concat(" + exporterText + ", ' ', toString(parts.key.2)), concat(" + exporterText + ", ' ', n.name)), if(parts.key.3 = 0, ' in', ' out'))"

const exporterText = "replaceOne(toString(parts.key.1), '::ffff:', '')"

func interfaces() dashboard {
	rows := source{"interfaces_1m", "window_start", interfaceRows, "60", ""}
	names := "LEFT JOIN " + interfaceNames + " AS n ON n.sampler_address = parts.key.1 AND n.interface = parts.key.2"
	return board("weir-interfaces", "interfaces", "How full interfaces are: from flows, and from sFlow's counters where agents send them.", nil,
		lines("Rates", "Rates of the nine busiest interfaces and directions, with totals. "+scaled, full, rows.over("(sampler_address, interface, direction)", interfaceLabel, names)),
		table("Interfaces", "Average over the time range; the 95th percentile is that of five-minute averages, those without traffic included; utilisation is of it, where enrich knows the speed. "+scaled, full, utilisation()),
		lines("Utilisation", "Share of the interface's speed, for the interfaces and directions that are fullest at some time. "+scaled, full, utilisationOverTime()),
		table("Flows beside counters", "Average bits per second from flows and from sFlow's counters, and by how much flows differ. Flows count IP or frame lengths as their protocol does; counters count octets at the interface. "+scaled, full, besideCounters()),
		lines("Counters", "Bits per second from sFlow's counters, by interface and direction; restarts of a counter are left out. Sampling does not matter here.", half, counterRates()),
		table("Errors and discards", "Increases of sFlow's counters over the time range. Sampling does not matter here.", half, counterErrors()),
	)
}

// perFiveMinutes has the average rate of each interface and direction.
const perFiveMinutes = "SELECT sampler_address, interface, direction, toStartOfFiveMinutes(window_start) AS at, sum(bytes_scaled) * 8 / 300 AS rate, max(interface_speed) AS speed\n" +
	"  FROM interfaces_1m\n  WHERE " + interfaceRows + "\n  GROUP BY sampler_address, interface, direction, at"

func utilisation() string {
	// As many five minutes as the time range has; those without traffic have no row.
	const buckets = "toUInt32(greatest(intDiv($__toTime - $__fromTime + 299, 300), 1))"
	all := func(direction string) string {
		found := "groupArrayIf(rate, direction = " + direction + ")"
		return "arraySort(arrayResize(" + found + ", greatest(length(" + found + "), " + buckets + ")))"
	}
	p95 := func(rates string) string { return rates + "[toUInt32(ceil(0.95 * length(" + rates + ")))]" }
	ratio := func(value string) string { return "if(speed = 0, NULL, " + value + " / speed)" }
	return "SELECT if(e.name = '', address, e.name) AS `exporter`, address, i.interface AS interface, n.name AS name, n.description AS description, speed AS `speed`,\n" +
		"  average_in AS `in`, " + p95("rates_in") + " AS `p95 in`, " + ratio("`p95 in`") + " AS `utilisation in`,\n" +
		"  average_out AS `out`, " + p95("rates_out") + " AS `p95 out`, " + ratio("`p95 out`") + ` AS ` + "`utilisation out`" + `
FROM (
  SELECT sampler_address, ` + text("sampler_address") + ` AS address, interface, toUInt64(max(speed)) AS speed, ` + all("0") + ` AS rates_in, ` + all("1") + ` AS rates_out,
    arraySum(rates_in) * 300 / ` + seconds + ` AS average_in, arraySum(rates_out) * 300 / ` + seconds + ` AS average_out
  FROM (` + perFiveMinutes + `)
  GROUP BY sampler_address, interface
) AS i
LEFT JOIN ` + interfaceNames + ` AS n ON n.sampler_address = i.sampler_address AND n.interface = i.interface
LEFT JOIN ` + exporterNames + ` AS e ON e.sampler_address = i.sampler_address
ORDER BY greatest(` + "`p95 in`, `p95 out`" + `) DESC
LIMIT 500`
}

func utilisationOverTime() string {
	share := "`share`"
	return strings.NewReplacer("{step}", "greatest($__interval_s, 60)", "{share}", share).Replace(`SELECT time, series, used / {step} AS {share}
FROM (
  SELECT time, concat(` + strings.ReplaceAll(exporterText, "parts.key.1", "i.sampler_address") + `, ' ', if(n.name = '', toString(i.interface), n.name), if(direction = 0, ' in', ' out')) AS series,
    used, dense_rank() OVER (ORDER BY fullest DESC, i.sampler_address, i.interface, direction) AS rank
  FROM (
    SELECT toStartOfInterval(window_start, toIntervalSecond({step})) AS time, sampler_address, interface, direction,
      sum(bytes_scaled) * 8 / max(interface_speed) AS used, max(used) OVER (PARTITION BY sampler_address, interface, direction) AS fullest
    FROM interfaces_1m
    WHERE ` + interfaceRows + ` AND interface_speed > 0
    GROUP BY time, sampler_address, interface, direction
  ) AS i
  LEFT JOIN ` + interfaceNames + ` AS n ON n.sampler_address = i.sampler_address AND n.interface = i.interface
)
WHERE rank <= 10
ORDER BY time`)
}

// increase is how much a counter grew from sample to sample, in order of time; where it shrank it began anew.
func increase(column, none string) string {
	return "arraySum(d -> greatest(d, 0), arrayDifference(arrayMap(x -> toInt64(x.2), arraySort(groupArrayIf((time_received_ns, " + column + "), " + column + " != " + none + ")))))"
}

const (
	none64 = "18446744073709551615"
	none32 = "4294967295"
)

func besideCounters() string {
	span := "greatest(toUnixTimestamp64Milli(max(time_received_ns)) - toUnixTimestamp64Milli(min(time_received_ns)), 1) / 1000"
	difference := func(flows, counters string) string {
		return "if(" + counters + " = 0, NULL, " + flows + " / " + counters + " - 1)"
	}
	return `SELECT if(e.name = '', ` + text("c.sampler_address") + `, e.name) AS ` + "`exporter`, " + text("c.sampler_address") + ` AS address, c.if_index AS interface, n.name AS name,
  f.bits_in AS ` + "`in`, c.bits_in AS `counters in`, " + difference("f.bits_in", "c.bits_in") + " AS `difference in`,\n  f.bits_out AS `out`, c.bits_out AS `counters out`, " + difference("f.bits_out", "c.bits_out") + " AS `difference out`" + `
FROM (
  SELECT sampler_address, if_index, ` + increase("in_octets", none64) + ` * 8 / (` + span + `) AS bits_in, ` + increase("out_octets", none64) + ` * 8 / (` + span + `) AS bits_out
  FROM interface_counters
  WHERE ` + counterRows + `
  GROUP BY sampler_address, if_index
) AS c
LEFT JOIN (
  SELECT sampler_address, interface, sumIf(bytes_scaled, direction = 0) * 8 / ` + seconds + ` AS bits_in, sumIf(bytes_scaled, direction = 1) * 8 / ` + seconds + ` AS bits_out
  FROM interfaces_1m
  WHERE ` + interfaceRows + `
  GROUP BY sampler_address, interface
) AS f ON f.sampler_address = c.sampler_address AND f.interface = c.if_index
LEFT JOIN ` + interfaceNames + ` AS n ON n.sampler_address = c.sampler_address AND n.interface = c.if_index
LEFT JOIN ` + exporterNames + ` AS e ON e.sampler_address = c.sampler_address
ORDER BY greatest(c.bits_in, c.bits_out) DESC
LIMIT 500`
}

func counterRates() string {
	return strings.ReplaceAll(`SELECT toStartOfInterval(time_received_ns, toIntervalSecond(greatest($__interval_s, 60))) AS time,
  concat(`+strings.ReplaceAll(exporterText, "parts.key.1", "sampler_address")+`, ' ', toString(if_index), side.1) AS series, avg(side.2) AS {in}
FROM (
  SELECT time_received_ns, sampler_address, if_index, arrayJoin([(' in', in_octets, before_in), (' out', out_octets, before_out)]) AS counter,
    (counter.1, if(counter.2 >= counter.3, (counter.2 - counter.3) * 8000 / (toUnixTimestamp64Milli(time_received_ns) - toUnixTimestamp64Milli(before)), NULL)) AS side
  FROM (
    SELECT time_received_ns, sampler_address, if_index, in_octets, out_octets, lagInFrame(in_octets) OVER w AS before_in, lagInFrame(out_octets) OVER w AS before_out,
      lagInFrame(time_received_ns) OVER w AS before
    FROM interface_counters
    WHERE `+counterRows+` AND in_octets != `+none64+`
    WINDOW w AS (PARTITION BY sampler_address, if_index ORDER BY time_received_ns ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
  )
  WHERE before > toDateTime64(0, 9) AND before < time_received_ns
)
GROUP BY time, series
ORDER BY time`, "{in}", "`in`")
}

func counterErrors() string {
	var sums []string
	for _, c := range []string{"in_errors", "out_errors", "in_discards", "out_discards", "fcs_errors"} {
		sums = append(sums, increase(c, none32)+" AS `"+strings.ReplaceAll(c, "_", " ")+"`")
	}
	return "SELECT " + text("sampler_address") + " AS `exporter`, `exporter` AS address, if_index AS interface, argMax(if_oper_up, time_received_ns) AS up,\n  " + strings.Join(sums, ",\n  ") +
		"\nFROM interface_counters\nWHERE " + counterRows + "\nGROUP BY sampler_address, if_index\nORDER BY `in errors` + `out errors` + `in discards` + `out discards` DESC\nLIMIT 100"
}
