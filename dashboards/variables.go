// SPDX-License-Identifier: Apache-2.0

package dashboards

import "strings"

// shared are the variables that a link passes on.
var shared = []string{"site", "tenant", "exporter", "interface", "direction", "unit", "ip_version"}

// variables are those of every dashboard.
func variables() []object {
	return []object{
		query("site", "Site", "Sites of exporters.", namesOf("exporter_site")),
		query("tenant", "Tenant", "Tenants of exporters.", namesOf("exporter_tenant")),
		query("exporter", "Exporter", "Exporters with flows in the time range, of the chosen sites and tenants.", `
SELECT `+text("e.sampler_address")+` AS value, if(n.name = '', value, concat(n.name, ' (', value, ')')) AS text
FROM (SELECT sampler_address FROM flows_${resolution:text} WHERE $__timeFilter(window_start) AND `+bySite+` GROUP BY sampler_address) AS e
LEFT JOIN `+exporterNames+` AS n ON n.sampler_address = e.sampler_address
ORDER BY text`),
		query("interface", "Interface", "Interfaces of the chosen exporters, by their index; names where only one exporter is meant.", `
SELECT toString(i.interface) AS value, if(uniqExact(i.sampler_address) > 1, concat(value, ' of ', toString(uniqExact(i.sampler_address)), ' exporters'),
  if(any(n.name) = '', concat('interface ', value), concat(any(n.name), ' ', any(n.description)))) AS text
FROM (SELECT sampler_address, interface FROM interfaces_1m WHERE $__timeFilter(window_start) AND `+byExporter+` AND `+bySite+` GROUP BY sampler_address, interface) AS i
LEFT JOIN `+interfaceNames+` AS n ON n.sampler_address = i.sampler_address AND n.interface = i.interface
GROUP BY i.interface
ORDER BY i.interface`),
		choice("direction", "Direction", "Which side of the chosen interfaces and hosts counts.", [][2]string{{"both", "2"}, {"in", "0"}, {"out", "1"}}),
		choice("unit", "Unit", "What rates are of.", unitChoices()),
		choice("ip_version", "IP", "Which IP version counts.", [][2]string{{"all", "0"}, {"IPv4", "2048"}, {"IPv6", "34525"}}),
		resolution(),
	}
}

// namesOf lists what a column of the newest flows says.
func namesOf(column string) string {
	return "SELECT DISTINCT " + column + " AS value FROM flows WHERE " + recent + " AND value != '' ORDER BY value"
}

func unitChoices() (all [][2]string) {
	for _, u := range units {
		all = append(all, [2]string{u.name, u.column})
	}
	return all
}

// query is a variable whose values ClickHouse tells: one column, or the value and its text.
func query(name, label, description, sql string) object {
	return object{
		"name": name, "label": label, "description": description, "type": "query", "datasource": clickhouse(),
		"query": object{"rawSql": strings.TrimSpace(sql), "editorType": "sql", "format": asTable, "queryType": "table", "refId": "variable-" + name},
		// 2: when the time range changes.
		"definition": "", "refresh": 2, "multi": true, "includeAll": true, "hide": 0, "options": []object{}, "regex": "", "sort": 0,
		"skipUrlSync": false, "current": object{"text": []string{"All"}, "value": []string{"$__all"}},
	}
}

// choice is a variable with fixed values.
func choice(name, label, description string, values [][2]string) object {
	var options []object
	var texts []string
	for i, v := range values {
		options = append(options, object{"text": v[0], "value": v[1], "selected": i == 0})
		texts = append(texts, v[0]+" : "+v[1])
	}
	return object{
		"name": name, "label": label, "description": description, "type": "custom", "query": strings.Join(texts, ", "), "options": options,
		"multi": false, "includeAll": false, "hide": 0, "skipUrlSync": false, "current": object{"text": values[0][0], "value": values[0][1]},
	}
}

// resolution is the coarsest rollup that still draws the time range well, and keeps it and the week before: its value
// is the length of a window in seconds, its text the end of the table's name.
func resolution() object {
	v := query("resolution", "Resolution", "The rollup that is read: chosen by the time range.", `
WITH multiIf(
  $__toTime - $__fromTime <= 21600 AND $__fromTime > now() - INTERVAL 22 DAY, ('60', '1m'),
  $__toTime - $__fromTime <= 1209600 AND $__fromTime > now() - INTERVAL 350 DAY, ('300', '5m'),
  ('3600', '1h')) AS chosen
SELECT chosen.1 AS value, chosen.2 AS text`)
	v["multi"], v["includeAll"], v["skipUrlSync"], v["hide"] = false, false, true, 2
	v["current"] = object{"text": "1m", "value": "60"}
	return v
}

// host is the address that a dashboard is about.
func host() object {
	return object{
		"name": "host", "label": "Host", "description": "An IPv4 or IPv6 address.", "type": "textbox", "query": "", "hide": 0,
		"skipUrlSync": false, "options": []object{}, "current": object{"text": "", "value": ""},
	}
}
