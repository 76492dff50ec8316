// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"os"
	"path/filepath"
	"testing"
)

// Folder returns the folder of captures. Without one the test is skipped.
func Folder(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("WEIR_CORPUS")
	if dir == "" {
		dir = filepath.Join(root(t), "..", "shared", "corpus")
	}
	if _, err := os.Stat(filepath.Join(dir, "arbiter")); err != nil {
		t.Skipf("no captures in %s: set WEIR_CORPUS", dir)
	}
	return dir
}

// Captures returns the paths of all captures.
func Captures(t testing.TB) []string {
	t.Helper()
	dir := Folder(t)
	paths, err := filepath.Glob(filepath.Join(dir, "*.pcap"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no captures in %s: %v", dir, err)
	}
	return paths
}

// root returns the folder of the repository, above that of the test.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir
		}
	}
	t.Fatal("no go.work above the test")
	return ""
}
