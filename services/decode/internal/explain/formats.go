// SPDX-License-Identifier: Apache-2.0

package explain

import "slices"

// sampleFormat is a kind of sample: its head, of which the last field counts the records.
type sampleFormat struct {
	name    string
	fields  []fixed
	records map[uint32]recordFormat
	counts  bool // its records are counters
}

// recordFormat is a kind of record: its fields, where 0 octets are an address behind its type, and
// the columns that are filled from what follows them.
type recordFormat struct {
	name   string
	fields []fixed
	rest   []string
}

func word(name string, columns ...string) fixed { return fixed{name, 4, columns} }

// samples of enterprise 0 (sFlow v5, section 5.3).
var samples = map[uint32]sampleFormat{
	1: {"flow sample", []fixed{
		word("sequence_number"), word("source_id"), word("sampling_rate", "sampling_rate"), word("sample_pool"), word("drops"),
		word("input", "in_if"), word("output", "out_if", "out_if_count", "drop_reason"), word("records"),
	}, flowRecords, false},
	2: {"counter sample", []fixed{word("sequence_number"), word("source_id"), word("records")}, counterRecords, true},
	3: {"expanded flow sample", []fixed{
		word("sequence_number"), word("source_id_type"), word("source_id_index"), word("sampling_rate", "sampling_rate"),
		word("sample_pool"), word("drops"), word("input_format"), word("input_value", "in_if"), word("output_format"),
		word("output_value", "out_if", "out_if_count", "drop_reason"), word("records"),
	}, flowRecords, false},
	4: {"expanded counter sample", []fixed{
		word("sequence_number"), word("source_id_type"), word("source_id_index"), word("records"),
	}, counterRecords, true},
	// What the records say of the packet's octets is dropped_bytes, not bytes.
	5: {"discarded packet", []fixed{
		word("sequence_number"), word("source_id_type"), word("source_id_index"), word("drops"), word("input", "in_if"),
		word("output", "out_if"), word("reason", "drop_reason"), word("records", "dropped_packets", "dropped_bytes"),
	}, flowRecords, false},
}

// frameColumns are the columns that a sampled frame's header of layer 2 fills; packetColumns those
// that the headers behind it fill.
var (
	frameColumns  = []string{"src_mac", "dst_mac", "vlan_id", "vlan_priority", "customer_vlan_id", "customer_vlan_priority"}
	packetColumns = []string{
		"etype", "src_addr", "dst_addr", "proto", "src_port", "dst_port", "tcp_flags", "ip_tos", "ip_ttl", "ip_flags", "fragment_id",
		"fragment_offset", "ipv6_flow_label", "icmp_type", "icmp_code", "mpls_label", "mpls_exp", "mpls_ttl", "segment_id", "tunnel_id",
		"ipv6_routing_header_addresses", "ipv6_routing_header_seg_left", "layer_stack", "layer_size", "inner_src_mac",
		"inner_dst_mac", "inner_vlan_id", "inner_etype", "inner_src_addr", "inner_dst_addr", "inner_proto", "inner_src_port",
		"inner_dst_port", "inner_tcp_flags", "inner_ip_tos", "inner_ip_ttl", "inner_icmp_type", "inner_icmp_code",
	}
)

var transport = []fixed{
	word("src_port", "src_port"), word("dst_port", "dst_port"), word("tcp_flags", "tcp_flags"), word("tos", "ip_tos"),
}

// outerIPv4 and outerIPv6 are headers of tunnels.
var (
	outerIPv4 = []fixed{word("length"), word("protocol"), word("src_ip", "tunnel_src_addr"), word("dst_ip", "tunnel_dst_addr")}
	outerIPv6 = []fixed{
		word("length"), word("protocol"), {"src_ip", 16, []string{"tunnel_src_addr"}}, {"dst_ip", 16, []string{"tunnel_dst_addr"}},
	}
)

var flowRecords = map[uint32]recordFormat{
	1: {"raw packet header", []fixed{
		word("header_protocol"), word("frame_length", "bytes"), word("stripped"), word("header_length"),
	}, slices.Concat(frameColumns, packetColumns)},
	2: {"ethernet frame", []fixed{
		word("length", "bytes"), {"src_mac", 8, []string{"src_mac"}}, {"dst_mac", 8, []string{"dst_mac"}}, word("type", "etype"),
	}, nil},
	3: {"IPv4 packet", append([]fixed{
		word("length", "bytes"), word("protocol", "proto"), word("src_ip", "src_addr"), word("dst_ip", "dst_addr"),
	}, transport...), nil},
	4: {"IPv6 packet", append([]fixed{
		word("length", "bytes"), word("protocol", "proto"), {"src_ip", 16, []string{"src_addr"}}, {"dst_ip", 16, []string{"dst_addr"}},
	}, transport...), nil},
	1001: {"extended switch", []fixed{
		word("src_vlan", "src_vlan"), word("src_priority", "vlan_priority"), word("dst_vlan", "dst_vlan"),
		word("dst_priority", "post_vlan_priority"),
	}, nil},
	1002: {"extended router", []fixed{
		{"next_hop", 0, []string{"next_hop"}}, word("src_mask_len", "src_net"), word("dst_mask_len", "dst_net"),
	}, nil},
	1003: {"extended gateway", []fixed{
		{"next_hop", 0, []string{"bgp_next_hop"}}, word("as"), word("src_as", "src_as"), word("src_peer_as", "src_peer_as"), word("path_segments"),
	}, []string{"as_path", "dst_as", "dst_peer_as", "next_hop_as", "bgp_communities"}},
	1006: {"extended MPLS", []fixed{{"next_hop", 0, []string{"next_hop"}}}, []string{"mpls_label", "mpls_exp", "mpls_ttl", "mpls_out_label"}},
	1007: {"extended NAT", []fixed{
		{"src_address", 0, []string{"post_nat_src_addr"}}, {"dst_address", 0, []string{"post_nat_dst_addr"}},
	}, nil},
	1004: {"extended user", nil, []string{"src_user", "dst_user"}},
	1005: {"extended URL", []fixed{word("direction", "url_direction")}, []string{"url", "url_host"}},
	1008: {"extended MPLS tunnel", nil, []string{"mpls_tunnel_name", "tunnel_id"}},
	1009: {"extended MPLS VC", nil, []string{"mpls_vc_name", "segment_id"}},
	1010: {"extended MPLS FTN", nil, []string{"mpls_ftn_description", "mpls_ftn_mask"}},
	1011: {"extended MPLS LDP FEC", []fixed{word("prefix_length", "mpls_fec_prefix_length")}, nil},
	1012: {"extended VLAN tunnel", []fixed{word("tags")}, []string{"vlan_id", "customer_vlan_id"}},
	1014: {"extended 802.11 reception", nil, []string{"wlan_ssid", "access_point_mac", "wlan_channel"}},
	1020: {"extended NAT ports", []fixed{word("src_port", "post_nat_src_port"), word("dst_port", "post_nat_dst_port")}, nil},
	1023: {"extended IPv4 tunnel at the output", outerIPv4, nil},
	1024: {"extended IPv4 tunnel at the input", outerIPv4, nil},
	1025: {"extended IPv6 tunnel at the output", outerIPv6, nil},
	1026: {"extended IPv6 tunnel at the input", outerIPv6, nil},
	1029: {"extended VNI at the output", []fixed{word("vni", "segment_id")}, nil},
	1030: {"extended VNI at the input", []fixed{word("vni", "segment_id")}, nil},
	1036: {"extended egress queue", []fixed{word("queue", "egress_queue")}, nil},
	1037: {"extended ACL", []fixed{word("number", "acl_number")}, []string{"acl_name", "acl_direction"}},
	1038: {"extended function", nil, []string{"function_name"}},
	1039: {"extended transit", []fixed{word("delay", "transit_delay_ns")}, nil},
	1040: {"extended queue", []fixed{word("depth", "queue_depth")}, nil},
}
