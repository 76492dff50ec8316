// SPDX-License-Identifier: Apache-2.0

package dashboards

// forwardingStatus names the codes of element 89 (IANA, IPFIX Information Elements).
func forwardingStatus(column string) string {
	return named(column, []string{
		"0 unknown", "64 forwarded", "65 forwarded in fragments", "66 forwarded whole",
		"128 dropped", "129 dropped: ACL deny", "130 dropped: ACL drop", "131 dropped: unroutable", "132 dropped: adjacency",
		"133 dropped: fragmentation and DF", "134 dropped: bad header checksum", "135 dropped: bad total length", "136 dropped: bad header length",
		"137 dropped: bad TTL", "138 dropped: policer", "139 dropped: WRED", "140 dropped: RPF", "141 dropped: for us",
		"142 dropped: bad output interface", "143 dropped: hardware",
		"192 consumed", "193 consumed: punt adjacency", "194 consumed: incomplete adjacency", "195 consumed: for us",
	})
}

// dropReason names the commonest codes of sFlow's discarded packets.
func dropReason(column string) string {
	return named(column, []string{
		"1 host unreachable", "3 port unreachable", "13 administratively prohibited", "256 unknown", "257 TTL exceeded", "258 ACL", "259 no buffer space",
		"260 RED", "261 traffic shaping", "262 packet too big", "265 ingress VLAN filter", "269 blackhole route", "279 unresolved neighbour",
		"280 multicast RPF", "281 not routable", "302 unicast RPF",
	})
}

// lostFlows are those that did not get through: status 10xxxxxx, packets that an sFlow agent discarded, and what
// routers count as dropped of a flow. Discarded packets are no traffic: their size is in columns of its own.
func lostFlows() source {
	s := rawFlows().and("(bitAnd(forwarding_status, 192) = 128 OR drop_reason != 0 OR dropped_packets != 0)")
	s.with = "WITH toUInt64(1) AS flows, if(bitAnd(forwarding_status, 192) = 128 OR drop_reason != 0, bytes, 0) + dropped_bytes AS octets_lost,\n" +
		"  if(bitAnd(forwarding_status, 192) = 128 OR drop_reason != 0, packets, 0) + dropped_packets AS packets_lost,\n" +
		"  octets_lost * greatest(sampling_rate, 1) AS bytes_scaled, packets_lost * greatest(sampling_rate, 1) AS packets_scaled\n"
	return s
}

func drops() dashboard {
	lost := lostFlows()
	return board("weir-drops", "drops", "What was not forwarded, why, whose it was and where. Exporters that tell no status count as unknown.", nil,
		areas("Forwarding status", "Rates by what became of the packets, with totals. "+ofExporter, full, rollups().over("forwarding_status", forwardingStatus("key"), "")),
		areas("Dropped by reason", "Rates by reason of routers, with totals. "+ofExporter, half,
			rollups().and("bitAnd(forwarding_status, 192) = 128").over("forwarding_status", forwardingStatus("key"), "")),
		areas("Discarded samples by reason", "Rates by reason of sFlow agents, with totals. "+ofReceipt, half,
			lost.and("drop_reason != 0").over("drop_reason", dropReason("key"), "")),
		table("Where", "Exporters and input interfaces that drop. "+ofReceipt, half,
			lost.top(50, key{"exporter", "if(exporter_name = '', " + text("sampler_address") + ", exporter_name)", []string{"sampler_address", "exporter_name"}},
				key{"address", text("sampler_address"), nil}, key{"in at", "if(in_if_name = '', toString(in_if), in_if_name)", []string{"in_if", "in_if_name"}})),
		table("Whose", "Sources and destinations of what was dropped. "+ofReceipt, half, lost.top(50, sourceKey(), destinationKey(), serviceKey())),
	)
}
