// SPDX-License-Identifier: Apache-2.0

package sflow

import (
	"encoding/binary"

	"github.com/weirflow/weir/flow"
)

// extended takes what a flow has of the extended records that few devices send; false says that
// the record is too short.
func (d *Decoder) extended(format uint32, p []byte, r *flow.Record) bool {
	switch format {
	case extendedUser:
		return d.users(p, r)
	case extendedURL:
		rest := numberAt(p, flow.URLDirection, r)
		rest = d.text(rest, flow.URL, r)
		return d.text(rest, flow.URLHost, r) != nil
	case extendedNAT:
		rest := address(p, flow.PostNATSrcAddr, r)
		return rest != nil && address(rest, flow.PostNATDstAddr, r) != nil
	case extendedNATPort:
		return numberAt(numberAt(p, flow.PostNATSrcPort, r), flow.PostNATDstPort, r) != nil
	case extendedVLANTunnel:
		return tags(p, r)
	case extended80211:
		return d.wireless(p, r)
	case extendedIPv4TunnelEgress, extendedIPv4TunnelIngress:
		return tunnelIPv4(p, r)
	case extendedIPv6TunnelEgress, extendedIPv6TunnelIngress:
		return tunnelIPv6(p, r)
	case extendedVNIEgress, extendedVNIIngress:
		return numberAt(p, flow.SegmentID, r) != nil
	}
	return d.mpls(format, p, r)
}

// mpls takes what a flow has of the records about MPLS.
func (d *Decoder) mpls(format uint32, p []byte, r *flow.Record) bool {
	switch format {
	case extendedMPLS:
		return labels(p, r)
	case extendedMPLSTunnel:
		return numberAt(d.text(p, flow.MPLSTunnelName, r), flow.TunnelID, r) != nil
	case extendedMPLSVC:
		return numberAt(d.text(p, flow.MPLSVCName, r), flow.SegmentID, r) != nil
	case extendedMPLSFTN:
		return numberAt(d.text(p, flow.MPLSFTNDescription, r), flow.MPLSFTNMask, r) != nil
	case extendedMPLSLDPFEC:
		return numberAt(p, flow.MPLSFECPrefixLength, r) != nil
	}
	return d.discard(format, p, r)
}

// discard takes what a flow has of the records that tell where a packet was in the device, and what
// dropped it there.
func (d *Decoder) discard(format uint32, p []byte, r *flow.Record) bool {
	switch format {
	case extendedEgressQueue:
		return numberAt(p, flow.EgressQueue, r) != nil
	case extendedACL:
		rest := numberAt(p, flow.ACLNumber, r)
		return numberAt(d.text(rest, flow.ACLName, r), flow.ACLDirection, r) != nil
	case extendedFunction:
		return d.text(p, flow.FunctionName, r) != nil
	case extendedTransit:
		return numberAt(p, flow.TransitDelayNs, r) != nil
	case extendedQueue:
		return numberAt(p, flow.QueueDepth, r) != nil
	}
	return true
}

// users reads an extended_user: character set and name of the user at the source, and at the
// destination.
func (d *Decoder) users(p []byte, r *flow.Record) bool {
	for _, f := range []flow.Field{flow.SrcUser, flow.DstUser} {
		if len(p) < 4 {
			return false
		}
		if p = d.text(p[4:], f, r); p == nil {
			return false
		}
	}
	return true
}

// wireless reads an extended_80211_rx: name of the network, access point, version, channel.
func (d *Decoder) wireless(p []byte, r *flow.Record) bool {
	const mac, version = 8, 4 // octets
	if p = d.text(p, flow.WLANSSID, r); len(p) < mac+version {
		return false
	}
	r.SetNumber(flow.AccessPointMAC, binary.BigEndian.Uint64(p)>>16)
	return numberAt(p[mac+version:], flow.WLANChannel, r) != nil
}

// tunnelIPv4 reads a sampled_ipv4 that is the outer header of a tunnel.
func tunnelIPv4(p []byte, r *flow.Record) bool {
	if len(p) < 32 {
		return false
	}
	r.SetIPv4(flow.TunnelSrcAddr, binary.BigEndian.Uint32(p[8:]))
	r.SetIPv4(flow.TunnelDstAddr, binary.BigEndian.Uint32(p[12:]))
	return true
}

// tunnelIPv6 reads a sampled_ipv6 that is the outer header of a tunnel.
func tunnelIPv6(p []byte, r *flow.Record) bool {
	if len(p) < 56 {
		return false
	}
	r.SetAddress(flow.TunnelSrcAddr, [16]byte(p[8:]))
	r.SetAddress(flow.TunnelDstAddr, [16]byte(p[24:]))
	return true
}

// text reads a string into f and returns what follows, nil if it is cut.
func (d *Decoder) text(p []byte, f flow.Field, r *flow.Record) []byte {
	n := stringOctets(p)
	if n < 0 {
		return nil
	}
	length := int(binary.BigEndian.Uint32(p))
	r.SetNumber(f, d.w.Batch().InternBytes(f, p[4:4+min(length, maxName)]))
	return p[min(n, len(p)):]
}

// numberAt reads a number into f and returns what follows, nil if it is cut.
func numberAt(p []byte, f flow.Field, r *flow.Record) []byte {
	if len(p) < 4 {
		return nil
	}
	r.SetNumber(f, uint64(binary.BigEndian.Uint32(p)))
	return p[4:]
}

// stringOctets returns the octets of the string with which p begins: its length, itself and
// padding to a multiple of 4; -1 where it is cut.
func stringOctets(p []byte) int {
	if len(p) < 4 {
		return -1
	}
	n := uint64(binary.BigEndian.Uint32(p))
	if n > uint64(len(p)-4) {
		return -1
	}
	return 4 + int(n+3)&^3 //nolint:gosec // within a datagram
}

// labels reads an extended_mpls: next hop, label stack at the input, and at the output. The one
// at the input counts, unless the sampled header has it.
func labels(p []byte, r *flow.Record) bool {
	in, out, ok := stacks(address(p, flow.NextHop, r))
	if !ok {
		return false
	}
	if !r.Has(flow.MPLSLabel) {
		for ; len(in) > 0; in = in[4:] {
			entry := uint64(binary.BigEndian.Uint32(in))
			r.AddNumber(flow.MPLSLabel, entry>>12)
			r.AddNumber(flow.MPLSEXP, entry>>9&7)
			r.AddNumber(flow.MPLSTTL, entry&0xff)
		}
	}
	for ; len(out) > 0; out = out[4:] {
		r.AddNumber(flow.MPLSOutLabel, uint64(binary.BigEndian.Uint32(out)>>12))
	}
	return true
}

// stacks returns the entries of two label stacks, each behind its length.
func stacks(p []byte) (in, out []byte, ok bool) {
	for _, to := range []*[]byte{&in, &out} {
		if len(p) < 4 {
			return nil, nil, false
		}
		n := uint64(binary.BigEndian.Uint32(p))
		if p = p[4:]; n > uint64(len(p)/4) {
			return nil, nil, false
		}
		*to, p = p[:4*n], p[4*n:]
	}
	return in, out, true
}

// tags reads an extended_vlantunnel: VLAN tags that were stripped before the header was sampled,
// outermost first.
func tags(p []byte, r *flow.Record) bool {
	if len(p) < 4 {
		return false
	}
	n := uint64(binary.BigEndian.Uint32(p))
	if p = p[4:]; n > uint64(len(p)/4) {
		return false
	}
	for _, f := range []flow.Field{flow.VLANID, flow.CustomerVLANID} {
		if n > 0 {
			r.SetNumber(f, uint64(binary.BigEndian.Uint32(p)&0xfff))
			n, p = n-1, p[4:]
		}
	}
	return true
}
