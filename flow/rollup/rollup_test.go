// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Key{
		"proto":          {Name: "proto", Type: "UInt8", Kind: flow.Number, Width: 1, Field: flow.Proto},
		"src_country":    {Name: "src_country", Type: "LowCardinality(String)", Kind: flow.Text, Width: 4, Field: flow.SrcCountry},
		"src_addr/24/56": {Name: "src_addr", Type: "IPv6", Kind: flow.Address, Width: 16, Field: flow.SrcAddr, Prefix: Prefix{Set: true, V4: 24, V6: 56}},
		"dst_addr/mask":  {Name: "dst_addr", Type: "IPv6", Kind: flow.Address, Width: 16, Field: flow.DstAddr, Prefix: Prefix{Set: true, ByMask: true}},
		"service_port":   {Name: "service_port", Type: "UInt16", Kind: flow.Number, Width: 2, Source: ServicePort},
	} {
		got, err := ParseKey(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v, -want +got:\n%s", text, err, diff)
		}
	}
	for text, want := range map[string]string{
		"":               `"" is not a field, nor a prefix such as src_addr/24/48 or src_addr/mask`,
		"src addr":       `"src addr" is not a field, nor a prefix such as src_addr/24/48 or src_addr/mask`,
		"source":         `"source": there is no field source`,
		"as_path":        `"as_path": a list is no key`,
		"src_port/8/8":   `"src_port/8/8": src_port is no address`,
		"src_addr/33/48": `"src_addr/33/48": an address has 32 or 128 bits`,
		"next_hop/mask":  `"next_hop/mask": exporters tell the mask of src_addr and dst_addr only`,
	} {
		if _, err := ParseKey(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestColumnsFollowFromTheDefinition(t *testing.T) {
	t.Parallel()
	r := Rollup{Name: "x", Window: time.Minute, Keys: []string{"src_addr/24/48", "proto"}, Measures: []string{"bytes", "max(time_flow_end_ns)", "min(ip_ttl)"}, Top: 5}
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	keys, measures, err := r.Columns()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Column{{"src_addr", "IPv6"}, {"proto", "UInt8"}, {"other", "UInt8"}}, keys); diff != "" {
		t.Errorf("keys, -want +got:\n%s", diff)
	}
	want := []Column{
		{"bytes", "SimpleAggregateFunction(sum, UInt64)"},
		{"max_time_flow_end_ns", "SimpleAggregateFunction(max, DateTime64(9))"},
		{"min_ip_ttl", "SimpleAggregateFunction(min, UInt8)"},
	}
	if diff := cmp.Diff(want, measures); diff != "" {
		t.Errorf("measures, -want +got:\n%s", diff)
	}
}

func TestBuiltinRollupsAreValid(t *testing.T) {
	t.Parallel()
	for _, r := range Builtin() {
		if err := r.Validate(); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
}
