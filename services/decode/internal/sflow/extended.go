// SPDX-License-Identifier: Apache-2.0

package sflow

import (
	"encoding/binary"

	"github.com/weirflow/weir/flow"
)

// extended takes what a flow has of the extended records that few devices send; false says that
// the record is too short.
func extended(format uint32, p []byte, r *flow.Record) bool {
	switch format {
	case extendedMPLS:
		return labels(p, r)
	case extendedNAT:
		if p = address(p, flow.PostNATSrcAddr, r); p == nil {
			return false
		}
		return address(p, flow.PostNATDstAddr, r) != nil
	case extendedNATPort:
		return numberAt(p, 0, flow.PostNATSrcPort, r) && numberAt(p, 4, flow.PostNATDstPort, r)
	case extendedMPLSTunnel:
		return numberAt(p, stringOctets(p), flow.TunnelID, r)
	case extendedMPLSVC:
		return numberAt(p, stringOctets(p), flow.SegmentID, r)
	case extendedVLANTunnel:
		return tags(p, r)
	case extendedVNIEgress, extendedVNIIngress:
		return numberAt(p, 0, flow.SegmentID, r)
	}
	return true
}

func numberAt(p []byte, at int, f flow.Field, r *flow.Record) bool {
	if at < 0 || len(p) < at+4 {
		return false
	}
	r.SetNumber(f, uint64(binary.BigEndian.Uint32(p[at:])))
	return true
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
	p = address(p, flow.NextHop, r)
	if len(p) < 4 {
		return false
	}
	n := uint64(binary.BigEndian.Uint32(p))
	if p = p[4:]; n > uint64(len(p)/4) {
		return false
	}
	if r.Has(flow.MPLSLabel) {
		return true
	}
	for ; n > 0; n-- {
		entry := uint64(binary.BigEndian.Uint32(p))
		r.AddNumber(flow.MPLSLabel, entry>>12)
		r.AddNumber(flow.MPLSEXP, entry>>9&7)
		r.AddNumber(flow.MPLSTTL, entry&0xff)
		p = p[4:]
	}
	return true
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
