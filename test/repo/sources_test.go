// SPDX-License-Identifier: Apache-2.0

package repo_test

import (
	"go/ast"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	maxFileLines     = 500
	maxFunctionLines = 60
	maxDocLines      = 20
)

func TestFilesNameTheirLicence(t *testing.T) {
	t.Parallel()
	const spdx = "SPDX-License-Identifier: Apache-2.0"
	for _, s := range sources(t) {
		if first, _, _ := strings.Cut(s.text, "\n"); !s.generated && first != "// "+spdx {
			t.Errorf("%s: the first line is not: // %s", s.path, spdx)
		}
	}
	for _, path := range files(t) {
		if filepath.Ext(path) == ".sh" && !strings.Contains(read(t, path), "\n# "+spdx+"\n") {
			t.Errorf("%s: has no line: # %s", path, spdx)
		}
	}
}

func TestPackagesHaveOneShortComment(t *testing.T) {
	t.Parallel()
	comments := map[string][]source{}
	for _, s := range sources(t) {
		if s.isTest() || s.generated {
			continue
		}
		comments[s.dir()] = append(comments[s.dir()], s)
	}
	for dir, files := range comments {
		files = slices.DeleteFunc(files, func(s source) bool { return s.file.Doc == nil })
		if len(files) != 1 {
			t.Errorf("%s: %d files have a package comment, want one (doc.go, or main.go of a small program)", dir, len(files))
			continue
		}
		if lines := strings.Count(files[0].file.Doc.Text(), "\n"); lines > maxDocLines {
			t.Errorf("%s: the package comment has %d lines, want at most %d", files[0].path, lines, maxDocLines)
		}
	}
}

func TestPackagesAreNamedForWhatTheyHold(t *testing.T) {
	t.Parallel()
	drawers := []string{"util", "utils", "common", "helper", "helpers", "misc", "types", "pkg", "base", "shared", "models"}
	for _, s := range sources(t) {
		for _, name := range append(strings.Split(s.dir(), "/"), s.file.Name.Name) {
			if slices.Contains(drawers, name) {
				t.Errorf("%s: %q says nothing; name the package for the noun it is about", s.path, name)
			}
		}
	}
}

func TestFilesAndFunctionsAreShort(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.generated {
			continue
		}
		if lines := strings.Count(s.text, "\n"); lines > maxFileLines {
			t.Errorf("%s: has %d lines, want at most %d", s.path, lines, maxFileLines)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || s.isTest() {
				continue
			}
			first, last := s.fset.Position(f.Pos()).Line, s.fset.Position(f.End()).Line
			if lines := last - first + 1; lines > maxFunctionLines {
				t.Errorf("%s:%d: %s has %d lines, want at most %d", s.path, first, f.Name.Name, lines, maxFunctionLines)
			}
		}
	}
}
