// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"math/bits"
	"slices"

	"github.com/weirflow/weir/flow"
)

// Bits are a range of bits of a packet, counted from where a header begins, that fills a field.
// It must lie within 8 octets.
type Bits struct {
	Layer          uint64 // value of layer_stack
	Offset, Length int    // bits
	Field          flow.Field
	Inner          bool // only in a tunnel; otherwise only outside
	Little         bool // the least octet comes first; Length is one of whole octets
}

var layerNames = []string{
	"ethernet", "ipv4", "ipv6", "tcp", "udp", "mpls", "dot1q", "icmp", "icmpv6", "gre", "ipv6eh_routing", "ipv6eh_fragment", "geneve", "teredo",
}

// layerAliases are the other names that GoFlow2 has for layers, of which some name two.
var layerAliases = map[string][]uint64{
	"2":          {layerEthernet},
	"vlan":       {layerVLAN},
	"3":          {layerIPv4, layerIPv6},
	"ip":         {layerIPv4, layerIPv6},
	"4":          {layerTCP, layerUDP},
	"ipv6-icmp":  {layerICMPv6},
	"ipv6-route": {layerRouting},
	"ipv6-frag":  {layerFragment},
	"ipv6eh":     {layerRouting, layerFragment},
	"teredo-dst": {layerTeredo},
}

// LayersOf returns the values of layer_stack of a name, none for one that is not known.
func LayersOf(name string) []uint64 {
	if i := slices.Index(layerNames, name); i >= 0 {
		return []uint64{uint64(i)}
	}
	return layerAliases[name]
}

// LayerNames returns the names of layers.
func LayerNames() []string { return layerNames }

// LayerName returns the name of a layer, "other" for one that has none.
func LayerName(layer uint64) string {
	if layer < uint64(len(layerNames)) {
		return layerNames[layer]
	}
	return "other"
}

// take fills the fields of the ranges that lie in the header with which b begins; the first of
// several such headers counts.
func (w *walk) take(layer uint64, b []byte) {
	for i := range w.bits {
		x := &w.bits[i]
		first, end := x.Offset/8, (x.Offset+x.Length+7)/8
		if x.Layer != layer || x.Inner != (w.depth > 0) || end > len(b) || w.r.Has(x.Field) {
			continue
		}
		var v uint64
		for _, octet := range b[first:end] {
			v = v<<8 | uint64(octet)
		}
		v >>= (8*end - x.Offset - x.Length) & 7
		v &= 1<<x.Length - 1
		if x.Little {
			v = bits.ReverseBytes64(v) >> (64 - x.Length)
		}
		w.r.SetNumber(x.Field, v)
	}
}
