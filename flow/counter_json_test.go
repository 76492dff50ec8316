// SPDX-License-Identifier: Apache-2.0

package flow_test

import (
	"math"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
)

func TestCountersAsJSON(t *testing.T) {
	t.Parallel()
	var c flow.Counters
	var r flow.CounterRow
	column := func(t flow.CounterTable, name string) int { return t.Column(name) }
	r.SetAddress(column(flow.InterfaceCounters, "sampler_address"), netip.MustParseAddr("192.0.2.1").As16())
	r.SetNumber(column(flow.InterfaceCounters, "if_index"), 7)
	r.SetNumber(column(flow.InterfaceCounters, "in_octets"), math.MaxUint64)
	c.Append(flow.InterfaceCounters, &r)
	r.Reset()
	r.SetNumber(column(flow.HostCounters, "load_one"), uint64(math.Float32bits(0.25)))
	r.SetNumber(column(flow.HostCounters, "load_five"), uint64(math.Float32bits(float32(math.NaN()))))
	c.Append(flow.HostCounters, &r)
	want := []string{
		`{"_table":"interface_counters","sampler_address":"192.0.2.1","if_index":7,"in_octets":18446744073709551615}` + "\n",
		`{"_table":"host_counters","load_one":0.25,"load_five":0}` + "\n",
	}
	var got []string
	for line := range c.JSON() {
		got = append(got, string(line))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
