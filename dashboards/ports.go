// SPDX-License-Identifier: Apache-2.0

package dashboards

func ports() dashboard {
	sums := source{"services_5m", "window_start", "$__timeFilter(window_start)", "300", ""}
	return board("weir-services", "services and ports", "Which protocols, ports and applications carry the traffic.", nil,
		areas("Services over time", "Rates by protocol and the lower port, with totals. "+noFilters, full,
			sums.over("(proto, service_port, other)", "if(key.3 = 1, 'other', "+serviceName("key.1", "key.2")+")", "")),
		table("Services", "Protocols and lower ports by sums of five minutes. "+noFilters, half,
			sums.top(100, key{"service", "if(other = 1, 'other', " + serviceName("proto", "service_port") + ")", []string{"proto", "service_port", "other"}})),
		table("Services of the chosen exporters", "Protocols and lower ports. "+ofReceipt, half, rawFlows().top(100, serviceKey())),
		areas("Protocols over time", "Rates by IP protocol, with totals. "+ofExporter, half, rollups().over("proto", protocolName("key"), "")),
		areas("DSCP over time", "Rates by differentiated services code point, with totals. "+ofReceipt, half,
			rawFlows().over("intDiv(ip_tos, 4)", named("key", []string{"0 best effort", "8 CS1", "10 AF11", "18 AF21", "26 AF31", "34 AF41", "46 EF", "48 CS6", "56 CS7"}), "")),
		table("Applications", "Applications that exporters name. "+ofReceipt, half, rawFlows().and("application_name != ''").top(50, by("application", "application_name"))),
		table("TCP flags", "Flags of TCP flows, or-ed over each: many flows with SYN alone are scans or unanswered. "+ofReceipt, half,
			rawFlows().and("proto = 6").top(50, key{"flags of the flow", "arrayStringConcat(arrayMap(i -> ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS'][i + 1], bitPositionsToArray(bitAnd(tcp_flags, 511))), ' ')", []string{"tcp_flags"}})),
	)
}
