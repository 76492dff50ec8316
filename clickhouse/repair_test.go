// SPDX-License-Identifier: Apache-2.0

package clickhouse

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestForgetLostParts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	table := filepath.Join(dir, "store", "abc", "abcdef01-0000-0000-0000-000000000000")
	logs := filepath.Join(table, "deduplication_logs")
	for _, name := range []string{"20261120_1_1_0", "20261120_3_5_1", "20261120_9_9_0_12", "tmp_insert_20261120_7_7_0", "detached/20261120_8_8_0"} {
		if err := os.MkdirAll(filepath.Join(table, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(logs, 0o700); err != nil {
		t.Fatal(err)
	}
	before := "1\t20261120_1_1_0\tkept\n" +
		"1\t20261120_2_2_0\tlost\n" +
		"1\t20261120_4_4_0\tmerged\n" +
		"1\t20261121_4_4_0\tlost, of another partition\n" +
		"2\t20261120_6_6_0\tdropped\n" +
		"1\t20261120_7_7_0\tlost, never renamed\n" +
		"1\t20261120_8_8_0\tlost, detached\n" +
		"1\t20261120_9_9_0\tmutated\n" +
		"what is not understood stays\n"
	path := filepath.Join(logs, "deduplication_log_1.txt")
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := forgetLostParts(dir); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := "1\t20261120_1_1_0\tkept\n" +
		"1\t20261120_4_4_0\tmerged\n" +
		"2\t20261120_6_6_0\tdropped\n" +
		"1\t20261120_9_9_0\tmutated\n" +
		"what is not understood stays\n"
	if diff := cmp.Diff(want, string(after)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
