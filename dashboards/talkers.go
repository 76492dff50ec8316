// SPDX-License-Identifier: Apache-2.0

package dashboards

const (
	once      = scaled + " A flow that enrich marked as a duplicate counts once."
	ofReceipt = once + " By time of receipt."
	noFilters = scaled + " Whole network: the choices of exporter, interface, site and IP version do not apply."
	lowerPort = "least(src_port, dst_port)"
)

func sourceKey() key { return key{"source", text("src_addr"), []string{"src_addr"}} }

func destinationKey() key {
	return key{"destination", text("dst_addr"), []string{"dst_addr"}}
}

func serviceKey() key {
	return key{"service", serviceName("proto", "port"), []string{"proto", lowerPort + " AS port"}}
}

func talkers() dashboard {
	senders := source{"hosts_5m", "window_start", "$__timeFilter(window_start)", "300", ""}
	receivers := source{"receivers_5m", "window_start", "$__timeFilter(window_start)", "300", ""}
	first := func(address string) string { return "if(other = 1, 'other', " + text(address) + ")" }
	return board("weir-talkers", "top talkers", "Who sends and receives most. Click an address for all of that host.", nil,
		areas("Sources over time", "Rates of the nine sources with the most traffic, with totals. "+ofReceipt, full, rawFlows().overMany("src_addr", text("key"), "")),
		table("Sources", "Sources with the most traffic. "+ofReceipt, half, rawFlows().top(50, sourceKey(), by("source AS", "src_origin_as"), by("country", "src_country"))),
		table("Destinations", "Destinations with the most traffic. "+ofReceipt, half,
			rawFlows().top(50, destinationKey(), by("destination AS", "dst_origin_as"), by("country", "dst_country"))),
		table("Conversations", "Pairs of addresses and services with the most traffic; each direction is a row. "+ofReceipt, full,
			rawFlows().top(100, sourceKey(), destinationKey(), serviceKey())),
		table("Sources of long time ranges", "Sources by sums of five minutes, for ranges that single flows are not kept for or are too many for. "+noFilters, half,
			senders.top(50, key{"source", first("src_addr"), []string{"src_addr", "other"}})),
		table("Destinations of long time ranges", "Destinations by sums of five minutes, for ranges that single flows are not kept for or are too many for. "+noFilters, half,
			receivers.top(50, key{"destination", first("dst_addr"), []string{"dst_addr", "other"}})),
		table("Networks", "Configured networks that talk with each other. "+ofExporter, full,
			rollups().and("(src_net_name != '' OR dst_net_name != '')").top(50, by("from", "src_net_name"), by("to", "dst_net_name"))),
	)
}
