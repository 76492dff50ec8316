// SPDX-License-Identifier: Apache-2.0

package flow

import "strconv"

// typeNames are the values of Type: GoFlow2's FlowType, and ours for old NetFlow.
var typeNames = map[uint64]string{
	1: "SFLOW_5", 2: "NETFLOW_V5", 3: "NETFLOW_V9", 4: "IPFIX",
	101: "NETFLOW_V1", 107: "NETFLOW_V7", 108: "NETFLOW_V8",
}

// layerNames are the values of LayerStack that GoFlow2 knows.
var layerNames = map[uint64]string{
	0: "Ethernet", 1: "IPv4", 2: "IPv6", 3: "TCP", 4: "UDP", 5: "MPLS", 6: "Dot1Q", 7: "ICMP", 8: "ICMPv6", 9: "GRE",
	10: "IPv6HeaderRouting", 11: "IPv6HeaderFragment", 12: "Geneve", 13: "Teredo", 99: "Custom",
}

var etherTypeNames = map[uint64]string{0x0800: "IPv4", 0x0806: "ARP", 0x86dd: "IPv6"}

// protocolNames are the keywords of IANA's "Assigned Internet Protocol Numbers", from 0 on. Where
// IANA has none the name is GoFlow2's.
var protocolNames = []string{
	"HOPOPT", "ICMP", "IGMP", "GGP", "IPv4", "ST", "TCP", "CBT", "EGP", "IGP", "BBN-RCC-MON", "NVP-II", "PUP", "ARGUS",
	"EMCON", "XNET", "CHAOS", "UDP", "MUX", "DCN-MEAS", "HMP", "PRM", "XNS-IDP", "TRUNK-1", "TRUNK-2", "LEAF-1", "LEAF-2",
	"RDP", "IRTP", "ISO-TP4", "NETBLT", "MFE-NSP", "MERIT-INP", "DCCP", "3PC", "IDPR", "XTP", "DDP", "IDPR-CMTP", "TP++", "IL",
	"IPv6", "SDRP", "IPv6-Route", "IPv6-Frag", "IDRP", "RSVP", "GRE", "DSR", "BNA", "ESP", "AH", "I-NLSP", "SWIPE", "NARP",
	"Min-IPv4", "TLSP", "SKIP", "IPv6-ICMP", "IPv6-NoNxt", "IPv6-Opts", "any-host-internal-protocol", "CFTP",
	"any-local-network", "SAT-EXPAK", "KRYPTOLAN", "RVD", "IPPC", "any-distributed-file-system", "SAT-MON", "VISA", "IPCV",
	"CPNX", "CPHB", "WSN", "PVP", "BR-SAT-MON", "SUN-ND", "WB-MON", "WB-EXPAK", "ISO-IP", "VMTP", "SECURE-VMTP", "VINES",
	"IPTM", "NSFNET-IGP", "DGP", "TCF", "EIGRP", "OSPFIGP", "Sprite-RPC", "LARP", "MTP", "AX.25", "IPIP", "MICP", "SCC-SP",
	"ETHERIP", "ENCAP", "any-private-encryption-scheme", "GMTP", "IFMP", "PNNI", "PIM", "ARIS", "SCPS", "QNX", "A/N", "IPComp",
	"SNP", "Compaq-Peer", "IPX-in-IP", "VRRP", "PGM", "any-0-hop-protocol", "L2TP", "DDX", "IATP", "STP", "SRP", "UTI", "SMP",
	"SM", "PTP", "ISIS over IPv4", "FIRE", "CRTP", "CRUDP", "SSCOPMCE", "IPLT", "SPS", "PIPE", "SCTP", "FC", "RSVP-E2E-IGNORE",
	"Mobility Header", "UDPLite", "MPLS-in-IP", "manet", "HIP", "Shim6", "WESP", "ROHC", "Ethernet", "AGGFRAG", "NSH",
}

// protocolName returns the name of an IP protocol in GoFlow2's JSON.
func protocolName(v uint64) string {
	switch {
	case v < uint64(len(protocolNames)):
		return protocolNames[v]
	case v <= 252:
		return "unassigned"
	case v <= 254:
		return "experimental"
	default:
		return "reserved"
	}
}

// nameOr returns the name of a value, or its number where it has none.
func nameOr(names map[uint64]string, v uint64) string {
	if name, ok := names[v]; ok {
		return name
	}
	return strconv.FormatUint(v, 10)
}
