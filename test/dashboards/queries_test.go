// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// empty are the panels that have no rows on the demo data, each with the reason.
var empty = map[string]string{
	"weir-services/Applications":      "no demo exporter names applications",
	"weir-geography/Next hops":        "no demo exporter tells next hops",
	"weir-exporters/Silent exporters": "all demo exporters send until the end",
}

// tables are what the panels of a dashboard read: the coarsest table that has their columns. Names of
// exporters, interfaces and AS come from the newest flows, see names.
var tables = map[string]string{
	"weir-overview": "flows_1m", "weir-talkers": "flows", "weir-host": "flows", "weir-geography": "flows_1m",
	"weir-interfaces": "interfaces_1m", "weir-services": "flows", "weir-nat": "flows", "weir-drops": "flows", "weir-exporters": "flows",
}

// others are the panels that read another table than the rest of their dashboard.
var others = map[string]string{
	"weir-talkers/Networks": "flows_1m", "weir-talkers/Sources of long time ranges": "hosts_5m", "weir-talkers/Destinations of long time ranges": "receivers_5m",
	"weir-services/Services over time": "services_5m", "weir-services/Services": "services_5m", "weir-services/Protocols over time": "flows_1m",
	"weir-drops/Forwarding status": "flows_1m", "weir-drops/Dropped by reason": "flows_1m",
	// What rollups do not have.
	"weir-geography/Peers": "flows", "weir-geography/AS paths": "flows", "weir-geography/Cities": "flows", "weir-geography/Next hops": "flows",
	"weir-interfaces/Flows beside counters": "interface_counters interfaces_1m",
	"weir-interfaces/Counters":              "interface_counters", "weir-interfaces/Errors and discards": "interface_counters",
	"weir-exporters/Exporters": "exporter_health", "weir-exporters/Loss": "exporter_health", "weir-exporters/Records without a template": "exporter_health",
	"weir-exporters/Silent exporters": "flows_1m", "weir-exporters/What exporters count themselves": "exporter_statistics",
}

// names bounds what is read of flows for names.
const names = 15 * time.Minute

// choices are the variables as a dashboard opens, for the time range of the demo data.
func (s *store) choices() asked {
	all := value{all: true}
	return asked{from: s.from, to: s.to.Add(-time.Second), interval: 15 * time.Second, variables: map[string]value{
		"site": all, "tenant": all, "exporter": all, "interface": all, "direction": one("both", "2"), "unit": one("bits/s", "bytes_scaled * 8"),
		"ip_version": one("all", "0"), "resolution": one("1m", "60"), "host": one("", "20.0.0.1"),
	}}
}

func (a asked) with(name string, v value) asked {
	a.variables = maps.Clone(a.variables)
	a.variables[name] = v
	return a
}

// variants are choices that change the form of queries.
func (s *store) variants() map[string]asked {
	a := s.choices()
	long := a
	long.from = s.to.AddDate(0, 0, -7)
	longer := a
	longer.from = s.to.AddDate(0, -2, 0)
	return map[string]asked{
		"packets of IPv6 in": a.with("unit", one("packets/s", "packets_scaled")).with("ip_version", one("IPv6", "34525")).with("direction", one("in", "0")),
		"flows of an exporter's interfaces, out": a.with("unit", one("flows/s", "flows")).with("direction", one("out", "1")).
			with("exporter", one("edge1.par", "10.255.0.1")).with("interface", value{texts: []string{"a", "b"}, values: []string{"4", "5"}}),
		"sites and tenants":             a.with("site", value{texts: []string{"paris", "it's"}, values: []string{"paris", "it's"}}).with("tenant", one("acme", "acme")),
		"a week by five minutes":        long.with("resolution", one("5m", "300")),
		"two months by the hour":        longer.with("resolution", one("1h", "3600")),
		"a host that is no address":     a.with("host", one("", "nobody'); --")),
		"exporters of both IP versions": a.with("exporter", value{texts: []string{"a", "b"}, values: []string{"10.255.0.2", "2001:db8:ff::4"}}),
	}
}

// answer is the result of a query: columns, and rows as text.
type answer struct {
	columns []driver.ColumnType
	rows    [][]any
}

func (s *store) ask(t *testing.T, a asked, sql string) answer {
	t.Helper()
	query, err := a.expand(sql)
	if err != nil {
		t.Fatalf("%s:\n%v", sql, err)
	}
	rows, err := s.conn.Query(t.Context(), query)
	if err != nil {
		t.Fatalf("%s:\n%v", query, err)
	}
	defer rows.Close()
	result := answer{columns: rows.ColumnTypes()}
	for rows.Next() {
		row := make([]any, len(result.columns))
		for i, c := range result.columns {
			row[i] = newOf(c)
		}
		if err := rows.Scan(row...); err != nil {
			t.Fatalf("%s:\n%v", query, err)
		}
		result.rows = append(result.rows, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s:\n%v", query, err)
	}
	return result
}

// TestDashboards runs all that asks ClickHouse on one store.
func TestDashboards(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	t.Run("queries return what panels show", func(t *testing.T) { t.Parallel(); s.testPanels(t) })
	t.Run("variables have values", func(t *testing.T) { t.Parallel(); s.testVariables(t) })
	t.Run("queries read the intended tables by index", func(t *testing.T) { t.Parallel(); s.testPlans(t) })
	t.Run("alerts fire for what was made for them", func(t *testing.T) { t.Parallel(); s.testAlerts(t) })
	t.Run("numbers are those of the generator", func(t *testing.T) { t.Parallel(); s.testNumbers(t) })
}

// queried are the panels that ask ClickHouse, by dashboard and title.
func queried(t *testing.T) iter.Seq2[string, panel] {
	t.Helper()
	return func(yield func(string, panel) bool) {
		for _, b := range boards(t) {
			for _, p := range b.Panels {
				if len(p.Targets) == 1 && p.Targets[0].RawSQL != "" && !yield(b.UID+"/"+p.Title, p) {
					return
				}
			}
		}
	}
}

func (s *store) testPanels(t *testing.T) {
	t.Helper()
	variants := s.variants()
	for name, p := range queried(t) {
		t.Run(name, func(t *testing.T) {
			got := s.ask(t, s.choices(), p.Targets[0].RawSQL)
			if reason := empty[name]; (len(got.rows) == 0) != (reason != "") {
				t.Errorf("has %d rows; the reason to have none is: %q", len(got.rows), reason)
			}
			if problem := unfit(p, got); problem != "" {
				t.Error(problem)
			}
			for variant, a := range variants {
				if problem := unfit(p, s.ask(t, a, p.Targets[0].RawSQL)); problem != "" {
					t.Errorf("%s: %s", variant, problem)
				}
			}
		})
	}
}

// plain are the types that the data source shows as they are.
var (
	numeric = regexp.MustCompile(`^(Nullable\()?(U?Int(8|16|32|64)|Float(32|64))\)?$`)
	textual = regexp.MustCompile(`^(LowCardinality\()?String\)?$`)
	moment  = regexp.MustCompile(`^DateTime(64\(\d\))?$`)
	truth   = regexp.MustCompile(`^Bool$`)
)

// unfit says why the columns of an answer are not what the panel needs.
func unfit(p panel, got answer) string {
	var columns []string
	for _, c := range got.columns {
		kind := c.DatabaseTypeName()
		if slices.Contains(columns, c.Name()) || !slices.ContainsFunc([]*regexp.Regexp{numeric, textual, moment, truth}, func(re *regexp.Regexp) bool { return re.MatchString(kind) }) {
			return fmt.Sprintf("column %s %s is there twice, or of a type that is not shown", c.Name(), kind)
		}
		columns = append(columns, c.Name())
	}
	is := func(i int, re *regexp.Regexp) bool {
		return i < len(got.columns) && re.MatchString(got.columns[i].DatabaseTypeName())
	}
	wantFormat := 1
	switch p.Type {
	case "timeseries":
		wantFormat = 0
		if len(columns) != 3 || columns[0] != "time" || !is(0, moment) || columns[1] != "series" || !is(1, textual) || !is(2, numeric) {
			return fmt.Sprintf("columns are %v, want time, series and a number", columns)
		}
		for i := 1; i < len(got.rows); i++ {
			if got.time(i).Before(got.time(i - 1)) {
				return "times are not in order"
			}
		}
	case "stat":
		for i := range columns {
			if !is(i, numeric) || len(got.rows) != 1 {
				return fmt.Sprintf("%d rows of %v, want one of numbers", len(got.rows), columns)
			}
		}
	case "geomap":
		layer := p.Options.Layers[0]
		for _, want := range []string{layer.Location.Lookup, layer.Config.Style.Size.Field} {
			if !slices.Contains(columns, want) {
				return fmt.Sprintf("columns %v lack %s", columns, want)
			}
		}
	}
	if p.Targets[0].Format != wantFormat {
		return fmt.Sprintf("format is %d, want %d", p.Targets[0].Format, wantFormat)
	}
	return ""
}

func (s *store) testVariables(t *testing.T) {
	t.Helper()
	for _, v := range boards(t)[0].Templating.List {
		if v.sql() == "" {
			continue
		}
		got := s.ask(t, s.choices(), v.sql())
		if len(got.rows) == 0 || len(got.columns) > 2 {
			t.Errorf("%s: %d values of %d columns", v.Name, len(got.rows), len(got.columns))
		}
		seen := map[string]bool{}
		for i := range got.rows {
			if key := got.text(i, 0); seen[key] {
				t.Errorf("%s: value %s is there twice", v.Name, key)
			} else {
				seen[key] = true
			}
		}
		for name, a := range s.variants() {
			if got := s.ask(t, a, v.sql()); len(got.columns) == 0 {
				t.Errorf("%s: %s: no columns", v.Name, name)
			}
		}
	}
	s.testResolution(t)
}

// testResolution: a range of up to six hours is drawn by minutes, one of up to two weeks by five, unless the
// finer table does not keep it.
func (s *store) testResolution(t *testing.T) {
	t.Helper()
	list := boards(t)[0].Templating.List
	v := list[slices.IndexFunc(list, func(v variable) bool { return v.Name == "resolution" })]
	now := time.Now()
	for _, c := range []struct {
		ago, length time.Duration
		want        string
	}{
		{time.Hour, time.Hour, "60"},
		{6 * time.Hour, 6 * time.Hour, "60"},
		{7 * time.Hour, 7 * time.Hour, "300"},
		{14 * 24 * time.Hour, 14 * 24 * time.Hour, "300"},
		{15 * 24 * time.Hour, 15 * 24 * time.Hour, "3600"},
		{40 * 24 * time.Hour, time.Hour, "300"},
		{400 * 24 * time.Hour, time.Hour, "3600"},
	} {
		a := s.choices()
		a.from, a.to = now.Add(-c.ago), now.Add(-c.ago+c.length)
		if got := s.ask(t, a, v.sql()); got.text(0, 0) != c.want {
			t.Errorf("%v from %v ago: resolution %s, want %s", c.length, c.ago, got.text(0, 0), c.want)
		}
	}
}

// read is a line of EXPLAIN about a table.
var (
	readTable = regexp.MustCompile(`ReadFromMergeTree \(\w+\.(\w+)\)`)
	lowest    = regexp.MustCompile(`(?:time_received_ns|window_start|time) in \[(?:')?([0-9]+)`)
)

// testPlans: EXPLAIN reads the intended tables, each no further back than the time range, or than names need.
func (s *store) testPlans(t *testing.T) {
	t.Helper()
	for name, p := range queried(t) {
		t.Run(name, func(t *testing.T) {
			want := tables[strings.SplitN(name, "/", 2)[0]]
			if other, ok := others[name]; ok {
				want = other
			}
			back := map[string]int64{} // the earliest time that is read of each table
			for block := range strings.SplitSeq(s.explain(t, p.Targets[0].RawSQL), "ReadFromMergeTree ") {
				m := readTable.FindStringSubmatch("ReadFromMergeTree " + block)
				if m == nil {
					continue
				}
				from := lowest.FindStringSubmatch(block)
				if from == nil {
					t.Fatalf("reads %s without an index of time:\n%s", m[1], block)
				}
				at, err := strconv.ParseInt(from[1], 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				if at > 1e12 { // ns
					at /= 1e9
				}
				if before, ok := back[m[1]]; !ok || at < before {
					back[m[1]] = at
				}
			}
			earliest := s.from.Unix()
			if strings.HasPrefix(name, "weir-overview/") && strings.Contains(p.Description, "before") {
				earliest -= 7 * 24 * 3600
			}
			for table, at := range back {
				switch {
				case slices.Contains(strings.Fields(want), table):
					if at < earliest {
						t.Errorf("reads %s from %v on, the time range begins at %v", table, time.Unix(at, 0).UTC(), s.from)
					}
				case table != "flows" || at < s.to.Add(-names).Unix():
					t.Errorf("reads %s from %v on, want %s and the newest flows", table, time.Unix(at, 0).UTC(), want)
				}
			}
			for table := range strings.FieldsSeq(want) {
				if _, ok := back[table]; !ok {
					t.Errorf("reads %v, want %s", slices.Sorted(maps.Keys(back)), want)
				}
			}
		})
	}
}

func (s *store) explain(t *testing.T, sql string) string {
	t.Helper()
	got := s.ask(t, s.choices(), "EXPLAIN indexes = 1 "+sql)
	var lines []string
	for i := range got.rows {
		lines = append(lines, got.text(i, 0))
	}
	return strings.Join(lines, "\n")
}
