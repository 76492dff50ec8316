// SPDX-License-Identifier: Apache-2.0

package dashboards

func nat() dashboard {
	count := func(name string) string {
		return "SELECT " + rawFlows().bucket() + " AS time, " + name + " AS series, count() AS `events`\nFROM nat_events\nWHERE " + natRows +
			" AND series != ''\nGROUP BY time, series\nORDER BY time"
	}
	return board("weir-nat", "NAT and firewall", "Translations, blocks of ports, and what firewalls created, denied and deleted.", nil,
		areas("NAT events", "Events in each interval, by kind. Events are not sampled, and not scaled.", half, count("nat_event_name")),
		areas("Firewall events", "Events in each interval, by kind. Events are not sampled, and not scaled.", half, count("firewall_event_name")),
		table("Who had an address and port", "The last 500 translations: an address inside, and the address and port that the world saw. Not scaled.", full, translations()),
		table("Translated addresses", "Public addresses by events and addresses behind them. Not scaled.", half,
			"SELECT post_nat_src_ip AS `translated to`, count() AS `events`, uniq(src_addr) AS `addresses inside`, uniq(post_nat_src_port) AS `ports used`\nFROM nat_events\nWHERE "+natRows+
				" AND nat_event != 0\nGROUP BY `translated to`\nORDER BY `events` DESC\nLIMIT 50"),
		table("Denied", "Flows that firewalls denied, by source, destination and port. Not scaled.", half,
			"SELECT src_ip AS `source`, dst_ip AS `destination`, proto_name AS protocol, dst_port AS port, firewall_extended_event AS reason, count() AS `events`\nFROM nat_events\nWHERE "+natRows+
				" AND firewall_event = 3\nGROUP BY ALL\nORDER BY `events` DESC\nLIMIT 50"),
	)
}

// natRows is the condition of the view nat_events, which has fewer columns than flows.
const natRows = "$__timeFilter(time_received_ns)\n  AND " + byExporter + "\n  AND " + bySite + "\n  AND " + byInterface

func translations() string {
	return "SELECT time_received_ns AS received, if(exporter_name = '', sampler_ip, exporter_name) AS `exporter`, sampler_ip AS address, nat_event_name AS event, proto_name AS protocol,\n" +
		"  src_ip AS `source`, src_port AS `source port`, post_nat_src_ip AS `translated to`, post_nat_src_port AS `translated port`,\n" +
		"  dst_ip AS `destination`, dst_port AS `destination port`, port_range_start AS `block from`, port_range_end AS `block to`\n" +
		"FROM nat_events\nWHERE " + natRows + " AND nat_event != 0\nORDER BY time_received_ns DESC\nLIMIT 500"
}
