// SPDX-License-Identifier: Apache-2.0

package repo_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers say which packages of this repository a package may import, tests
// excepted. The first match counts; $1 is what the group of the folder matched.
var layers = []struct {
	folder  string
	imports []string
}{
	{`proto(/.*)?`, []string{`proto(/.*)?`}},
	{`flow(/.*)?`, []string{`flow(/.*)?`, `proto(/.*)?`}},
	{`bus(/.*)?`, []string{`bus(/.*)?`, `proto(/.*)?`}},
	{`daemon`, nil},
	{`dashboards(/.*)?`, []string{`dashboards(/.*)?`}},
	{`migrations(/.*)?`, []string{`migrations(/.*)?`}},
	{`clickhouse(/.*)?`, []string{`clickhouse(/.*)?`}},
	{`services/(\w+)/cmd/\w+`, []string{`services/$1`, `bus`, `daemon`, `migrations`, `clickhouse`}},
	{`services/probe/replay`, []string{`services/probe/internal/.+`}},
	{`services/(\w+)/internal/.+`, []string{`services/$1/internal/.+`, `flow`, `proto(/.*)?`}},
	{`services/decode/offline`, []string{`services/decode`, `services/decode/internal/.+`, `flow`}},
	{`services/(\w+)`, []string{`services/$1/internal/.+`, `bus`, `flow(/.*)?`, `proto(/.*)?`}},
	{`cmd/weir(/.*)?`, []string{`.*`}},
	{`test(/.*)?`, []string{`test(/.*)?`, `flow`, `proto(/.*)?`}},
}

func TestPackagesImportOnlyLayersBelow(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.isTest() || s.file.Name.Name == "main" && !strings.Contains(s.path, "cmd/") {
			continue // programs that tests run may import what they test
		}
		allowed, ok := allowedFor(s.dir())
		if !ok {
			t.Errorf("%s: the folder is in no layer; add it to the table in this test", s.path)
			continue
		}
		for _, i := range imports(t, s) {
			if own, ok := strings.CutPrefix(i, module); ok && !allowed(own) {
				t.Errorf("%s: imports %s, which is not below it (see ARCHITECTURE.md)", s.path, i)
			}
		}
	}
}

// allowedFor returns what folder may import.
func allowedFor(folder string) (func(string) bool, bool) {
	for _, l := range layers {
		re := regexp.MustCompile(`^(?:` + l.folder + `)$`)
		match := re.FindStringSubmatchIndex(folder)
		if match == nil {
			continue
		}
		return func(imported string) bool {
			return slices.ContainsFunc(l.imports, func(pattern string) bool {
				expanded := re.ExpandString(nil, strings.ReplaceAll(pattern, "$1", "${1}"), folder, match)
				return regexp.MustCompile(`^(?:` + string(expanded) + `)$`).MatchString(imported)
			})
		}, true
	}
	return nil, false
}

func TestInternalPackagesOfServicesArePure(t *testing.T) {
	t.Parallel()
	impure := []string{"os", "log", "log/slog", "net", "net/http", "syscall", "github.com/prometheus/", "github.com/nats-io/"}
	for _, s := range sources(t) {
		if s.isTest() || !strings.HasPrefix(s.path, "services/") || !strings.Contains(s.path, "/internal/") {
			continue
		}
		for _, i := range imports(t, s) {
			for _, bad := range impure {
				if i == bad || strings.HasSuffix(bad, "/") && strings.HasPrefix(i, bad) {
					t.Errorf("%s: imports %s; an internal package takes bytes and returns values, the service does the rest", s.path, i)
				}
			}
		}
	}
}

// TestModulesFindEachOtherInTheTree: with GOWORK=off a module of this repository is
// found by its replace line or not at all.
func TestModulesFindEachOtherInTheTree(t *testing.T) {
	t.Parallel()
	required := regexp.MustCompile(`(?m)^\s*(?:require )?` + regexp.QuoteMeta(module) + `(\S+) v0\.0\.0`)
	for _, path := range files(t) {
		if !strings.HasSuffix(path, "/go.mod") || strings.HasPrefix(path, "tools/") {
			continue
		}
		text := read(t, path)
		for _, m := range required.FindAllStringSubmatch(text, -1) {
			folder, err := filepath.Rel(filepath.Dir(path), m[1])
			if err != nil {
				t.Fatal(err)
			}
			if want := module + m[1] + " => " + filepath.ToSlash(folder) + "\n"; !strings.Contains(text, want) {
				t.Errorf("%s: requires %s%s without: replace %s", path, module, m[1], want)
			}
		}
		if folder := "./" + strings.TrimSuffix(path, "/go.mod"); !strings.Contains(read(t, "go.work"), folder+"\n") {
			t.Errorf("go.work: does not use %s", folder)
		}
	}
}

func imports(t *testing.T, s source) []string {
	t.Helper()
	var paths []string
	for _, i := range s.file.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}
