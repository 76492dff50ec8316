// SPDX-License-Identifier: Apache-2.0

// Package packet reads the headers of sampled packets into a flow: Ethernet, VLAN
// tags, PPPoE, MPLS, IPv4, IPv6 with extension headers, transport and tunnels (GRE,
// VXLAN, GENEVE, GTP-U, L2TP, Teredo, IP in IP). The first IP header and its
// transport are the flow, what the outermost tunnel carries fills the inner_ fields;
// all headers are listed in layer_stack and layer_size, outermost first. A header that the sample cuts off ends the reading
// and flags the row HeaderTruncated.
package packet
