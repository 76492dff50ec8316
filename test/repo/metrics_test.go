// SPDX-License-Identifier: Apache-2.0

package repo_test

import (
	"flag"
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/metrics.md")

// metric is a metric as it is written in the code.
type metric struct {
	path, name, kind, help string
}

// metrics finds the calls prometheus.New*(prometheus.*Opts{Name: ..., Help: ...}).
func metrics(t *testing.T) []metric {
	t.Helper()
	var all []metric
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			opts, ok := call.Args[0].(*ast.CompositeLit)
			constructor := selector(call.Fun, "prometheus")
			if !ok || !strings.HasPrefix(constructor, "New") || !strings.HasSuffix(selector(opts.Type, "prometheus"), "Opts") {
				return true
			}
			kind := strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(constructor, "New"), "Vec"), "Func"))
			all = append(all, metric{s.path, text(opts, "Name"), kind, text(opts, "Help")})
			return true
		})
	}
	slices.SortFunc(all, func(a, b metric) int { return strings.Compare(a.name, b.name) })
	return all
}

// selector returns X of pkg.X.
func selector(e ast.Expr, pkg string) string {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if x, ok := s.X.(*ast.Ident); !ok || x.Name != pkg {
		return ""
	}
	return s.Sel.Name
}

// text returns the string literal of a field, empty if it is none.
func text(lit *ast.CompositeLit, name string) string {
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := kv.Key.(*ast.Ident); !ok || key.Name != name {
			continue
		}
		if value, ok := kv.Value.(*ast.BasicLit); ok {
			if s, err := strconv.Unquote(value.Value); err == nil {
				return s
			}
		}
	}
	return ""
}

func TestMetricsAreNamedInFullAndByTheirService(t *testing.T) {
	t.Parallel()
	for _, m := range metrics(t) {
		service := filepath.Base(filepath.Dir(m.path))
		switch {
		case m.name == "" || m.help == "":
			t.Errorf("%s: a metric has no literal name or help", m.path)
		case !strings.HasPrefix(m.name, "weir_"+service+"_"):
			t.Errorf("%s: %s does not begin with weir_%s_", m.path, m.name, service)
		case (m.kind == "counter") != strings.HasSuffix(m.name, "_total"):
			t.Errorf("%s: %s is a %s; counters, and they only, end in _total", m.path, m.name, m.kind)
		}
	}
}

func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`# Metrics

Every process shows its metrics on /metrics. The label service says whose they are: in weir up each service has its
own, and in weir_bus_* it is the service that uses the bus. Further labels are named in the text. This page is
written by ` + "`make generate`" + ` from the code.

| metric | type | meaning |
| --- | --- | --- |
`)
	for _, m := range metrics(t) {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", m.name, m.kind, m.help)
	}
	const page = "docs/metrics.md"
	if *update {
		if err := os.WriteFile(filepath.Join(top, page), []byte(b.String()), 0o644); err != nil { //nolint:gosec // a page for all
			t.Fatal(err)
		}
	}
	if read(t, page) != b.String() {
		t.Errorf("%s is not what the code says: run make generate", page)
	}
}
