// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// alert is a rule of Grafana on ClickHouse: sql returns a row for each thing that it may fire for, with
// texts that become labels and one number. It fires where the number is above a limit for some time.
//
// Grafana puts environment variables where a provisioning file has a dollar sign, so there is none:
// queries take the time from now(), and texts their labels from .Labels.
type alert struct {
	uid, title, severity string
	summary              string
	runbook              string // anchor in docs/operate.md
	board                string // uid of the dashboard to look at
	above                float64
	pending              string
	sql                  string
}

const newest = "now() - INTERVAL 30 MINUTE"

// ofHealth is a query of exporter_health by exporter.
func ofHealth(value, having string) string {
	return "SELECT " + text("exporter") + " AS address, " + value + " AS value\nFROM exporter_health\nWHERE time >= " + newest + "\nGROUP BY exporter\nHAVING " + having
}

func alerts() []alert {
	return []alert{
		{
			"weir-exporter-silent", "An exporter is silent", "warning",
			"No flow of {{ .Labels.address }} for 15 minutes, after it sent some today.", "an-exporter-is-silent", "weir-exporters", 900, "5m",
			"SELECT " + text("sampler_address") + " AS address, toFloat64(now() - max(window_start) - 300) AS value\nFROM flows_5m\nWHERE window_start >= now() - INTERVAL 1 DAY\nGROUP BY sampler_address",
		},
		{
			"weir-exporter-loss", "An exporter loses datagrams", "warning",
			"{{ .Labels.address }}: more than 1 of 100 datagrams did not come in half an hour.", "an-exporter-loses-datagrams", "weir-exporters", 0.01, "10m",
			ofHealth("greatest(sum(missing), 0) / greatest(sum(datagrams) + greatest(sum(missing), 0), 1)", "sum(datagrams) > 0"),
		},
		{
			"weir-template-missing", "A template is missing", "warning",
			"{{ .Labels.address }} has sent records without their template in each of the last ten minutes.", "a-template-is-missing", "weir-exporters", 9, "10m",
			"SELECT address, toFloat64(count()) AS value\nFROM (\n  SELECT " + text("exporter") + " AS address, toStartOfMinute(time) AS minute\n  FROM exporter_health\n  WHERE time >= now() - INTERVAL 11 MINUTE AND template_unknown + held > 0\n  GROUP BY exporter, minute\n)\nGROUP BY address",
		},
		{
			"weir-sampling-unknown", "A sampling interval is unknown", "warning",
			"{{ .Labels.address }} tells no sampling interval: its traffic is shown as it is exported, and may be many times more.", "sampling-is-unknown", "weir-exporters", 0.01, "15m",
			ofHealth("sum(sampling_unknown) / sum(flows)", "sum(flows) > 0"),
		},
		{
			"weir-clock-skew", "A clock is wrong", "warning",
			"The clock of {{ .Labels.address }} is wrong by more than a minute.", "a-clock-is-wrong", "weir-exporters", 60, "15m",
			ofHealth("greatest(max(clock_ahead_ms), max(clock_behind_ms)) / 1000", "sum(datagrams) > 0"),
		},
		{
			"weir-traffic-more", "Traffic is unusual: much more", "info",
			"Exporter {{ .Labels.address }} sees more than three times the traffic of the same hour a day and a week ago.", "traffic-is-unusual", "weir-overview", 3, "15m",
			traffic("now / greatest(day, week, 1)"),
		},
		{
			"weir-traffic-less", "Traffic is unusual: much less", "info",
			"Exporter {{ .Labels.address }} sees less than a third of the traffic of the same hour a day and a week ago.", "traffic-is-unusual", "weir-overview", 3, "15m",
			traffic("least(day, week) / greatest(now, 1)"),
		},
		{
			"weir-clickhouse-disk", "ClickHouse's disk fills", "critical",
			"The disk {{ .Labels.disk }} of ClickHouse is more than 85 of 100 full.", "a-disk-fills", "weir-pipeline", 0.85, "10m",
			"SELECT name AS disk, 1 - free_space / total_space AS value\nFROM system.disks\nWHERE total_space > 0",
		},
	}
}

// traffic compares an hour of exporters that were there a day and a week ago with those times.
func traffic(value string) string {
	sum := func(shift string) string {
		return "toFloat64(sumIf(bytes_scaled, window_start >= now() - INTERVAL 65 MINUTE" + shift + " AND window_start < now() - INTERVAL 5 MINUTE" + shift + "))"
	}
	hour := func(shift string) string {
		return "window_start >= now() - INTERVAL 65 MINUTE" + shift + " AND window_start < now() - INTERVAL 5 MINUTE" + shift
	}
	return "SELECT " + text("sampler_address") + " AS address, " + value + " AS value\nFROM (\n  SELECT sampler_address, " + sum("") + " AS now, " +
		sum(" - INTERVAL 1 DAY") + " AS day, " + sum(" - INTERVAL 7 DAY") + " AS week\n  FROM flows_5m\n  WHERE " +
		strings.Join([]string{hour(""), hour(" - INTERVAL 1 DAY"), hour(" - INTERVAL 7 DAY")}, "\n    OR ") +
		"\n  GROUP BY sampler_address\n)\nWHERE day > 0 AND week > 0"
}

const runbook = "https://github.com/weirflow/weir/blob/main/docs/operate.md#"

// provisioned is the file that Grafana reads alert rules from.
func provisioned() ([]byte, error) {
	var rules []object
	for _, a := range alerts() {
		rules = append(rules, object{
			"uid": a.uid, "title": a.title, "condition": "fires", "for": a.pending, "noDataState": "OK", "execErrState": "Error",
			"labels":      object{"severity": a.severity},
			"annotations": object{"summary": a.summary, "runbook_url": runbook + a.runbook, "__dashboardUid__": a.board},
			"data": []object{
				{"refId": "value", "datasourceUid": clickhouse().UID, "relativeTimeRange": object{"from": 1800, "to": 0}, "model": object{
					"refId": "value", "editorType": "sql", "format": asTable, "queryType": "table", "rawSql": a.sql,
				}},
				{"refId": "fires", "datasourceUid": "__expr__", "relativeTimeRange": object{"from": 1800, "to": 0}, "model": object{
					"refId": "fires", "type": "threshold", "expression": "value",
					"conditions": []object{{"evaluator": object{"type": "gt", "params": []float64{a.above}}}},
				}},
			},
		})
	}
	text, err := yaml.Marshal(object{
		"apiVersion": 1, "groups": []object{{"orgId": 1, "name": "weir", "folder": "Weir", "interval": "1m", "rules": rules}},
	})
	return append([]byte("# Written by make generate from dashboards/alerts.go.\n"), text...), err
}
