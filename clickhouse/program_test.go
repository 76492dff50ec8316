// SPDX-License-Identifier: Apache-2.0

package clickhouse

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProgram(t *testing.T) {
	engine := filepath.Join(t.TempDir(), "libchdb.so")
	if err := os.WriteFile(engine, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		program string // script of the clickhouse on the PATH; empty for none
		engine  string
		want    string // start of program.name
		wantErr string
	}{
		{"a new clickhouse is preferred", "echo 'ClickHouse server version 25.8.1.5101 (official build).'", engine, "clickhouse 25.8.1.5101 at ", ""},
		{"the least version will do", "echo 'ClickHouse server version 24.8.1.1.'", "", "clickhouse 24.8.1.1 at ", ""},
		{"an old clickhouse is left alone", "echo 'ClickHouse server version 18.16.1.'", engine, "libchdb at " + engine, ""},
		{"a clickhouse without its server is left alone", "echo no such program >&2; exit 1", engine, "libchdb at " + engine, ""},
		{"the engine serves where nothing is on the PATH", "", engine, "libchdb at " + engine, ""},
		{"with nothing at all it says how to get the engine", "", engine + ".missing", "", "make engine"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bin := t.TempDir()
			t.Setenv("PATH", bin)
			if tt.program != "" {
				if err := os.WriteFile(filepath.Join(bin, "clickhouse"), []byte("#!/bin/sh\n"+tt.program+"\n"), 0o700); err != nil { //nolint:gosec // a program
					t.Fatal(err)
				}
			}
			cfg := DefaultConfig()
			cfg.Engine = tt.engine
			s, err := New(cfg, t.TempDir(), []string{"weir", "clickhouse"}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			p, err := s.program(t.Context())
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("got error %v, want %q in it", err, tt.wantErr)
				}
				return
			}
			if err != nil || !strings.HasPrefix(p.name, tt.want) {
				t.Fatalf("got %q, %v, want %q", p.name, err, tt.want)
			}
		})
	}
}

func TestServeArguments(t *testing.T) {
	t.Parallel()
	want := ServeConfig{Engine: "/e", Dir: "/d", NativeListen: "[::1]:1", HTTPListen: "[::1]:2"}
	got, err := ParseServe(want.args())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   []string // keys in the error; none: valid
	}{
		{"the defaults are valid", func(*Config) {}, nil},
		{"IPv6 loopback is valid", func(c *Config) { c.NativeListen, c.HTTPListen = "[::1]:1", "[::1]:2" }, nil},
		{"with a DSN the listen addresses do not count", func(c *Config) { c.DSN, c.HTTPListen = "clickhouse://ch:9000", "" }, nil},
		{
			"all problems are told at once", func(c *Config) { c.Database, c.NativeListen, c.HTTPListen = "a b", "9000", "127.0.0.1:0" },
			[]string{"clickhouse.database", "clickhouse.native_listen", "clickhouse.http_listen"},
		},
		{"other addresses than loopback are refused", func(c *Config) { c.NativeListen = "0.0.0.0:9000" }, []string{"clickhouse.native_listen"}},
		{"two hosts are refused", func(c *Config) { c.HTTPListen = "127.0.0.2:8123" }, []string{"clickhouse.http_listen"}},
		{"one port for both is refused", func(c *Config) { c.HTTPListen = c.NativeListen }, []string{"clickhouse.http_listen"}},
		{"a cluster is on servers that are there", func(c *Config) { c.Cluster = "main" }, []string{"clickhouse.cluster"}},
		{"days to keep are days of a table", func(c *Config) { c.KeepDays = map[string]int{"flows": 0} }, []string{`clickhouse.keep_days: "flows" has 0, want the name of a table and 1 to 36500 days`}},
		{"a cluster and days to keep are valid", func(c *Config) {
			c.DSN, c.Cluster, c.KeepDays = "clickhouse://ch:9000", "main", map[string]int{"flows": 14}
		}, nil},
		{"a DSN that does not parse is refused", func(c *Config) { c.DSN = "clickhouse://%" }, []string{"clickhouse.dsn"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := DefaultConfig()
			tt.change(&c)
			err := c.Validate()
			if (err != nil) != (len(tt.want) > 0) {
				t.Fatalf("got %v", err)
			}
			for _, key := range tt.want {
				if !strings.Contains(err.Error(), key) {
					t.Errorf("got %v, want %s in it", err, key)
				}
			}
		})
	}
}
