// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/weirflow/weir/flow/rollup"
)

var docsExample = regexp.MustCompile("(?s)```(yaml|sql)\n(.*?)```")

// TestAggregationPage runs what docs/aggregation.md shows: its settings, and its queries on
// the tables that come of them.
func TestAggregationPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/aggregation.md")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "weir.yaml")
	var queries []string
	for _, block := range docsExample.FindAllStringSubmatch(string(page), -1) {
		if block[1] == "sql" {
			queries = append(queries, block[2])
			continue
		}
		if err := os.WriteFile(file, []byte(block[2]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), path, "check", "--config", file).CombinedOutput(); err != nil {
		t.Fatalf("weir check: %v\n%s", err, out)
	}
	s := up(t, "--config", file)
	s.until("the tables to be there", func() bool {
		return s.tryQuery("SELECT count() FROM system.tables WHERE database = 'weir' AND name IN ('web_by_prefix_1m', 'days_by_country', 'top_receivers_1h')") == "3"
	})

	t.Run("a window shows within 15 s of its first flow", func(t *testing.T) {
		e := newExporter(t, "127.0.0.1", s.flows, 5)
		// What comes first is told at once, with the markers. The next waits its time.
		for _, want := range []string{"flows > 0", "flows > " + strconv.Itoa(v5Records)} {
			e.send()
			sent := time.Now()
			for _, r := range append(rollup.Builtin(), rollup.Rollup{Name: "days_by_country"}, rollup.Rollup{Name: "top_receivers_1h"}) {
				s.until(r.Name, func() bool {
					return s.tryQuery("SELECT "+want+" FROM (SELECT sum(flows) AS flows FROM "+r.Name+")") == "1"
				})
			}
			if took := time.Since(sent); took > 15*time.Second {
				t.Errorf("it took %v", took)
			} else {
				t.Logf("it took %v", took)
			}
		}
	})
	for _, q := range queries {
		if _, err := s.fetch("POST", "http://"+s.http+"/?database=weir", q); err != nil {
			t.Errorf("%s\n%v", q, err)
		}
	}
	if len(queries) < 3 {
		t.Errorf("%d queries on the page", len(queries))
	}
}
