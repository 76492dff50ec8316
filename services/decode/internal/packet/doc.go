// SPDX-License-Identifier: Apache-2.0

// Package packet reads the headers of sampled packets into a flow: Ethernet, VLAN
// tags, MPLS, IPv4, IPv6 with extension headers, transport and GRE. The first IP
// header and its transport are the flow; all headers are listed in layer_stack and
// layer_size, outermost first. A header that the sample cuts off ends the reading
// and flags the row HeaderTruncated.
package packet
