// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestDataFolderServesOneProcess(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	release, err := lockData(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockData(dir); err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("second lock: error is %v, want one that names --data", err)
	}
	release()
	release, err = lockData(dir)
	if err != nil {
		t.Fatalf("lock after release: %v", err)
	}
	release()
}
