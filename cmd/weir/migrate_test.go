// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
)

func TestMigrateTellsBeforeAndAfter(t *testing.T) {
	t.Parallel()
	server := clickhousetest.New(t)
	run := func(command ...string) (string, error) {
		var out bytes.Buffer
		cmd := newMigrate()
		cmd.SetArgs(append(command, "--clickhouse.dsn", server.DSN(""), "--data", t.TempDir()))
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		err := cmd.ExecuteContext(t.Context())
		return out.String(), err
	}
	for _, step := range []struct {
		name    string
		command []string
		want    string
		fails   bool
	}{
		{"nothing is applied to an empty server", []string{"status"}, "flows                           not applied", false},
		{"an empty server is no migrated one", []string{"verify"}, "migration 0001_flows is not applied", true},
		{"up applies", []string{"up"}, "flows                           applied 2", false},
		{"without a word it is up", nil, "flows                           applied 2", false},
		{"what was applied is as it must be", []string{"verify"}, "weir is as the migrations make it", false},
	} {
		got, err := run(step.command...)
		if !strings.Contains(got, step.want) || (err != nil) != step.fails {
			t.Errorf("%s: %v\n%s", step.name, err, got)
		}
	}
	printed := newMigrate()
	var out bytes.Buffer
	printed.SetArgs([]string{"print"})
	printed.SetOut(&out)
	if err := printed.ExecuteContext(t.Context()); err != nil || !strings.Contains(out.String(), "CREATE TABLE IF NOT EXISTS flows\n") {
		t.Errorf("print: %v", err)
	}
}
