// SPDX-License-Identifier: Apache-2.0

package element

import "github.com/weirflow/weir/services/probe/internal/packet"

// table lists the elements. Values whose meaning is "after the observation point" are
// those before it: the probe does not change packets.
var table = []Element{
	{"octetDeltaCount", 1, 8, Octets, 0},
	{"packetDeltaCount", 2, 8, Packets, 0},
	{"deltaFlowCount", 3, 8, FlowCount, 0},
	{"protocolIdentifier", 4, 1, protocol, 0},
	{"ipClassOfService", 5, 1, tos, 0},
	{"tcpControlBits", 6, 2, TCPFlags, 0},
	{"sourceTransportPort", 7, 2, srcPort, 0},
	{"sourceIPv4Address", 8, 4, src, 4},
	{"ingressInterface", 10, 4, inIf, 0},
	{"destinationTransportPort", 11, 2, dstPort, 0},
	{"destinationIPv4Address", 12, 4, dst, 4},
	{"flowEndSysUpTime", 21, 4, EndUptime, 0},
	{"flowStartSysUpTime", 22, 4, StartUptime, 0},
	{"minimumIpTotalLength", 25, 8, MinLength, 0},
	{"maximumIpTotalLength", 26, 8, MaxLength, 0},
	{"sourceIPv6Address", 27, 16, src, 6},
	{"destinationIPv6Address", 28, 16, dst, 6},
	{"flowLabelIPv6", 31, 4, flowLabel, 6},
	{"icmpTypeCodeIPv4", 32, 2, icmpTypeCode, 4},
	{"minimumTTL", 52, 1, MinTTL, 0},
	{"maximumTTL", 53, 1, MaxTTL, 0},
	{"fragmentIdentification", 54, 4, fragmentID, 0},
	{"postIpClassOfService", 55, 1, tos, 0},
	{"sourceMacAddress", 56, 6, srcMAC, 0},
	{"postDestinationMacAddress", 57, 6, dstMAC, 0},
	{"vlanId", 58, 2, vlan, 0},
	{"postVlanId", 59, 2, vlan, 0},
	{"ipVersion", 60, 1, ipVersion, 0},
	{"flowDirection", 61, 1, direction, 0},
	{"mplsTopLabelStackSection", 70, 3, mplsTop, 0},
	{"destinationMacAddress", 80, 6, dstMAC, 0},
	{"postSourceMacAddress", 81, 6, srcMAC, 0},
	{"octetTotalCount", 85, 8, Octets, 0},
	{"packetTotalCount", 86, 8, Packets, 0},
	{"fragmentOffset", 88, 2, fragmentOffset, 0},
	{"flowEndReason", 136, 1, EndReason, 0},
	{"icmpTypeCodeIPv6", 139, 2, icmpTypeCode, 6},
	{"flowStartSeconds", 150, 4, StartSeconds, 0},
	{"flowEndSeconds", 151, 4, EndSeconds, 0},
	{"flowStartMilliseconds", 152, 8, StartMillis, 0},
	{"flowEndMilliseconds", 153, 8, EndMillis, 0},
	{"flowStartMicroseconds", 154, 8, StartMicros, 0},
	{"flowEndMicroseconds", 155, 8, EndMicros, 0},
	{"flowStartNanoseconds", 156, 8, StartNanos, 0},
	{"flowEndNanoseconds", 157, 8, EndNanos, 0},
	{"systemInitTimeMilliseconds", 160, 8, BootMillis, 0},
	{"flowDurationMilliseconds", 161, 4, DurationMillis, 0},
	{"flowDurationMicroseconds", 162, 4, DurationMicros, 0},
	{"icmpTypeIPv4", 176, 1, icmpType, 4},
	{"icmpCodeIPv4", 177, 1, icmpCode, 4},
	{"icmpTypeIPv6", 178, 1, icmpType, 6},
	{"icmpCodeIPv6", 179, 1, icmpCode, 6},
	{"udpSourcePort", 180, 2, udpSrcPort, 0},
	{"udpDestinationPort", 181, 2, udpDstPort, 0},
	{"tcpSourcePort", 182, 2, tcpSrcPort, 0},
	{"tcpDestinationPort", 183, 2, tcpDstPort, 0},
	{"tcpSequenceNumber", 184, 4, tcpSequence, 0},
	{"tcpAcknowledgementNumber", 185, 4, tcpAck, 0},
	{"tcpWindowSize", 186, 2, tcpWindow, 0},
	{"ipHeaderLength", 189, 1, ipHeaderLength, 0},
	{"totalLengthIPv4", 190, 2, ipLength, 4},
	{"ipTTL", 192, 1, ttl, 0},
	{"nextHeaderIPv6", 193, 1, nextHeader, 6},
	{"ipDiffServCodePoint", 195, 1, dscp, 0},
	{"ipPrecedence", 196, 1, precedence, 0},
	{"fragmentFlags", 197, 1, fragmentFlags, 0},
	{"udpMessageLength", 205, 2, udpLength, 0},
	{"ipv4IHL", 207, 1, ihl, 4},
	{"ipTotalLength", 224, 8, ipLength, 0},
	{"biflowDirection", 239, 1, BiflowDirection, 0},
	{"dot1qVlanId", 243, 2, vlan, 0},
	{"dot1qPriority", 244, 1, vlanPriority, 0},
	{"dot1qCustomerVlanId", 245, 2, innerVLAN, 0},
	{"postDot1qVlanId", 254, 2, vlan, 0},
	{"ethernetType", 256, 2, etherType, 0},
	{"dataLinkFrameSize", 312, 2, frameSize, 0},
	{"ipHeaderPacketSection", 313, Variable, ipSection, 0},
	{"ipPayloadPacketSection", 314, Variable, payloadSection, 0},
	{"dataLinkFrameSection", 315, Variable, frameSection, 0},
	{"observationTimeSeconds", 322, 4, timeSeconds, 0},
	{"observationTimeMilliseconds", 323, 8, timeMillis, 0},
	{"observationTimeMicroseconds", 324, 8, timeMicros, 0},
	{"observationTimeNanoseconds", 325, 8, timeNanos, 0},
	{"layer2OctetDeltaCount", 352, 8, Layer2Octets, 0},
}

// ByName finds an element.
func ByName(name string) (Element, bool) {
	for _, e := range table {
		if e.Name == name {
			return e, true
		}
	}
	return Element{}, false
}

// ByID finds an element.
func ByID(id uint16) (Element, bool) {
	for _, e := range table {
		if e.ID == id {
			return e, true
		}
	}
	return Element{}, false
}

// Matches tells whether p has the value for e, as a filter asks (RFC 5475 section 6.1).
func (e *Element) Matches(p *packet.Packet, value []byte) bool {
	var b [16]byte
	return (e.Family == 0 || e.Family == p.Version) && string(e.Append(b[:0], p, e.Length)) == string(value)
}
