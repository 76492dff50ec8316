// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// rule is an alert rule of Prometheus or of Grafana.
type rule struct {
	Alert       string            `yaml:"alert"` // Prometheus
	Expr        string            `yaml:"expr"`
	UID         string            `yaml:"uid"` // Grafana
	Title       string            `yaml:"title"`
	Condition   string            `yaml:"condition"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
	Data        []struct {
		RefID         string `yaml:"refId"`
		DatasourceUID string `yaml:"datasourceUid"`
		Model         struct {
			RawSQL     string `yaml:"rawSql"`
			Type       string `yaml:"type"`
			Expression string `yaml:"expression"`
			Conditions []struct {
				Evaluator struct {
					Type   string    `yaml:"type"`
					Params []float64 `yaml:"params"`
				} `yaml:"evaluator"`
			} `yaml:"conditions"`
		} `yaml:"model"`
	} `yaml:"data"`
}

const (
	prometheusRules = "deploy/prometheus/rules.yaml"
	grafanaRules    = "deploy/compose/grafana/alerts.yaml"
)

// rulesOf reads a file of rules.
func rulesOf(t *testing.T, path string) (all []rule) {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal([]byte(read(t, path)), &file); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatalf("%s: has no rules", path)
	}
	return all
}

// TestAlertsHaveARunbook: each rule leads to a paragraph of docs/operate.md, and each paragraph there has one.
func TestAlertsHaveARunbook(t *testing.T) {
	t.Parallel()
	_, section, _ := strings.Cut(read(t, "docs/operate.md"), "\n## Alerts\n")
	section, _, _ = strings.Cut(section, "\n## ")
	paragraphs := map[string]bool{} // anchor: some rule leads there
	for _, m := range regexp.MustCompile(`(?m)^### (.+)$`).FindAllStringSubmatch(section, -1) {
		paragraphs[strings.ReplaceAll(strings.ToLower(m[1]), " ", "-")] = false
	}
	for _, r := range slices.Concat(rulesOf(t, prometheusRules), rulesOf(t, grafanaRules)) {
		name := r.Alert + r.UID
		anchor, ok := strings.CutPrefix(r.Annotations["runbook_url"], "https://github.com/weirflow/weir/blob/main/docs/operate.md#")
		if _, found := paragraphs[anchor]; !ok || !found {
			t.Errorf("%s: %q leads to no paragraph; there are %v", name, r.Annotations["runbook_url"], slices.Sorted(maps.Keys(paragraphs)))
		}
		paragraphs[anchor] = true
		if r.Annotations["summary"] == "" || !slices.Contains([]string{"info", "warning", "critical"}, r.Labels["severity"]) {
			t.Errorf("%s: has no summary or no severity", name)
		}
	}
	for anchor, used := range paragraphs {
		if !used {
			t.Errorf("docs/operate.md#%s: no alert leads there", anchor)
		}
	}
}

// TestGrafanaTakesTheAlertsAsTheyAre: it would put environment variables where there are dollar signs, and a
// condition must be the threshold of a query of ClickHouse.
func TestGrafanaTakesTheAlertsAsTheyAre(t *testing.T) {
	t.Parallel()
	if strings.Contains(read(t, grafanaRules), "$") {
		t.Errorf("%s has a dollar sign", grafanaRules)
	}
	uids := map[string]bool{}
	all := boards(t)
	for _, r := range rulesOf(t, grafanaRules) {
		if uids[r.UID] || r.UID == "" || len(r.UID) > 40 {
			t.Errorf("uid %q is there twice, or none", r.UID)
		}
		uids[r.UID] = true
		query, threshold := r.Data[0], r.Data[1]
		if query.DatasourceUID != "clickhouse" || query.Model.RawSQL == "" || threshold.DatasourceUID != "__expr__" || threshold.Model.Type != "threshold" ||
			threshold.Model.Expression != query.RefID || r.Condition != threshold.RefID {
			t.Errorf("%s: its condition is not the threshold of a query: %+v", r.UID, r.Data)
		}
		if !slices.ContainsFunc(all, func(b board) bool { return b.UID == r.Annotations["__dashboardUid__"] }) {
			t.Errorf("%s: leads to dashboard %q", r.UID, r.Annotations["__dashboardUid__"])
		}
	}
}

// firing is what the demo data fire, by rule: the exporters that the generator made so.
var firing = map[string][]string{
	"weir-exporter-loss":    {"10.255.0.2"},
	"weir-template-missing": {"2001:db8:ff::4"},
	"weir-sampling-unknown": {"2001:db8:ff::4"},
	// The day and the week before had a tenth and a twentieth of the flows.
	"weir-traffic-more": {"10.255.0.1", "10.255.0.2", "10.255.0.3", "2001:db8:ff::4"},
}

// testAlerts asks the queries of Grafana's alerts at the end of the demo data, and an hour after it.
func (s *store) testAlerts(t *testing.T) {
	t.Helper()
	for _, r := range rulesOf(t, grafanaRules) {
		got := s.fires(t, r, fmt.Sprintf("toDateTime(%d)", s.to.Unix()))
		if want := firing[r.UID]; !slices.Equal(got, want) && r.UID != "weir-clickhouse-disk" { // that is the disk of this machine
			t.Errorf("%s fires for %v, want %v", r.UID, got, want)
		}
		if r.UID == "weir-exporter-silent" {
			if got := s.fires(t, r, fmt.Sprintf("toDateTime(%d)", s.to.Unix()+3600)); len(got) != len(demoExporters()) {
				t.Errorf("%s fires for %v an hour later, want all exporters", r.UID, got)
			}
		}
	}
}

// fires returns the first label of the rows for which a rule fires.
func (s *store) fires(t *testing.T, r rule, now string) (labels []string) {
	t.Helper()
	got := s.ask(t, asked{}, strings.ReplaceAll(r.Data[0].Model.RawSQL, "now()", now))
	limit := r.Data[1].Model.Conditions[0].Evaluator
	if len(got.columns) != 2 || !textual.MatchString(got.columns[0].DatabaseTypeName()) || !numeric.MatchString(got.columns[1].DatabaseTypeName()) ||
		len(got.rows) == 0 && r.UID != "weir-template-missing" || limit.Type != "gt" {
		t.Fatalf("%s: %d rows of %d columns; want a text and a number each, to compare by gt", r.UID, len(got.rows), len(got.columns))
	}
	for row := range got.rows {
		if got.number(t, row, "value") > limit.Params[0] {
			labels = append(labels, got.text(row, 0))
		}
	}
	slices.Sort(labels)
	return labels
}
