// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/packet"
)

// bits is a field of a packet's header: how long it is, and the column that it fills outside of
// tunnels. Inside the outermost one that is the column inner_*, where there is one.
type bits struct {
	name   string
	length int
	column string
}

// layerFields are the fields of headers, in their order, by the names of layers. What has more octets,
// such as options, is shown as octets.
var layerFields = map[string][]bits{
	"ethernet": {{"destination", 48, "dst_mac"}, {"source", 48, "src_mac"}, {"type", 16, "etype"}},
	"dot1q":    {{"priority", 3, ""}, {"drop_eligible", 1, ""}, {"vlan", 12, "vlan_id"}, {"type", 16, "etype"}},
	"mpls":     {{"label", 20, "mpls_label"}, {"traffic_class", 3, "mpls_exp"}, {"bottom", 1, ""}, {"ttl", 8, "mpls_ttl"}},
	"ipv4": {
		{"version", 4, ""},
		{"header_words", 4, ""},
		{"tos", 8, "ip_tos"},
		{"total_length", 16, ""},
		{"identification", 16, "fragment_id"},
		{"flags", 3, "ip_flags"},
		{"fragment_offset", 13, "fragment_offset"},
		{"ttl", 8, "ip_ttl"},
		{"protocol", 8, "proto"},
		{"checksum", 16, ""},
		{"source", 32, "src_addr"},
		{"destination", 32, "dst_addr"},
	},
	"ipv6": {
		{"version", 4, ""},
		{"traffic_class", 8, "ip_tos"},
		{"flow_label", 20, "ipv6_flow_label"},
		{"payload_length", 16, ""},
		{"next_header", 8, "proto"},
		{"hop_limit", 8, "ip_ttl"},
		{"source", 128, "src_addr"},
		{"destination", 128, "dst_addr"},
	},
	"ipv6eh_routing": {
		{"next_header", 8, "proto"},
		{"length", 8, ""},
		{"type", 8, ""},
		{"segments_left", 8, "ipv6_routing_header_seg_left"},
		{"last_entry", 8, ""},
		{"flags", 8, ""},
		{"tag", 16, ""},
	},
	"ipv6eh_fragment": {
		{"next_header", 8, "proto"},
		{"reserved", 8, ""},
		{"offset", 13, "fragment_offset"},
		{"reserved", 2, ""},
		{"more", 1, "ip_flags"},
		{"identification", 32, "fragment_id"},
	},
	"tcp": {
		{"source_port", 16, "src_port"},
		{"destination_port", 16, "dst_port"},
		{"sequence", 32, ""},
		{"acknowledgment", 32, ""},
		{"header_words", 4, ""},
		{"reserved", 4, ""},
		{"flags", 8, "tcp_flags"},
		{"window", 16, ""},
		{"checksum", 16, ""},
		{"urgent", 16, ""},
	},
	"udp":    {{"source_port", 16, "src_port"}, {"destination_port", 16, "dst_port"}, {"length", 16, ""}, {"checksum", 16, ""}},
	"icmp":   icmpFields,
	"icmpv6": icmpFields,
	"gre":    {{"flags", 13, ""}, {"version", 3, ""}, {"protocol", 16, ""}},
	"geneve": {
		{"version", 2, ""}, {"option_words", 6, ""}, {"flags", 8, ""}, {"protocol", 16, ""}, {"vni", 24, "segment_id"}, {"reserved", 8, ""},
	},
}

var icmpFields = []bits{{"type", 8, "icmp_type"}, {"code", 8, "icmp_code"}, {"checksum", 16, ""}, {"rest", 32, ""}}

// reader is how decode reads a section of a packet.
type reader func([]byte, *flow.Record, packet.Limits)

// packet explains a section of a packet, which the datagram has at these octets. Its fields tell the
// columns, no more their parent.
func (b *builder) packet(parent *Part, at, end int, read reader) {
	parent.Columns = nil
	section, last := b.p[at:end], at
	watch := func(h packet.Header) {
		start := at + cap(section) - cap(h.Octets) // both are parts of the datagram
		last = start + len(h.Octets)
		b.layer(parent, h, start)
	}
	b.scratch.Reset()
	read(section, &b.scratch, packet.Limits{Layers: maxLayers, Watch: watch})
	if last < end {
		b.add(parent, "payload", last, end-last).Value = hexText(b.p[last:end])
	}
}

// maxLayers bounds the headers of a packet.
const maxLayers = 64

// layer explains a header.
func (b *builder) layer(parent *Part, h packet.Header, at int) {
	name := packet.LayerName(h.Layer)
	part := b.add(parent, name, at, len(h.Octets))
	if h.Depth > 0 {
		part.Value = fmt.Sprintf("in %d tunnels", h.Depth)
	}
	bit := 0
	for _, f := range layerFields[name] {
		first, end := bit/8, (bit+f.length+7)/8
		if end > len(h.Octets) {
			return
		}
		field := b.add(part, f.name, at+first, end-first)
		field.Value, field.Columns = f.text(h.Octets[first:end], 8*end-bit-f.length), f.columns(h.Depth)
		bit += f.length
	}
	if rest := h.Octets[bit/8:]; len(rest) != 0 {
		b.add(part, "octets", at+bit/8, len(rest)).Value = hexText(rest)
	}
}

// text writes the value, behind which there are other bits in its octets.
func (f *bits) text(p []byte, behind int) string {
	switch f.length {
	case 48:
		return hexText(p)
	case 32, 128:
		if f.column == "src_addr" || f.column == "dst_addr" {
			a, _ := netip.AddrFromSlice(p)
			return a.String()
		}
	}
	return strconv.FormatUint(unsigned(p)>>behind&(1<<f.length-1), 10)
}

func (f *bits) columns(depth int) []string {
	column := f.column
	switch {
	case column == "":
		return nil
	case depth == 1:
		column = "inner_" + column
	case depth > 1:
		return nil
	}
	for known := range flow.Fields() {
		if known.String() == column {
			return []string{column}
		}
	}
	return nil
}
