// SPDX-License-Identifier: Apache-2.0

package flow_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
)

func jsonBatch() *flow.Batch {
	var b flow.Batch
	var r flow.Record
	r.SetNumber(flow.Type, 1)
	r.SetIPv4(flow.SrcAddr, 0x0a010203)
	r.SetAddress(flow.DstAddr, netip.MustParseAddr("2001:db8::1").As16())
	r.SetIPv4(flow.NextHop, 0)
	for f, v := range map[flow.Field]uint64{
		flow.SrcNet: 8, flow.DstNet: 48, flow.Proto: 132, flow.EType: 0x86dd, flow.SrcMAC: 0x020000000001,
		flow.TCPFlags: 18, flow.Bytes: 1 << 63,
	} {
		r.SetNumber(f, v)
	}
	for f, values := range map[flow.Field][]uint64{
		flow.MPLSLabel: {16, 17}, flow.LayerStack: {0, 6, 1, 3, 99}, flow.LayerSize: {14, 4, 20, 20, 0},
		flow.ASPath: {64500}, flow.BGPCommunities: {1},
	} {
		for _, v := range values {
			r.AddNumber(f, v)
		}
	}
	r.AddAddress(flow.MPLSIP, netip.MustParseAddr("192.0.2.9").As16())
	r.AddAddress(flow.IPv6RoutingHeaderAddresses, netip.MustParseAddr("2001:db8::2").As16())
	b.Append(&r)

	r.Reset()
	r.SetNumber(flow.Type, 101)
	r.SetNumber(flow.Proto, 6)
	r.SetNumber(flow.FlowDirection, 1)
	r.SetNumber(flow.SrcCountry, b.Intern(flow.SrcCountry, `"X"`))
	r.AddNumber(flow.ASPath, 64501)
	r.AddNumber(flow.ASPath, 64502)
	b.Append(&r)
	return &b
}

func lines(b *flow.Batch, form flow.Form) []string {
	var all []string
	for line := range b.JSON(form) {
		all = append(all, strings.TrimSuffix(string(line), "\n"))
	}
	return all
}

// TestJSONIsGoFlow2s: the first line is what GoFlow2 2.2.6 printed of a FlowMessage with these values.
func TestJSONIsGoFlow2s(t *testing.T) {
	t.Parallel()
	want := `{"type":"SFLOW_5","time_received_ns":0,"sequence_num":0,"sampling_rate":0,"sampler_address":"","time_flow_start_ns":0,` +
		`"time_flow_end_ns":0,"bytes":9223372036854775808,"packets":0,"src_addr":"10.1.2.3","dst_addr":"2001:db8::1","etype":"IPv6",` +
		`"proto":"SCTP","src_port":0,"dst_port":0,"in_if":0,"out_if":0,"src_mac":"02:00:00:00:00:01","dst_mac":"00:00:00:00:00:00",` +
		`"src_vlan":0,"dst_vlan":0,"vlan_id":0,"ip_tos":0,"forwarding_status":0,"ip_ttl":0,"ip_flags":0,"tcp_flags":18,"icmp_type":0,` +
		`"icmp_code":0,"ipv6_flow_label":0,"fragment_id":0,"fragment_offset":0,"src_as":0,"dst_as":0,"next_hop":"0.0.0.0",` +
		`"next_hop_as":0,"src_net":"10.0.0.0/8","dst_net":"2001:db8::/48","bgp_next_hop":"","bgp_communities":[1],"as_path":[64500],` +
		`"mpls_ttl":[],"mpls_label":[16,17],"mpls_ip":["192.0.2.9"],"observation_domain_id":0,"observation_point_id":0,` +
		`"layer_stack":["Ethernet","Dot1Q","IPv4","TCP","Custom"],"layer_size":[14,4,20,20,0],` +
		`"ipv6_routing_header_addresses":["2001:db8::2"],"ipv6_routing_header_seg_left":0}`
	if diff := cmp.Diff(want, lines(jsonBatch(), flow.GoFlow2)[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNeutralJSONHasNumbersAndNoZeros(t *testing.T) {
	t.Parallel()
	want := []string{
		`{"type":"SFLOW_5","bytes":9223372036854775808,"src_addr":"10.1.2.3","dst_addr":"2001:db8::1","etype":34525,"proto":132,` +
			`"src_mac":"02:00:00:00:00:01","tcp_flags":18,"src_net":8,"dst_net":48,"bgp_communities":[1],"as_path":[64500],` +
			`"mpls_label":[16,17],"mpls_ip":["192.0.2.9"],"layer_stack":["Ethernet","Dot1Q","IPv4","TCP","Custom"],` +
			`"layer_size":[14,4,20,20,0],"ipv6_routing_header_addresses":["2001:db8::2"]}`,
		`{"type":"NETFLOW_V1","proto":6,"as_path":[64501,64502],"flow_direction":1,"src_country":"\"X\""}`,
	}
	if diff := cmp.Diff(want, lines(jsonBatch(), flow.Neutral)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestContextIsGoFlow2Pluss: the values and the object are those of the example in GoFlow2+'s README.
func TestContextIsGoFlow2Pluss(t *testing.T) {
	t.Parallel()
	var b flow.Batch
	for _, texts := range []map[flow.Field]string{
		{
			flow.SrcNetName: "web-servers", flow.DstNetName: "client-network",
			flow.SrcNetContext: `{"application":"web","tier":"frontend"}`, flow.DstNetContext: "{\"a\":\n\"b\"}",
		},
		{flow.DstNetName: "client-network", flow.DstNetContext: `{"a":`},
		{flow.SrcNetContext: "tier"},
	} {
		var r flow.Record
		for f, s := range texts {
			r.SetNumber(f, b.Intern(f, s))
		}
		b.Append(&r)
	}
	type row struct {
		Context                      map[string]string
		SrcNetContext, DstNetContext any
	}
	want := []row{
		{
			map[string]string{"source_group": "web-servers", "destination_group": "client-network"},
			map[string]any{"application": "web", "tier": "frontend"},
			map[string]any{"a": "b"},
		},
		{map[string]string{"destination_group": "client-network"}, nil, `{"a":`},
		{nil, "tier", nil},
	}
	for i, line := range lines(&b, flow.GoFlow2) {
		var got struct {
			Context map[string]string `json:"context"`
			Src     any               `json:"src_net_context"`
			Dst     any               `json:"dst_net_context"`
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%v\n%s", err, line)
		}
		if diff := cmp.Diff(want[i], row{got.Context, got.Src, got.Dst}); diff != "" || strings.Contains(line, "\n") {
			t.Errorf("-want +got:\n%s\n%s", diff, line)
		}
	}
	for _, line := range lines(&b, flow.Neutral) {
		if strings.Contains(line, `"context"`) {
			t.Errorf("the neutral form says twice what the networks are: %s", line)
		}
	}
}

// TestJSONOfAMessage: rows that came as a message are written as those that were made here.
func TestJSONOfAMessage(t *testing.T) {
	t.Parallel()
	made := jsonBatch()
	var read flow.Batch
	if err := read.UnmarshalVTUnsafe(made.AppendVT(nil)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lines(made, flow.Neutral), lines(&read, flow.Neutral)); diff != "" {
		t.Errorf("-made +read:\n%s", diff)
	}
}
