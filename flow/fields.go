// SPDX-License-Identifier: Apache-2.0

package flow

// Field names a column of a flow. Its number in the table below is ours alone; on
// the wire and outside it goes by Info.Number and Info.Name.
type Field uint8

// Numbers, and text as an index into the batch's dictionary.
const (
	Type Field = iota
	TimeReceivedNs
	TimeFlowStartNs
	TimeFlowEndNs
	SequenceNum
	SamplingRate
	Bytes
	Packets
	EType
	Proto
	SrcPort
	DstPort
	InIf
	OutIf
	IPTOS
	TCPFlags
	SrcAS
	DstAS
	SrcNet
	DstNet
	NextHopAS
	ForwardingStatus
	IPTTL
	SrcMAC
	DstMAC
	VLANID
	ICMPType
	ICMPCode
	SrcVLAN
	DstVLAN
	FragmentID
	FragmentOffset
	IPv6FlowLabel
	IPFlags
	ObservationDomainID
	ObservationPointID
	IPv6RoutingHeaderSegLeft
	FlowDirection
	IngressVRFID
	EgressVRFID
	FlowEndReason
	BiflowDirection
	NATEvent
	FirewallEvent
	PostNATSrcPort
	PostNATDstPort
	InPhysicalIf
	OutPhysicalIf
	CustomerVLANID
	SegmentID
	ApplicationID
	ResponderBytes
	ResponderPackets
	DropReason
	InnerEType
	InnerProto
	InnerSrcPort
	InnerDstPort
	InnerIPTOS
	InnerIPTTL
	InnerTCPFlags
	InnerVLANID
	InnerSrcMAC
	InnerDstMAC
	TunnelID
	SrcPeerAS
	DstPeerAS
	ApplicationName
	PortRangeStart
	PortRangeEnd
	FirewallExtendedEvent
	ExceptionCode
	Custom1
	Custom2
	Custom3
	Custom4
	SrcOriginAS
	DstOriginAS
	SrcCountry
	DstCountry
	Quality
	ExporterName
	ExporterGroup
	ExporterRole
	ExporterSite
	ExporterRegion
	ExporterTenant
	InIfName
	InIfDescription
	InIfSpeed
	InIfBoundary
	InIfConnectivity
	InIfProvider
	OutIfName
	OutIfDescription
	OutIfSpeed
	OutIfBoundary
	OutIfConnectivity
	OutIfProvider
	IngressVRFName
	EgressVRFName
	SrcNetName
	SrcNetRole
	SrcNetSite
	SrcNetRegion
	SrcNetTenant
	SrcNetContext
	DstNetName
	DstNetRole
	DstNetSite
	DstNetRegion
	DstNetTenant
	DstNetContext
	SrcCity
	DstCity
	SrcRegion
	DstRegion
	SrcASName
	DstASName
	Tenant
	Tag
	Duplicate
	SamplingAlgorithm
	DroppedBytes
	DroppedPackets
	OutIfCount
	FlowCount
	MulticastBytes
	MulticastPackets
	Layer2Bytes
	FlowID
	PostIPTOS
	VLANPriority
	PostVLANPriority
	CustomerVLANPriority
	MPLSVPNRD
	MPLSTopLabelType
	MPLSFTNMask
	MPLSFECPrefixLength
	PseudowireID
	NATPoolID
	InnerICMPType
	InnerICMPCode
	PathDelayMeanUs
	PathDelayMinUs
	PathDelayMaxUs
	PathDelaySumUs
	EgressQueue
	QueueDepth
	TransitDelayNs
	ACLNumber
	ACLDirection
	URLDirection
	WLANChannel
	StationMAC
	AccessPointMAC
	SrcUser
	DstUser
	URL
	URLHost
	MPLSTunnelName
	MPLSVCName
	MPLSFTNDescription
	ACLName
	FunctionName
	IngressACL
	EgressACL
	WLANSSID
	PostCustomerVLANID
	numNumbers = iota
)

// Addresses: 16 octets, IPv4 mapped.
const (
	SrcAddr Field = firstAddress + iota
	DstAddr
	SamplerAddress
	NextHop
	BGPNextHop
	PostNATSrcAddr
	PostNATDstAddr
	InnerSrcAddr
	InnerDstAddr
	ExporterAddress
	StationAddress
	TunnelSrcAddr
	TunnelDstAddr
	endAddress
)

// Lists: a row has any number of values.
const (
	MPLSTTL Field = firstList + iota
	MPLSLabel
	MPLSEXP
	BGPCommunities
	ASPath
	LayerStack
	LayerSize
	MPLSIP
	IPv6RoutingHeaderAddresses
	MPLSOutLabel
	BGPExtCommunities
	BGPLargeCommunities
	endList
)

// The groups start at fixed places, so that a record's bitmap has a word or two for each.
const (
	firstAddress = 192
	firstList    = 224
	numFields    = 240
)

// Kind is the shape of a field's values.
type Kind uint8

// Kinds.
const (
	Number    Kind = iota + 1 // unsigned, of 1, 2, 4 or 8 octets
	Text                      // dictionary-coded
	Address                   // 16 octets, IPv4 mapped
	Numbers                   // list of Number
	Addresses                 // list of Address
)

// Info describes a field.
type Info struct {
	Name   string // as in the proto, in SQL and in JSON
	Number int    // field number of weir.v1.FlowBatch
	Kind   Kind
	Width  int    // octets of its widest form (of one value, for a list)
	Type   string // ClickHouse column type
	Doc    string // meaning and unit
}

// Info returns the table's row of f.
func (f Field) Info() Info { return fields[f] }

// String returns the field's name.
func (f Field) String() string { return fields[f].Name }

// fields is the one table of fields. A new field is a line here, a constant above,
// a line in flows.proto and a migration.
var fields = [numFields]Info{
	Type:                       {"type", 1, Number, 1, "UInt8", "Flow type: 1 sFlow v5, 2 NetFlow v5, 3 NetFlow v9, 4 IPFIX (GoFlow2's FlowType); 101, 107, 108 NetFlow v1, v7, v8"},
	TimeReceivedNs:             {"time_received_ns", 110, Number, 8, "DateTime64(9)", "Receive time of the datagram, Unix ns"},
	TimeFlowStartNs:            {"time_flow_start_ns", 111, Number, 8, "DateTime64(9)", "Start of the flow, Unix ns"},
	TimeFlowEndNs:              {"time_flow_end_ns", 112, Number, 8, "DateTime64(9)", "End of the flow, Unix ns"},
	SequenceNum:                {"sequence_num", 4, Number, 4, "UInt32", "Sequence number of the export datagram"},
	SamplingRate:               {"sampling_rate", 3, Number, 8, "UInt64", "Sampling interval, 1 in N; 0 is unknown"},
	Bytes:                      {"bytes", 9, Number, 8, "UInt64", "Octets, as exported"},
	Packets:                    {"packets", 10, Number, 8, "UInt64", "Packets, as exported"},
	EType:                      {"etype", 30, Number, 2, "UInt16", "EtherType"},
	Proto:                      {"proto", 20, Number, 1, "UInt8", "IP protocol"},
	SrcPort:                    {"src_port", 21, Number, 2, "UInt16", "Source port"},
	DstPort:                    {"dst_port", 22, Number, 2, "UInt16", "Destination port"},
	InIf:                       {"in_if", 18, Number, 4, "UInt32", "Input interface, ifIndex"},
	OutIf:                      {"out_if", 19, Number, 4, "UInt32", "Output interface, ifIndex"},
	IPTOS:                      {"ip_tos", 23, Number, 1, "UInt8", "Type of service or traffic class octet"},
	TCPFlags:                   {"tcp_flags", 26, Number, 2, "UInt16", "TCP flags of all packets, or-ed"},
	SrcAS:                      {"src_as", 14, Number, 4, "UInt32", "Source AS as the exporter says"},
	DstAS:                      {"dst_as", 15, Number, 4, "UInt32", "Destination AS as the exporter says"},
	SrcNet:                     {"src_net", 16, Number, 1, "UInt8", "Source prefix length, bits"},
	DstNet:                     {"dst_net", 17, Number, 1, "UInt8", "Destination prefix length, bits"},
	NextHopAS:                  {"next_hop_as", 13, Number, 4, "UInt32", "AS of the next hop"},
	ForwardingStatus:           {"forwarding_status", 24, Number, 1, "UInt8", "Forwarding status, RFC 7270 section 4.12"},
	IPTTL:                      {"ip_ttl", 25, Number, 1, "UInt8", "Time to live or hop limit"},
	SrcMAC:                     {"src_mac", 27, Number, 8, "UInt64", "Source MAC address, 48 bits"},
	DstMAC:                     {"dst_mac", 28, Number, 8, "UInt64", "Destination MAC address, 48 bits"},
	VLANID:                     {"vlan_id", 29, Number, 2, "UInt16", "VLAN identifier, 12 bits"},
	ICMPType:                   {"icmp_type", 31, Number, 1, "UInt8", "ICMP or ICMPv6 type"},
	ICMPCode:                   {"icmp_code", 32, Number, 1, "UInt8", "ICMP or ICMPv6 code"},
	SrcVLAN:                    {"src_vlan", 33, Number, 4, "UInt32", "VLAN at the input"},
	DstVLAN:                    {"dst_vlan", 34, Number, 4, "UInt32", "VLAN at the output"},
	FragmentID:                 {"fragment_id", 35, Number, 4, "UInt32", "Fragment identification"},
	FragmentOffset:             {"fragment_offset", 36, Number, 2, "UInt16", "Fragment offset, 8 octets"},
	IPv6FlowLabel:              {"ipv6_flow_label", 37, Number, 4, "UInt32", "IPv6 flow label, 20 bits"},
	IPFlags:                    {"ip_flags", 38, Number, 1, "UInt8", "IPv4 fragment flags"},
	ObservationDomainID:        {"observation_domain_id", 70, Number, 4, "UInt32", "IPFIX observation domain, NetFlow v9 source id"},
	ObservationPointID:         {"observation_point_id", 71, Number, 8, "UInt64", "Observation point, element 138"},
	IPv6RoutingHeaderSegLeft:   {"ipv6_routing_header_seg_left", 106, Number, 1, "UInt8", "Segments left of the IPv6 routing header"},
	FlowDirection:              {"flow_direction", 2002, Number, 1, "UInt8", "Direction, element 61: 0 ingress, 1 egress"},
	IngressVRFID:               {"ingress_vrf_id", 2003, Number, 4, "UInt32", "VRF at the input, element 234"},
	EgressVRFID:                {"egress_vrf_id", 2004, Number, 4, "UInt32", "VRF at the output, element 235"},
	FlowEndReason:              {"flow_end_reason", 2005, Number, 1, "UInt8", "Why the flow ended, element 136"},
	BiflowDirection:            {"biflow_direction", 2006, Number, 1, "UInt8", "How the direction of a biflow was found, element 239"},
	NATEvent:                   {"nat_event", 2007, Number, 1, "UInt8", "NAT event, element 230"},
	FirewallEvent:              {"firewall_event", 2008, Number, 1, "UInt8", "Firewall event, element 233"},
	PostNATSrcPort:             {"post_nat_src_port", 2009, Number, 2, "UInt16", "Source port after translation, element 227"},
	PostNATDstPort:             {"post_nat_dst_port", 2010, Number, 2, "UInt16", "Destination port after translation, element 228"},
	InPhysicalIf:               {"in_physical_if", 2011, Number, 4, "UInt32", "Physical input interface, element 252"},
	OutPhysicalIf:              {"out_physical_if", 2012, Number, 4, "UInt32", "Physical output interface, element 253"},
	CustomerVLANID:             {"customer_vlan_id", 2013, Number, 2, "UInt16", "Inner VLAN identifier, element 245"},
	SegmentID:                  {"segment_id", 2014, Number, 8, "UInt64", "Layer 2 segment, such as a VXLAN network identifier, element 351"},
	ApplicationID:              {"application_id", 2015, Number, 8, "UInt64", "Application, element 95: engine and selector"},
	ResponderBytes:             {"responder_bytes", 2016, Number, 8, "UInt64", "Octets of the other direction, as exported, element 232"},
	ResponderPackets:           {"responder_packets", 2017, Number, 8, "UInt64", "Packets of the other direction, as exported, element 299"},
	DropReason:                 {"drop_reason", 2018, Number, 2, "UInt16", "Why a sampled packet was discarded, sFlow v5 section 5.3"},
	InnerEType:                 {"inner_etype", 2021, Number, 2, "UInt16", "EtherType in the tunnel of a sampled packet"},
	InnerProto:                 {"inner_proto", 2022, Number, 1, "UInt8", "IP protocol in the tunnel"},
	InnerSrcPort:               {"inner_src_port", 2023, Number, 2, "UInt16", "Source port in the tunnel"},
	InnerDstPort:               {"inner_dst_port", 2024, Number, 2, "UInt16", "Destination port in the tunnel"},
	InnerIPTOS:                 {"inner_ip_tos", 2025, Number, 1, "UInt8", "Type of service or traffic class octet in the tunnel"},
	InnerIPTTL:                 {"inner_ip_ttl", 2026, Number, 1, "UInt8", "Time to live or hop limit in the tunnel"},
	InnerTCPFlags:              {"inner_tcp_flags", 2027, Number, 2, "UInt16", "TCP flags in the tunnel"},
	InnerVLANID:                {"inner_vlan_id", 2028, Number, 2, "UInt16", "VLAN identifier in the tunnel, 12 bits"},
	InnerSrcMAC:                {"inner_src_mac", 2029, Number, 8, "UInt64", "Source MAC address in the tunnel, 48 bits"},
	InnerDstMAC:                {"inner_dst_mac", 2030, Number, 8, "UInt64", "Destination MAC address in the tunnel, 48 bits"},
	TunnelID:                   {"tunnel_id", 2031, Number, 8, "UInt64", "Identifier of the tunnel: GRE key, GTP-U endpoint, L2TP tunnel and session, PPPoE session; VXLAN and GENEVE have segment_id"},
	SrcPeerAS:                  {"src_peer_as", 2032, Number, 4, "UInt32", "AS that the flow came from, element 129, sFlow extended_gateway"},
	DstPeerAS:                  {"dst_peer_as", 2033, Number, 4, "UInt32", "AS that the flow goes to next, element 128"},
	ApplicationName:            {"application_name", 2034, Text, 4, "LowCardinality(String)", "Name of the application, element 96, or that of application_id in options data"},
	PortRangeStart:             {"port_range_start", 2035, Number, 2, "UInt16", "First port of a block of translated ports, element 361"},
	PortRangeEnd:               {"port_range_end", 2036, Number, 2, "UInt16", "Last port of a block of translated ports, element 362"},
	FirewallExtendedEvent:      {"firewall_extended_event", 2037, Number, 2, "UInt16", "Cisco's reason for a firewall event, element 33002"},
	ExceptionCode:              {"exception_code", 2038, Number, 1, "UInt8", "Juniper's reason for a discarded packet, element 137 of enterprise 2636"},
	Custom1:                    {"custom_1", 2043, Number, 8, "UInt64", "Value 1 of the mapping file"},
	Custom2:                    {"custom_2", 2044, Number, 8, "UInt64", "Value 2 of the mapping file"},
	Custom3:                    {"custom_3", 2045, Number, 8, "UInt64", "Value 3 of the mapping file"},
	Custom4:                    {"custom_4", 2046, Number, 8, "UInt64", "Value 4 of the mapping file"},
	SrcOriginAS:                {"src_origin_as", 2100, Number, 4, "UInt32", "Source AS: the exporter's, else the database's"},
	DstOriginAS:                {"dst_origin_as", 2101, Number, 4, "UInt32", "Destination AS: the exporter's, else the database's"},
	SrcCountry:                 {"src_country", 2102, Text, 4, "LowCardinality(String)", "Country of the source address, ISO 3166-1 alpha-2"},
	DstCountry:                 {"dst_country", 2103, Text, 4, "LowCardinality(String)", "Country of the destination address, ISO 3166-1 alpha-2"},
	Quality:                    {"quality", 2001, Number, 4, "UInt32", "What is unknown or assumed in this row: bits of flow.Quality"},
	ExporterName:               {"exporter_name", 2104, Text, 4, "LowCardinality(String)", "Name of the exporter"},
	ExporterGroup:              {"exporter_group", 2105, Text, 4, "LowCardinality(String)", "Group of the exporter"},
	ExporterRole:               {"exporter_role", 2106, Text, 4, "LowCardinality(String)", "Role of the exporter"},
	ExporterSite:               {"exporter_site", 2107, Text, 4, "LowCardinality(String)", "Site of the exporter"},
	ExporterRegion:             {"exporter_region", 2108, Text, 4, "LowCardinality(String)", "Region of the exporter"},
	ExporterTenant:             {"exporter_tenant", 2109, Text, 4, "LowCardinality(String)", "Tenant of the exporter"},
	InIfName:                   {"in_if_name", 2110, Text, 4, "LowCardinality(String)", "Name of the input interface"},
	InIfDescription:            {"in_if_description", 2111, Text, 4, "LowCardinality(String)", "Description of the input interface"},
	InIfSpeed:                  {"in_if_speed", 2112, Number, 8, "UInt64", "Speed of the input interface, bit/s"},
	InIfBoundary:               {"in_if_boundary", 2113, Text, 4, "LowCardinality(String)", "Side of the network that the input interface leads to: internal or external"},
	InIfConnectivity:           {"in_if_connectivity", 2114, Text, 4, "LowCardinality(String)", "Kind of connection of the input interface, such as transit or peering"},
	InIfProvider:               {"in_if_provider", 2115, Text, 4, "LowCardinality(String)", "Provider behind the input interface"},
	OutIfName:                  {"out_if_name", 2116, Text, 4, "LowCardinality(String)", "Name of the output interface"},
	OutIfDescription:           {"out_if_description", 2117, Text, 4, "LowCardinality(String)", "Description of the output interface"},
	OutIfSpeed:                 {"out_if_speed", 2118, Number, 8, "UInt64", "Speed of the output interface, bit/s"},
	OutIfBoundary:              {"out_if_boundary", 2119, Text, 4, "LowCardinality(String)", "Side of the network that the output interface leads to: internal or external"},
	OutIfConnectivity:          {"out_if_connectivity", 2120, Text, 4, "LowCardinality(String)", "Kind of connection of the output interface, such as transit or peering"},
	OutIfProvider:              {"out_if_provider", 2121, Text, 4, "LowCardinality(String)", "Provider behind the output interface"},
	IngressVRFName:             {"ingress_vrf_name", 2122, Text, 4, "LowCardinality(String)", "Name of the VRF at the input"},
	EgressVRFName:              {"egress_vrf_name", 2123, Text, 4, "LowCardinality(String)", "Name of the VRF at the output"},
	SrcNetName:                 {"src_net_name", 2124, Text, 4, "LowCardinality(String)", "Name of the configured network of the source address"},
	SrcNetRole:                 {"src_net_role", 2125, Text, 4, "LowCardinality(String)", "Role of the configured network of the source address"},
	SrcNetSite:                 {"src_net_site", 2126, Text, 4, "LowCardinality(String)", "Site of the configured network of the source address"},
	SrcNetRegion:               {"src_net_region", 2127, Text, 4, "LowCardinality(String)", "Region of the configured network of the source address"},
	SrcNetTenant:               {"src_net_tenant", 2128, Text, 4, "LowCardinality(String)", "Tenant of the configured network of the source address"},
	SrcNetContext:              {"src_net_context", 2129, Text, 4, "LowCardinality(String)", "Labels of the configured network of the source address: a JSON object of texts, keys in order"},
	DstNetName:                 {"dst_net_name", 2130, Text, 4, "LowCardinality(String)", "Name of the configured network of the destination address"},
	DstNetRole:                 {"dst_net_role", 2131, Text, 4, "LowCardinality(String)", "Role of the configured network of the destination address"},
	DstNetSite:                 {"dst_net_site", 2132, Text, 4, "LowCardinality(String)", "Site of the configured network of the destination address"},
	DstNetRegion:               {"dst_net_region", 2133, Text, 4, "LowCardinality(String)", "Region of the configured network of the destination address"},
	DstNetTenant:               {"dst_net_tenant", 2134, Text, 4, "LowCardinality(String)", "Tenant of the configured network of the destination address"},
	DstNetContext:              {"dst_net_context", 2135, Text, 4, "LowCardinality(String)", "Labels of the configured network of the destination address: a JSON object of texts, keys in order"},
	SrcCity:                    {"src_city", 2136, Text, 4, "LowCardinality(String)", "City of the source address, English name"},
	DstCity:                    {"dst_city", 2137, Text, 4, "LowCardinality(String)", "City of the destination address, English name"},
	SrcRegion:                  {"src_region", 2138, Text, 4, "LowCardinality(String)", "Region of the source address, ISO 3166-2 code or name"},
	DstRegion:                  {"dst_region", 2139, Text, 4, "LowCardinality(String)", "Region of the destination address, ISO 3166-2 code or name"},
	SrcASName:                  {"src_as_name", 2140, Text, 4, "LowCardinality(String)", "Organisation of src_origin_as"},
	DstASName:                  {"dst_as_name", 2141, Text, 4, "LowCardinality(String)", "Organisation of dst_origin_as"},
	Tenant:                     {"tenant", 2142, Text, 4, "LowCardinality(String)", "Tenant of the flow, set by a rule"},
	Tag:                        {"tag", 2143, Text, 4, "LowCardinality(String)", "Tag of the flow, set by a rule"},
	Duplicate:                  {"duplicate", 2144, Number, 1, "UInt8", "Flow counted elsewhere: 0 no, 1 seen inside the boundary, 2 in the other direction, 3 by another observer"},
	SrcAddr:                    {"src_addr", 6, Address, 16, "IPv6", "Source address, IPv4 mapped"},
	DstAddr:                    {"dst_addr", 7, Address, 16, "IPv6", "Destination address, IPv4 mapped"},
	SamplerAddress:             {"sampler_address", 11, Address, 16, "IPv6", "Exporter (sFlow: agent), IPv4 mapped"},
	NextHop:                    {"next_hop", 12, Address, 16, "IPv6", "Next hop, IPv4 mapped"},
	BGPNextHop:                 {"bgp_next_hop", 100, Address, 16, "IPv6", "BGP next hop, IPv4 mapped"},
	PostNATSrcAddr:             {"post_nat_src_addr", 2019, Address, 16, "IPv6", "Source address after translation, IPv4 mapped"},
	PostNATDstAddr:             {"post_nat_dst_addr", 2020, Address, 16, "IPv6", "Destination address after translation, IPv4 mapped"},
	InnerSrcAddr:               {"inner_src_addr", 2039, Address, 16, "IPv6", "Source address in the tunnel, IPv4 mapped"},
	InnerDstAddr:               {"inner_dst_addr", 2040, Address, 16, "IPv6", "Destination address in the tunnel, IPv4 mapped"},
	ExporterAddress:            {"exporter_address", 2041, Address, 16, "IPv6", "Address that the exporter says it has, elements 130 and 131, IPv4 mapped"},
	MPLSTTL:                    {"mpls_ttl", 80, Numbers, 1, "Array(UInt8)", "MPLS TTL, top of the stack first"},
	MPLSLabel:                  {"mpls_label", 81, Numbers, 4, "Array(UInt32)", "MPLS label, 20 bits, top of the stack first"},
	MPLSEXP:                    {"mpls_exp", 2042, Numbers, 1, "Array(UInt8)", "MPLS traffic class, 3 bits, top of the stack first"},
	BGPCommunities:             {"bgp_communities", 101, Numbers, 4, "Array(UInt32)", "BGP communities"},
	ASPath:                     {"as_path", 102, Numbers, 4, "Array(UInt32)", "AS path"},
	LayerStack:                 {"layer_stack", 103, Numbers, 1, "Array(UInt8)", "Headers of the sampled packet, outermost first (GoFlow2's LayerStack)"},
	LayerSize:                  {"layer_size", 104, Numbers, 4, "Array(UInt32)", "Octets of each header in layer_stack"},
	MPLSIP:                     {"mpls_ip", 82, Addresses, 16, "Array(IPv6)", "Addresses of MPLS top labels, IPv4 mapped"},
	IPv6RoutingHeaderAddresses: {"ipv6_routing_header_addresses", 105, Addresses, 16, "Array(IPv6)", "Segment list of the IPv6 routing header"},
	SamplingAlgorithm:          {"sampling_algorithm", 2047, Number, 1, "UInt8", "How packets were sampled, element 35, NetFlow v5 header: 1 every Nth, 2 random"},
	DroppedBytes:               {"dropped_bytes", 2048, Number, 8, "UInt64", "Octets of packets that the observer dropped, as exported, element 132; sFlow: of a discarded packet, which is not in bytes"},
	DroppedPackets:             {"dropped_packets", 2049, Number, 8, "UInt64", "Packets that the observer dropped, as exported, element 133; sFlow: 1 for a discarded packet, which is not in packets"},
	OutIfCount:                 {"out_if_count", 2050, Number, 4, "UInt32", "How many interfaces an sFlow sample went out of, where they are several"},
	FlowCount:                  {"flow_count", 2051, Number, 8, "UInt64", "Flows that were summed into this one by the exporter, element 3"},
	MulticastBytes:             {"multicast_bytes", 2052, Number, 8, "UInt64", "Octets that multicast made of the flow, as exported, element 20"},
	MulticastPackets:           {"multicast_packets", 2053, Number, 8, "UInt64", "Packets that multicast made of the flow, as exported, element 19"},
	Layer2Bytes:                {"layer2_bytes", 2054, Number, 8, "UInt64", "Octets with the headers of layer 2, as exported, element 352"},
	FlowID:                     {"flow_id", 2055, Number, 8, "UInt64", "Identifier of the flow or connection, element 148"},
	PostIPTOS:                  {"post_ip_tos", 2056, Number, 1, "UInt8", "Type of service or traffic class octet at the output, element 55"},
	VLANPriority:               {"vlan_priority", 2057, Number, 1, "UInt8", "Priority of the VLAN tag, 3 bits, element 244"},
	PostVLANPriority:           {"post_vlan_priority", 2058, Number, 1, "UInt8", "Priority of the VLAN tag at the output, 3 bits, sFlow extended_switch"},
	CustomerVLANPriority:       {"customer_vlan_priority", 2059, Number, 1, "UInt8", "Priority of the inner VLAN tag, 3 bits, element 246"},
	MPLSVPNRD:                  {"mpls_vpn_rd", 2060, Number, 8, "UInt64", "Route distinguisher of the MPLS VPN, RFC 4364 section 4.2, element 90"},
	MPLSTopLabelType:           {"mpls_top_label_type", 2061, Number, 1, "UInt8", "Protocol that assigned the top label, element 46"},
	MPLSFTNMask:                {"mpls_ftn_mask", 2062, Number, 4, "UInt32", "Fields that an entry of the FEC-to-NHLFE table matches, sFlow extended_mpls_FTN"},
	MPLSFECPrefixLength:        {"mpls_fec_prefix_length", 2063, Number, 4, "UInt32", "Prefix length of the LDP FEC, sFlow extended_mpls_LDP_FEC"},
	PseudowireID:               {"pseudowire_id", 2064, Number, 4, "UInt32", "Pseudowire, element 249"},
	NATPoolID:                  {"nat_pool_id", 2065, Number, 4, "UInt32", "Pool of addresses for translation, element 283"},
	InnerICMPType:              {"inner_icmp_type", 2066, Number, 1, "UInt8", "ICMP or ICMPv6 type in the tunnel"},
	InnerICMPCode:              {"inner_icmp_code", 2067, Number, 1, "UInt8", "ICMP or ICMPv6 code in the tunnel"},
	PathDelayMeanUs:            {"path_delay_mean_us", 2068, Number, 8, "UInt64", "Mean delay on the path, microseconds, element 600 of draft-ietf-opsawg-ipfix-on-path-telemetry"},
	PathDelayMinUs:             {"path_delay_min_us", 2069, Number, 8, "UInt64", "Least delay on the path, microseconds, element 601 of the draft"},
	PathDelayMaxUs:             {"path_delay_max_us", 2070, Number, 8, "UInt64", "Greatest delay on the path, microseconds, element 602 of the draft"},
	PathDelaySumUs:             {"path_delay_sum_us", 2071, Number, 8, "UInt64", "Sum of delays on the path, microseconds, element 603 of the draft"},
	EgressQueue:                {"egress_queue", 2072, Number, 4, "UInt32", "Queue at the output, sFlow extended_egress_queue"},
	QueueDepth:                 {"queue_depth", 2073, Number, 4, "UInt32", "Octets in the queue at the output, sFlow extended_queue"},
	TransitDelayNs:             {"transit_delay_ns", 2074, Number, 4, "UInt32", "Time that the packet took through the device, ns, sFlow extended_transit"},
	ACLNumber:                  {"acl_number", 2075, Number, 4, "UInt32", "Access list that dropped the packet, sFlow extended_acl"},
	ACLDirection:               {"acl_direction", 2076, Number, 1, "UInt8", "Direction of that access list: 1 ingress, 2 egress"},
	URLDirection:               {"url_direction", 2077, Number, 1, "UInt8", "Which end is the server of the URL: 1 source, 2 destination"},
	WLANChannel:                {"wlan_channel", 2078, Number, 2, "UInt16", "Channel of a wireless network, element 146, sFlow extended_80211_rx"},
	StationMAC:                 {"station_mac", 2079, Number, 8, "UInt64", "MAC address of a wireless station, 48 bits, element 365"},
	AccessPointMAC:             {"access_point_mac", 2080, Number, 8, "UInt64", "MAC address of a wireless access point, 48 bits, element 367, sFlow extended_80211_rx"},
	SrcUser:                    {"src_user", 2081, Text, 4, "LowCardinality(String)", "User at the source, elements 371 and 40000 (Cisco ASA), sFlow extended_user"},
	DstUser:                    {"dst_user", 2082, Text, 4, "LowCardinality(String)", "User at the destination, sFlow extended_user"},
	URL:                        {"url", 2083, Text, 4, "LowCardinality(String)", "URL of the request, sFlow extended_url"},
	URLHost:                    {"url_host", 2084, Text, 4, "LowCardinality(String)", "Host of the request, sFlow extended_url"},
	MPLSTunnelName:             {"mpls_tunnel_name", 2085, Text, 4, "LowCardinality(String)", "Name of the MPLS tunnel, sFlow extended_mpls_tunnel"},
	MPLSVCName:                 {"mpls_vc_name", 2086, Text, 4, "LowCardinality(String)", "Name of the MPLS virtual circuit, sFlow extended_mpls_vc"},
	MPLSFTNDescription:         {"mpls_ftn_description", 2087, Text, 4, "LowCardinality(String)", "Description of an entry of the FEC-to-NHLFE table, sFlow extended_mpls_FTN"},
	ACLName:                    {"acl_name", 2088, Text, 4, "LowCardinality(String)", "Name of the access list that dropped the packet, sFlow extended_acl"},
	FunctionName:               {"function_name", 2089, Text, 4, "LowCardinality(String)", "Function that dropped the packet, sFlow extended_function"},
	IngressACL:                 {"ingress_acl", 2090, Text, 4, "LowCardinality(String)", "Access list at the input, element 33000 (Cisco ASA): list, entry and extended entry, in hexadecimal"},
	EgressACL:                  {"egress_acl", 2091, Text, 4, "LowCardinality(String)", "Access list at the output, element 33001 (Cisco ASA): list, entry and extended entry, in hexadecimal"},
	WLANSSID:                   {"wlan_ssid", 2092, Text, 4, "LowCardinality(String)", "Name of a wireless network, element 147, sFlow extended_80211_rx"},
	StationAddress:             {"station_addr", 2093, Address, 16, "IPv6", "Address of a wireless station, element 366, IPv4 mapped"},
	TunnelSrcAddr:              {"tunnel_src_addr", 2094, Address, 16, "IPv6", "Source of the outer header: of a record with several addresses, of sFlow extended_ipv4_tunnel and extended_ipv6_tunnel; IPv4 mapped"},
	TunnelDstAddr:              {"tunnel_dst_addr", 2095, Address, 16, "IPv6", "Destination of the outer header, IPv4 mapped"},
	MPLSOutLabel:               {"mpls_out_label", 2096, Numbers, 4, "Array(UInt32)", "MPLS label at the output, 20 bits, top of the stack first, sFlow extended_mpls"},
	BGPExtCommunities:          {"bgp_ext_communities", 2097, Numbers, 8, "Array(UInt64)", "BGP extended communities, element 486"},
	BGPLargeCommunities:        {"bgp_large_communities", 2098, Numbers, 4, "Array(UInt32)", "BGP large communities, three numbers each, element 489"},
	PostCustomerVLANID:         {"post_customer_vlan_id", 2099, Number, 2, "UInt16", "Inner VLAN identifier at the output, element 255"},
}
