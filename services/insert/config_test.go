// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"strings"
	"testing"
	"time"
)

func TestValidateNamesTheKeyTheProblemAndAnExample(t *testing.T) {
	t.Parallel()
	if err := DefaultConfig().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	for want, change := range map[string]func(*Config){
		"max_rows: is 0, want 1 to 1000000, for example 200000":               func(c *Config) { c.MaxRows = 0 },
		"max_rows: is 2000000, want 1 to 1000000":                             func(c *Config) { c.MaxRows = 2_000_000 },
		`max_wait: is 0s, want more than 0 and at most 1m, for example "2s"`:  func(c *Config) { c.MaxWait = 0 },
		`timeout: is 1ms, want at least 1s, for example "1m"`:                 func(c *Config) { c.Timeout = time.Millisecond },
		`compression: is "gzip", want "none", "lz4" or "zstd"`:                func(c *Config) { c.Compression = "gzip" },
		"clickhouse.dsn: want addresses of a server, for example":             func(c *Config) { c.DSN = "ftp://127.0.0.1:8123" },
		`clickhouse.dsn: want addresses of a server, for example "clickhouse`: func(c *Config) { c.DSN = "clickhouse://" },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	c := DefaultConfig()
	c.MaxRows, c.MaxWait = 0, 0
	if err := c.Validate(); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two problems: %v", err)
	}
}

func TestAPasswordIsInNoError(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"clickhouse://user:secret@[::1:9000", "ftp://user:secret@host", "clickhouse://user:secret%zz@host:9000"} {
		c := DefaultConfig()
		c.DSN = dsn
		if err := c.Validate(); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
}

func TestAServiceNeedsAClickHouse(t *testing.T) {
	t.Parallel()
	if _, err := New(DefaultConfig(), nil, nil, nil); err == nil || !strings.Contains(err.Error(), "clickhouse.dsn") {
		t.Errorf("%v", err)
	}
}
