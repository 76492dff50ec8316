// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"fmt"
	"strings"
)

const (
	scaled     = "Scaled by the sampling interval."
	everyone   = "Each exporter counts: a flow that two of them saw is in it twice; choose one site, or one side of the network, to avoid that."
	ofExporter = scaled + " " + everyone
)

func overview() dashboard {
	return board("weir-overview", "overview", "What the network carries now, and what is different from yesterday and last week.", nil,
		stat("Against a day and a week before", "Average rates over the time range, and over the same range a day and a week before. "+ofExporter, full, compared()),
		lines("Now, a day and a week before", "Rates over time, and those a day and a week before. "+ofExporter, full, overlaid()),
		areas("By protocol", "Rates by IP protocol, with totals. "+ofExporter, half, rollups().over("proto", protocolName("key"), "")),
		areas("By site", "Rates by site of the exporter, as enrich names it, with totals. "+ofExporter, half,
			rollups().over("sampler_address", "if(n.site = '', 'no site', n.site)", "LEFT JOIN "+exporterNames+" AS n ON n.sampler_address = parts.key")),
		areas("By exporter", "Rates by exporter, with totals. "+ofExporter, half,
			rollups().over("sampler_address", "if(n.name = '', "+text("parts.key")+", n.name)", "LEFT JOIN "+exporterNames+" AS n ON n.sampler_address = parts.key")),
		areas("By IP version", "Rates by EtherType, with totals. "+ofExporter, half,
			rollups().over("etype", named("key", []string{"2048 IPv4", "34525 IPv6"}), "")),
		areas("By source AS", "Rates by the AS of the source address, with totals. "+ofExporter, half, rollups().overMany("src_origin_as", asLabel, asJoin)),
		areas("By destination AS", "Rates by the AS of the destination address, with totals. "+ofExporter, half, rollups().overMany("dst_origin_as", asLabel, asJoin)),
		areas("By source country", "Rates by the country of the source address, with totals. "+ofExporter, half, rollups().over("src_country", countryLabel, "")),
		areas("By destination country", "Rates by the country of the destination address, with totals. "+ofExporter, half, rollups().over("dst_country", countryLabel, "")),
		table("What changed most", "Average rates over the time range and over the same range a day before, by AS, country and protocol. "+ofExporter, full, changed()),
	)
}

const (
	asLabel      = "concat('AS', toString(key), if(n.name = '', '', concat(' ', n.name)))"
	asJoin       = "LEFT JOIN " + asNames + " AS n ON n.number = parts.key"
	countryLabel = "if(key = '', 'unknown', toString(key))"
)

// before is the source of the same range some days before.
func (s source) before(days int) source {
	shift := fmt.Sprintf(" - INTERVAL %d DAY", days)
	s.where = strings.Replace(s.where, "$__timeFilter("+s.time+")",
		fmt.Sprintf("%[1]s >= $__fromTime%[2]s AND %[1]s <= $__toTime%[2]s", s.time, shift), 1)
	return s
}

// compared is one row of three rates.
func compared() string {
	day := func(days int) string {
		s := rollups().before(days)
		return fmt.Sprintf("SELECT %d AS days, sum(${unit}) / %s AS rate FROM %s WHERE %s", days, seconds, s.name, s.where)
	}
	return "SELECT sumIf(rate, days = 0) AS `now, ${unit:text}`, sumIf(rate, days = 1) AS `a day before, ${unit:text}`, sumIf(rate, days = 7) AS `a week before, ${unit:text}`\nFROM (\n" +
		strings.Join([]string{day(0), day(1), day(7)}, "\nUNION ALL\n") + "\n)"
}

// overlaid is a series for each of three days.
func overlaid() string {
	series := func(name string, days int) string {
		s := rollups().before(days)
		return fmt.Sprintf("SELECT toStartOfInterval(window_start + INTERVAL %d DAY, toIntervalSecond(%s)) AS time, '%s' AS series, sum(${unit}) / %s AS `${unit:text}`\nFROM %s\nWHERE %s\nGROUP BY time",
			days, s.step(), name, s.step(), s.name, s.where)
	}
	return "SELECT * FROM (\n" + series("now", 0) + "\nUNION ALL\n" + series("a day before", 1) + "\nUNION ALL\n" + series("a week before", 7) + "\n)\nORDER BY time"
}

// changed is a row for each of the keys whose rates differ most from those of a day before. Keys are a kind, a
// number and a text, which become readable at the end.
func changed() string {
	inner := func(s source, isNow string) string {
		return "SELECT arrayJoin([(1, toUInt64(src_origin_as), ''), (2, toUInt64(dst_origin_as), ''), (3, 0, toString(src_country)), (4, 0, toString(dst_country)), (5, toUInt64(proto), '')]) AS k,\n" +
			"  " + isNow + " AS is_now, sum(${unit}) AS v\nFROM " + s.name + "\nWHERE " + s.where + "\nGROUP BY k"
	}
	return fmt.Sprintf(`SELECT ['source AS', 'destination AS', 'source country', 'destination country', 'protocol'][k.1] AS what,
  multiIf(k.1 = 5, %[1]s, k.1 <= 2, concat('AS', toString(k.2)), k.3 = '', 'unknown', k.3) AS name,
  sumIf(v, is_now) / %[2]s AS `+"`now, ${unit:text}`, sumIf(v, NOT is_now) / %[2]s AS `a day before, ${unit:text}`"+`,
  if(sumIf(v, NOT is_now) = 0, NULL, sumIf(v, is_now) / sumIf(v, NOT is_now) - 1) AS `+"`change`"+`
FROM (
%[3]s
UNION ALL
%[4]s
)
GROUP BY k
ORDER BY abs(toFloat64(sumIf(v, is_now)) - sumIf(v, NOT is_now)) DESC
LIMIT 50`, protocolName("k.2"), seconds, inner(rollups(), "true"), inner(rollups().before(1), "false"))
}
