// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"encoding/binary"

	"github.com/weirflow/weir/flow"
)

// EtherTypes.
const (
	etherIPv4    = 0x0800
	etherVLAN    = 0x8100 // 802.1Q
	etherVLANs   = 0x88a8 // 802.1ad
	etherVLANOld = 0x9100 // QinQ before 802.1ad
	etherIPv6    = 0x86dd
	etherMPLS    = 0x8847
	etherMPLSM   = 0x8848 // multicast
	etherPPPoE   = 0x8864 // session
)

// Values of layer_stack, as in GoFlow2.
const (
	layerEthernet = 0
	layerIPv4     = 1
	layerIPv6     = 2
	layerTCP      = 3
	layerUDP      = 4
	layerMPLS     = 5
	layerVLAN     = 6
	layerICMP     = 7
	layerICMPv6   = 8
	layerGRE      = 9
	layerRouting  = 10
	layerFragment = 11
	layerGeneve   = 12
	layerTeredo   = 13
	layerCustom   = 99 // a header that GoFlow2 has no value for
)

// walk is the way through the headers of one packet.
type walk struct {
	r    *flow.Record
	left int // headers that may still be read
	bits []Bits
	// watch is told of each header.
	watch func(Header)
	// depth counts the tunnels around what follows. f says which fields it fills: nil none.
	depth int
	f     *fields
}

// fields are what the headers of a packet fill.
type fields struct {
	eType, proto, srcPort, dstPort, tos, ttl, tcpFlags, vlan, srcMAC, dstMAC, src, dst, icmpType, icmpCode flow.Field
}

// Places of fields in tuples: the flow's own, and those of the outermost tunnel.
const (
	outer = iota
	inner
)

var tuples = [...]fields{
	outer: {
		flow.EType, flow.Proto, flow.SrcPort, flow.DstPort, flow.IPTOS, flow.IPTTL, flow.TCPFlags,
		flow.VLANID, flow.SrcMAC, flow.DstMAC, flow.SrcAddr, flow.DstAddr, flow.ICMPType, flow.ICMPCode,
	},
	inner: {
		flow.InnerEType, flow.InnerProto, flow.InnerSrcPort, flow.InnerDstPort, flow.InnerIPTOS, flow.InnerIPTTL, flow.InnerTCPFlags,
		flow.InnerVLANID, flow.InnerSrcMAC, flow.InnerDstMAC, flow.InnerSrcAddr, flow.InnerDstAddr,
		flow.InnerICMPType, flow.InnerICMPCode,
	},
}

// Limits say how packets are read.
type Limits struct {
	Layers int // headers that are read
	// Bits are what is taken beside the table.
	Bits []Bits
	// Watch, where it is set, is told of each header that is read.
	Watch func(Header)
}

// Header is a header of a packet.
type Header struct {
	Layer  uint64 // value of layer_stack
	Octets []byte // of the packet itself
	Depth  int    // tunnels around it
}

// Ethernet reads a packet from its Ethernet header on.
func Ethernet(b []byte, r *flow.Record, l Limits) {
	var w walk
	w.start(r, l)
	w.ethernet(b)
}

// IP reads a packet from its IPv4 or IPv6 header on.
func IP(b []byte, r *flow.Record, l Limits) {
	var w walk
	w.start(r, l)
	w.ip(b)
}

// MPLS reads a packet from its label stack on.
func MPLS(b []byte, r *flow.Record, l Limits) {
	var w walk
	w.start(r, l)
	r.SetNumber(flow.EType, etherMPLS)
	w.mpls(b)
}

// start prepares for a packet. It fills w in place: a literal would be built first, and then copied.
func (w *walk) start(r *flow.Record, l Limits) {
	w.r, w.left, w.bits, w.watch, w.f = r, l.Layers, l.Bits, l.Watch, &tuples[outer]
}

// header notes a header of n octets; false ends the reading: too many headers, or b does not
// have it as a whole.
func (w *walk) header(b []byte, kind uint64, n int) bool {
	if w.left == 0 {
		return false
	}
	w.left--
	if len(b) < n {
		w.r.Flag(flow.HeaderTruncated)
		return false
	}
	w.r.AddNumber(flow.LayerStack, kind)
	w.r.AddNumber(flow.LayerSize, uint64(n)) //nolint:gosec // a header
	if len(w.bits) != 0 {
		w.take(kind, b)
	}
	if w.watch != nil {
		w.watch(Header{kind, b[:n], w.depth})
	}
	return true
}

func (w *walk) ethernet(b []byte) {
	const n = 14
	if !w.header(b, layerEthernet, n) {
		return
	}
	if f := w.f; f != nil {
		w.r.SetNumber(f.dstMAC, binary.BigEndian.Uint64(b)>>16)
		w.r.SetNumber(f.srcMAC, binary.BigEndian.Uint64(b[4:])&(1<<48-1))
	}
	w.etherType(binary.BigEndian.Uint16(b[12:]), b[n:])
}

// etherType reads VLAN tags, and then what they carry.
func (w *walk) etherType(t uint16, b []byte) {
	for t == etherVLAN || t == etherVLANs || t == etherVLANOld {
		const n = 4
		if !w.header(b, layerVLAN, n) {
			return
		}
		w.vlan(uint64(binary.BigEndian.Uint16(b)))
		t, b = binary.BigEndian.Uint16(b[2:]), b[n:]
	}
	if w.f != nil {
		w.r.SetNumber(w.f.eType, uint64(t))
	}
	switch t {
	case etherIPv4, etherIPv6:
		w.ip(b)
	case etherMPLS, etherMPLSM:
		w.mpls(b)
	case etherBridging:
		w.ethernet(b)
	case etherPPPoE:
		w.pppoe(b)
	}
}

// vlan sets the first tag as the VLAN, and the second as the customer's. A tag is three bits of
// priority, one of eligibility to be dropped, and the identifier.
func (w *walk) vlan(tag uint64) {
	priority, id := tag>>13, tag&0xfff
	switch {
	case w.f == nil:
	case !w.r.Has(w.f.vlan):
		w.r.SetNumber(w.f.vlan, id)
		if w.depth == 0 && priority != 0 {
			w.r.SetNumber(flow.VLANPriority, priority)
		}
	case w.depth == 0 && !w.r.Has(flow.CustomerVLANID):
		w.r.SetNumber(flow.CustomerVLANID, id)
		if priority != 0 {
			w.r.SetNumber(flow.CustomerVLANPriority, priority)
		}
	}
}

// mpls reads a label stack up to its bottom, and guesses what is below from the first four bits,
// as routers do (RFC 4928 §3).
func (w *walk) mpls(b []byte) {
	const n = 4
	for bottom := false; !bottom; b = b[n:] {
		if !w.header(b, layerMPLS, n) {
			return
		}
		entry := binary.BigEndian.Uint32(b)
		if w.depth == 0 {
			w.r.AddNumber(flow.MPLSLabel, uint64(entry>>12))
			w.r.AddNumber(flow.MPLSEXP, uint64(entry>>9&7))
			w.r.AddNumber(flow.MPLSTTL, uint64(entry&0xff))
		}
		bottom = entry&0x100 != 0
	}
	if len(b) == 0 {
		return
	}
	switch b[0] >> 4 {
	case 4, 6:
		w.ip(b)
	case 0: // the control word of a pseudowire (RFC 4448 §4.6)
		if len(b) > n {
			w.enter()
			w.ethernet(b[n:])
		}
	}
}

func (w *walk) ip(b []byte) {
	if len(b) == 0 {
		w.r.Flag(flow.HeaderTruncated)
		return
	}
	switch b[0] >> 4 {
	case 4:
		w.ipv4(b)
	case 6:
		w.ipv6(b)
	}
}
