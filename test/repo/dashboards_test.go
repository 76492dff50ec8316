// SPDX-License-Identifier: Apache-2.0

package repo_test

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

func TestDashboardsShowMetricsThatExist(t *testing.T) {
	t.Parallel()
	var known []string
	for _, m := range metrics(t) {
		known = append(known, m.name)
		if m.kind == "histogram" {
			known = append(known, m.name+"_bucket", m.name+"_sum", m.name+"_count")
		}
	}
	boards, err := filepath.Glob(filepath.Join(top, "dashboards", "*.json"))
	if err != nil || len(boards) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	name := regexp.MustCompile(`\bweir_\w+`)
	for _, path := range boards {
		path = "dashboards/" + filepath.Base(path)
		for _, expr := range expressions(t, path) {
			for _, n := range name.FindAllString(expr, -1) {
				if !slices.Contains(known, n) {
					t.Errorf("%s: no service has %s", path, n)
				}
			}
		}
	}
}

// expressions lists the queries of a dashboard.
func expressions(t *testing.T, path string) []string {
	t.Helper()
	var board struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal([]byte(read(t, path)), &board); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var all []string
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			if target.Expr != "" { // else it asks ClickHouse
				all = append(all, target.Expr)
			}
		}
	}
	return all
}
