// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"net/netip"
	"strings"
	"testing"
)

func TestDefaultsAreValid(t *testing.T) {
	t.Parallel()
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func TestValidateNamesEachProblemByItsKey(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"no listener", func(c *Config) { c.Listen = nil }, []string{"listen: is empty"}},
		{"a port alone", func(c *Config) { c.Listen = []string{"2055"} }, []string{`listen[0]: is "2055"`}},
		{"a port that is none", func(c *Config) { c.Listen = []string{":2055", ":70000"} }, []string{`listen[1]: is ":70000", want a port`}},
		{"a host name", func(c *Config) { c.Listen = []string{"localhost:2055"} }, []string{"want an IP address before the port"}},
		{"the same listener twice", func(c *Config) { c.Listen = []string{":1", ":1"} }, []string{`listen[1]: ":1" is there twice`}},
		{"an empty network", func(c *Config) { c.Allow = []netip.Prefix{{}} }, []string{"allow[0]: is empty"}},
		{"all at once", func(c *Config) { *c = Config{} }, []string{
			"listen: ", "sockets: ", "receive_buffer_bytes: ", "max_exporters: ", "flush_interval: ", "max_pending_bytes: ",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := DefaultConfig()
			tt.change(&cfg)
			err := cfg.Validate()
			if err == nil {
				t.Fatal("no error")
			}
			for i, line := range strings.Split(err.Error(), "\n") {
				if i >= len(tt.want) || !strings.HasPrefix(line, tt.want[i]) && !strings.Contains(line, tt.want[i]) {
					t.Errorf("problem %d is %q, want %q", i, line, tt.want)
				}
			}
		})
	}
}
