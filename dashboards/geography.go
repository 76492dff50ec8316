// SPDX-License-Identifier: Apache-2.0

package dashboards

const nextHop = "if(bgp_next_hop != toIPv6('::'), bgp_next_hop, next_hop)"

func geography() dashboard {
	return board("weir-geography", "AS and geography", "Where traffic comes from and goes to: countries, autonomous systems, peers and paths.", nil,
		worldMap("Where traffic comes from", "Bytes by country of the source. "+ofExporter, half, countries("src_country")),
		worldMap("Where traffic goes to", "Bytes by country of the destination. "+ofExporter, half, countries("dst_country")),
		table("Pairs of AS", "Traffic from AS to AS. "+ofExporter, half, rollups().top(100, by("source AS", "src_origin_as"), by("destination AS", "dst_origin_as"))),
		table("Pairs of countries", "Traffic from country to country. "+ofExporter, half, rollups().top(100, by("from", "src_country"), by("to", "dst_country"))),
		areas("Source AS over time", "Rates by source AS, with totals. "+ofExporter, half, rollups().overMany("src_origin_as", asLabel, asJoin)),
		areas("Destination AS over time", "Rates by destination AS, with totals. "+ofExporter, half, rollups().overMany("dst_origin_as", asLabel, asJoin)),
		table("Peers", "Neighbour AS that traffic came from and went to, as exporters tell. "+ofReceipt, half,
			rawFlows().and("(src_peer_as != 0 OR dst_peer_as != 0)").top(50, by("from peer", "src_peer_as"), by("to peer", "dst_peer_as"))),
		table("AS paths", "Paths with the most traffic, as exporters tell them (sFlow, IPFIX). "+ofReceipt, half,
			rawFlows().and("notEmpty(as_path)").top(50, key{"path", "arrayStringConcat(arrayMap(a -> toString(a), as_path), ' ')", []string{"as_path"}})),
		table("Cities", "Cities of sources and destinations. "+ofReceipt, half,
			rawFlows().and("(src_city != '' OR dst_city != '')").top(50, by("from", "src_city"), by("to", "dst_city"))),
		table("Next hops", "BGP next hops with the most traffic, where exporters tell them. "+ofReceipt, half,
			rawFlows().and("(bgp_next_hop != toIPv6('::') OR next_hop != toIPv6('::'))").
				top(50, key{"next hop", text("hop"), []string{nextHop + " AS hop"}}, by("next hop AS", "next_hop_as"))),
	)
}

// countries has the columns that a map looks for.
func countries(column string) string {
	return rollups().and(column+" != ''").top(300, by("country", column))
}
