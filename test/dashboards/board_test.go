// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// board is what the tests read of a dashboard's JSON.
type board struct {
	UID           string
	Title         string
	SchemaVersion int
	Tags          []string
	Links         []struct {
		Type                  string
		Tags                  []string
		IncludeVars, KeepTime bool
	}
	Templating struct{ List []variable }
	Panels     []panel
}

type variable struct {
	Name, Type string
	Hide       int
	Query      json.RawMessage // of a query variable: rawSql; else text
	Options    []struct{ Text, Value string }
	Current    struct{ Value any }
	IncludeAll bool
	Datasource source
}

type source struct{ Type, UID string }

type panel struct {
	ID                       int
	Type, Title, Description string
	GridPos                  struct{ X, Y, W, H int }
	Datasource               source
	Targets                  []target
	Options                  struct {
		Legend struct {
			ShowLegend bool
			Calcs      []string
		}
		Layers []struct {
			Location struct{ Lookup string }
			Config   struct {
				Style struct{ Size struct{ Field string } }
			}
		}
	}
	FieldConfig struct {
		Defaults  struct{ Unit string }
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []struct {
				ID    string
				Value json.RawMessage
			}
		}
	}
}

type target struct {
	RefID      string
	Datasource source
	RawSQL     string
	Format     int
	Expr       string
}

// read reads a file of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sql is the query of a variable, empty if it has none.
func (v variable) sql() string {
	var q struct{ RawSQL string }
	if v.Type != "query" || json.Unmarshal(v.Query, &q) != nil {
		return ""
	}
	return q.RawSQL
}

// boards reads dashboards/*.json.
func boards(t *testing.T) []board {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "dashboards", "*.json"))
	if err != nil || len(paths) < 10 {
		t.Fatalf("dashboards: %v, %v; want ten", paths, err)
	}
	var all []board
	for _, path := range paths {
		var b board
		if err := json.Unmarshal([]byte(read(t, "dashboards/"+filepath.Base(path))), &b); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if "weir-"+strings.TrimSuffix(filepath.Base(path), ".json") != b.UID {
			t.Errorf("%s: the uid is %s", path, b.UID)
		}
		all = append(all, b)
	}
	return all
}

func TestDashboardsAreValid(t *testing.T) {
	t.Parallel()
	all := boards(t)
	for _, b := range all {
		// 41 is the model of Grafana 12.0; later versions, 13 among them, read it and older ones would not.
		if b.SchemaVersion != 41 || len(b.UID) > 40 || b.Title == "" || !slices.Equal(b.Tags, []string{"weir"}) {
			t.Errorf("%s: schema version %d, title %q, tags %v", b.UID, b.SchemaVersion, b.Title, b.Tags)
		}
		if len(b.Links) != 1 || !b.Links[0].IncludeVars || !b.Links[0].KeepTime || !slices.Equal(b.Links[0].Tags, b.Tags) {
			t.Errorf("%s: links %+v do not lead to all dashboards with variables and time", b.UID, b.Links)
		}
		taken := map[[2]int]string{}
		for i, p := range b.Panels {
			if p.ID != i+1 {
				t.Errorf("%s: panel %q has id %d", b.UID, p.Title, p.ID)
			}
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
						t.Fatalf("%s: panel %q lies on %q, or beyond the grid", b.UID, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
			b.checkPanel(t, p)
		}
	}
}

func (b board) checkPanel(t *testing.T, p panel) {
	t.Helper()
	if p.Type == "row" {
		return
	}
	name := fmt.Sprintf("%s: panel %q", b.UID, p.Title)
	if !strings.HasSuffix(p.Description, ".") || len(p.Targets) == 0 {
		t.Errorf("%s: has no sentence that says what it shows, or no query", name)
	}
	known := []source{{"grafana-clickhouse-datasource", "clickhouse"}, {"prometheus", "prometheus"}}
	for _, q := range p.Targets {
		if q.Datasource != p.Datasource || !slices.Contains(known, q.Datasource) || (q.RawSQL == "") == (q.Expr == "") {
			t.Errorf("%s: query %s of data source %v", name, q.RefID, q.Datasource)
		}
		if q.RawSQL != "" && !regexp.MustCompile(`(?i)scaled|sampl|counted as they came`).MatchString(p.Description) && b.UID != "weir-exporters" {
			t.Errorf("%s: does not say whether sampling is applied: %s", name, p.Description)
		}
	}
	if p.Type == "timeseries" && (!p.Options.Legend.ShowLegend || len(p.Options.Legend.Calcs) == 0) {
		t.Errorf("%s: its legend has no totals", name)
	}
	if p.Type == "timeseries" && p.FieldConfig.Defaults.Unit == "" && len(p.FieldConfig.Overrides) == 0 {
		t.Errorf("%s: has no unit", name)
	}
}

func TestVariablesAreTheSameEverywhere(t *testing.T) {
	t.Parallel()
	all := boards(t)
	shared := all[0].Templating.List
	if len(shared) < 8 {
		t.Fatalf("%s has %d variables", all[0].UID, len(shared))
	}
	for _, b := range all {
		own := b.Templating.List
		for i, v := range shared {
			if i >= len(own) || own[i].Name != v.Name || string(own[i].Query) != string(v.Query) {
				t.Errorf("%s: variable %d is not %s as in %s", b.UID, i, v.Name, all[0].UID)
			}
		}
		for _, p := range b.Panels {
			for _, q := range p.Targets {
				for _, m := range references.FindAllStringSubmatch(q.RawSQL+q.Expr, -1) {
					if name := m[1] + m[3]; !strings.HasPrefix(name, "__") && !b.has(name) {
						t.Errorf("%s: panel %q uses %s, which is no variable", b.UID, p.Title, m[0])
					}
				}
			}
		}
	}
}

func (b board) has(name string) bool {
	return slices.ContainsFunc(b.Templating.List, func(v variable) bool { return v.Name == name })
}

// TestLinksLeadToDashboardsAndKeepVariables: a link in a table names a dashboard that exists, keeps
// the time and every visible variable, and sets one that its target has.
func TestLinksLeadToDashboardsAndKeepVariables(t *testing.T) {
	t.Parallel()
	all := boards(t)
	links := 0
	for _, b := range all {
		for _, p := range b.Panels {
			for _, o := range p.FieldConfig.Overrides {
				for _, property := range o.Properties {
					if property.ID != "links" {
						continue
					}
					var targets []struct{ URL string }
					if err := json.Unmarshal(property.Value, &targets); err != nil {
						t.Fatal(err)
					}
					for _, to := range targets {
						links++
						checkLink(t, all, b, p, to.URL)
					}
				}
			}
		}
	}
	if links == 0 {
		t.Error("no dashboard leads to another")
	}
}

func checkLink(t *testing.T, all []board, from board, p panel, link string) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatalf("%s: panel %q: %v", from.UID, p.Title, err)
	}
	i := slices.IndexFunc(all, func(b board) bool { return "/d/"+b.UID == u.Path })
	if i < 0 {
		t.Fatalf("%s: panel %q leads to %s, which is no dashboard", from.UID, p.Title, u.Path)
	}
	set := regexp.MustCompile(`var-(\w+)=`).FindStringSubmatch(link)
	if set == nil || !all[i].has(set[1]) {
		t.Errorf("%s: panel %q: %s sets no variable of %s", from.UID, p.Title, link, all[i].UID)
	}
	kept := "${__url_time_range}"
	for _, v := range all[i].Templating.List {
		if v.Hide == 0 && v.Name != set[1] && v.Type != "textbox" {
			kept += "&${" + v.Name + ":queryparam}"
		}
	}
	if !strings.HasPrefix(u.RawQuery, kept+"&var-") {
		t.Errorf("%s: panel %q: %s does not keep %s", from.UID, p.Title, link, kept)
	}
	column := regexp.MustCompile(`\$\{__data\.fields\.(\w+)\}`).FindStringSubmatch(link)
	if column != nil && !strings.Contains(p.Targets[0].RawSQL, " AS "+column[1]) && !strings.Contains(p.Targets[0].RawSQL, " AS `"+column[1]+"`") {
		t.Errorf("%s: panel %q has no column %s for its link", from.UID, p.Title, column[1])
	}
}
