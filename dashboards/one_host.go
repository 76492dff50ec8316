// SPDX-License-Identifier: Apache-2.0

package dashboards

const (
	theHost = "toIPv6OrDefault(${host:singlequote})"
	sends   = "(${direction} != 0 AND src_addr = " + theHost + ")"
	gets    = "(${direction} != 1 AND dst_addr = " + theHost + ")"
	peer    = "if(src_addr = " + theHost + ", dst_addr, src_addr)"
	way     = "if(src_addr = " + theHost + ", 'sent', 'received')"
)

// oneHost is what the addresses of the other dashboards lead to.
func oneHost() dashboard {
	wayKey := key{"direction", "way", []string{way + " AS way"}}
	flows := rawFlows().and("(" + sends + " OR " + gets + ")")
	return board("weir-host", "one host", "What one address sends (direction out) and receives (direction in), with whom and by which services.", []object{host()},
		stat("Traffic", "Average rate and sums over the time range, both directions unless one is chosen. "+ofReceipt, full,
			flows.with+"SELECT sum(${unit}) / "+seconds+" AS `${unit:text}`, sum(bytes_scaled) AS `bytes`, sum(packets_scaled) AS `packets`, sum(flows) AS `flow count`, uniq("+peer+") AS peers\nFROM flows\nWHERE "+flows.where),
		areas("Sent and received", "Rates by direction, with totals. "+ofReceipt, full, flows.over(way, "key", "")),
		areas("Services over time", "Rates by protocol and the lower port, with totals. "+ofReceipt, half, flows.over("(proto, "+lowerPort+")", serviceName("key.1", "key.2"), "")),
		areas("Peers over time", "Rates by peer, with totals. "+ofReceipt, half,
			flows.overMany(peer, text("key"), "")),
		table("Peers", "Hosts that it talks with. "+ofReceipt, half, flows.top(100, key{"peer", text("peer_addr"), []string{peer + " AS peer_addr"}}, wayKey)),
		table("Services", "Protocols and lower ports. "+ofReceipt, half, flows.top(100, serviceKey(), wayKey)),
		table("Where it is seen", "Exporters and interfaces with its flows, duplicates too: who sees it, not how much there is. "+scaled, half, seen()),
		table("Newest flows", "The last 200 flows that were received. Bytes and packets as exported: the column sampling says what they stand for.", half, newestFlows(flows)),
	)
}

func seen() string {
	return "SELECT if(exporter_name = '', sampler_ip, exporter_name) AS `exporter`, sampler_ip AS address, if(in_if_name = '', toString(in_if), in_if_name) AS `in at`," +
		" if(out_if_name = '', toString(out_if), out_if_name) AS `out at`,\n  count() AS `flow count`, sum(bytes_scaled) AS `bytes`\nFROM flows\nWHERE $__timeFilter(time_received_ns) AND (src_addr = " +
		theHost + " OR dst_addr = " + theHost + ")\nGROUP BY ALL\nORDER BY `bytes` DESC\nLIMIT 50"
}

func newestFlows(s source) string {
	return "SELECT time_received_ns AS received, src_ip AS `source`, src_port AS `source port`, dst_ip AS `destination`, dst_port AS `destination port`," +
		" proto_name AS protocol, bytes AS `bytes`, packets AS `packets`, sampling_rate AS sampling\nFROM flows\nWHERE " + s.where + "\nORDER BY time_received_ns DESC\nLIMIT 200"
}
