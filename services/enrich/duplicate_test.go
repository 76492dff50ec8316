// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"fmt"
	"testing"
	"time"

	"github.com/weirflow/weir/flow"
)

func TestTwinsAreMarkedOnceAWindow(t *testing.T) {
	t.Parallel()
	tw := newTwins(duplicatesConfig{Policies: []string{byContent}, Window: 10 * time.Second, Entries: 64})
	const second = uint64(time.Second)
	for _, step := range []struct {
		promise  string
		observer uint64
		at       uint64
		want     bool
	}{
		{"the first to report a flow counts", 1, 100 * second, false},
		{"it goes on to count", 1, 105 * second, false},
		{"another does not", 2, 105 * second, true},
		{"nor while the first goes on", 2, 114 * second, true},
		{"a late report of the first counts", 1, 103 * second, false},
		{"one that has been silent for the window is replaced", 2, 116 * second, false},
		{"and does not count then", 1, 117 * second, true},
	} {
		if got := tw.seen(twin{key: 7, observer: step.observer, last: step.at}); got != step.want {
			t.Errorf("%s: duplicate is %v", step.promise, got)
		}
	}
}

// TestPartitionsOfAProcessAreCompared: two enrichers are two partitions.
func TestPartitionsOfAProcessAreCompared(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.Duplicates.Policies = []string{byDirection, byContent}
	l, tw := newConfiguredLibrary(t, cfg), newTwins(cfg.Duplicates)
	first, second := newEnricher(l, tw), newEnricher(l, tw)
	const web = "given src_addr 10.0.0.1\ngiven dst_addr 192.0.2.1\ngiven proto 6\ngiven src_port 40000\ngiven dst_port 443\n"
	for _, step := range []struct {
		promise   string
		partition *enricher
		flow      string
		want      uint64
	}{
		{"the first report of a flow counts", first, web + "given in_if 1\ngiven sampler_address 192.0.2.10\n", counted},
		{"that of an exporter of another partition does not", second, web + "given in_if 1\ngiven sampler_address 192.0.2.11\n", otherObserver},
		{"nor that of another interface", first, web + "given in_if 2\ngiven sampler_address 192.0.2.10\n", otherObserver},
		{"the first exporter's next one counts", first, web + "given in_if 1\ngiven sampler_address 192.0.2.10\n", counted},
		{"the same addresses in another VRF are other hosts", second, web + "given ingress_vrf_name red\ngiven sampler_address 192.0.2.11\n", counted},
		{"the way back is another flow", second, "given src_addr 192.0.2.1\ngiven dst_addr 10.0.0.1\ngiven proto 6\ngiven src_port 443\ngiven dst_port 40000\n", counted},
		{"an egress flow is marked by its direction", second, web + "given flow_direction 1\ngiven sampler_address 192.0.2.12\n", otherDirection},
		{"flows without addresses", first, "given sampler_address 192.0.2.10\n", counted},
		{"are never the same", second, "given sampler_address 192.0.2.11\n", counted},
	} {
		given, _ := exampleFlow(t, step.flow)
		var out flow.Batch
		step.partition.enrich(given, &out)
		if got := out.Number(flow.Duplicate, 0); got != step.want {
			t.Errorf("%s: duplicate is %d, want %d", step.promise, got, step.want)
		}
	}
	if got, want := fmt.Sprint(first.counts.duplicates, second.counts.duplicates), "[3 0 0 1] [3 0 1 1]"; got != want {
		t.Errorf("counts are %s, want %s", got, want)
	}
}
