// SPDX-License-Identifier: Apache-2.0

package sflow

import (
	"encoding/binary"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/packet"
	"github.com/weirflow/weir/services/decode/internal/refusal"
)

// Flow record formats of enterprise 0.
const (
	rawHeader       = 1
	ethernetFrame   = 2
	ipv4Packet      = 3
	ipv6Packet      = 4
	extendedSwitch  = 1001
	extendedRouter  = 1002
	extendedGateway = 1003

	extendedUser       = 1004
	extendedURL        = 1005
	extendedMPLS       = 1006
	extendedNAT        = 1007
	extendedMPLSTunnel = 1008
	extendedMPLSVC     = 1009
	extendedMPLSFTN    = 1010
	extendedMPLSLDPFEC = 1011
	extendedVLANTunnel = 1012
	extended80211      = 1014 // what was received
	extendedNATPort    = 1020

	extendedIPv4TunnelEgress  = 1023
	extendedIPv4TunnelIngress = 1024
	extendedIPv6TunnelEgress  = 1025
	extendedIPv6TunnelIngress = 1026

	extendedVNIEgress   = 1029
	extendedVNIIngress  = 1030
	extendedEgressQueue = 1036
	extendedACL         = 1037
	extendedFunction    = 1038
	extendedTransit     = 1039
	extendedQueue       = 1040
)

// Header protocols of a raw header.
const (
	headerEthernet = 1
	headerIPv4     = 11
	headerIPv6     = 12
	headerMPLS     = 13
)

// records walks at most count flow records of a sample.
func (d *Decoder) records(count uint32, p []byte, r *flow.Record) {
	for ; count > 0; count-- {
		if len(p) < 8 {
			d.w.Refuse(refusal.RecordMalformed)
			return
		}
		format, length := binary.BigEndian.Uint32(p), uint64(binary.BigEndian.Uint32(p[4:]))
		p = p[8:]
		cut := length > uint64(len(p))
		if cut {
			length = uint64(len(p))
		}
		if cut || !d.record(format, p[:length], r) {
			d.w.Refuse(refusal.RecordMalformed)
		}
		if p = p[length:]; cut {
			return
		}
	}
}

// record takes what a flow has of a flow record; false says that the record is too short.
func (d *Decoder) record(format uint32, p []byte, r *flow.Record) bool {
	switch format {
	case rawHeader:
		return d.rawHeader(p, r)
	case ethernetFrame:
		return ethernet(p, r)
	case ipv4Packet:
		return ipv4(p, r)
	case ipv6Packet:
		return ipv6(p, r)
	case extendedSwitch:
		return vlans(p, r)
	case extendedRouter:
		return router(p, r)
	case extendedGateway:
		return gateway(p, r)
	default:
		return d.extended(format, p, r)
	}
}

func (d *Decoder) rawHeader(p []byte, r *flow.Record) bool {
	const head = 16
	if len(p) < head {
		return false
	}
	r.SetNumber(flow.Bytes, uint64(binary.BigEndian.Uint32(p[4:])))
	length := min(uint64(binary.BigEndian.Uint32(p[12:])), uint64(len(p)-head))
	header := p[head:][:length]
	switch binary.BigEndian.Uint32(p) {
	case headerEthernet:
		packet.Ethernet(header, r, d.packets)
	case headerIPv4, headerIPv6:
		packet.IP(header, r, d.packets)
	case headerMPLS:
		packet.MPLS(header, r, d.packets)
	}
	return true
}

// ethernet reads a sampled_ethernet: length, source, destination, type. MAC addresses are padded
// to 8 octets.
func ethernet(p []byte, r *flow.Record) bool {
	if len(p) < 24 {
		return false
	}
	r.SetNumber(flow.Bytes, uint64(binary.BigEndian.Uint32(p)))
	r.SetNumber(flow.SrcMAC, binary.BigEndian.Uint64(p[4:])>>16)
	r.SetNumber(flow.DstMAC, binary.BigEndian.Uint64(p[12:])>>16)
	r.SetNumber(flow.EType, uint64(binary.BigEndian.Uint32(p[20:])))
	return true
}

func ipv4(p []byte, r *flow.Record) bool {
	if len(p) < 32 {
		return false
	}
	r.SetNumber(flow.EType, 0x0800)
	r.SetIPv4(flow.SrcAddr, binary.BigEndian.Uint32(p[8:]))
	r.SetIPv4(flow.DstAddr, binary.BigEndian.Uint32(p[12:]))
	transport(p, p[16:], r)
	return true
}

func ipv6(p []byte, r *flow.Record) bool {
	if len(p) < 56 {
		return false
	}
	r.SetNumber(flow.EType, 0x86dd)
	r.SetAddress(flow.SrcAddr, [16]byte(p[8:]))
	r.SetAddress(flow.DstAddr, [16]byte(p[24:]))
	transport(p, p[40:], r)
	return true
}

// transport reads what sampled_ipv4 and sampled_ipv6 have in common: length and protocol before
// the addresses; ports, TCP flags and type of service after them.
func transport(before, after []byte, r *flow.Record) {
	r.SetNumber(flow.Bytes, uint64(binary.BigEndian.Uint32(before)))
	r.SetNumber(flow.Proto, uint64(binary.BigEndian.Uint32(before[4:])))
	r.SetNumber(flow.SrcPort, uint64(binary.BigEndian.Uint32(after)))
	r.SetNumber(flow.DstPort, uint64(binary.BigEndian.Uint32(after[4:])))
	r.SetNumber(flow.TCPFlags, uint64(binary.BigEndian.Uint32(after[8:])))
	r.SetNumber(flow.IPTOS, uint64(binary.BigEndian.Uint32(after[12:])))
}

func vlans(p []byte, r *flow.Record) bool {
	if len(p) < 16 {
		return false
	}
	r.SetNumber(flow.SrcVLAN, uint64(binary.BigEndian.Uint32(p)))
	r.SetNumber(flow.DstVLAN, uint64(binary.BigEndian.Uint32(p[8:])))
	priority(binary.BigEndian.Uint32(p[4:]), flow.VLANPriority, r)
	priority(binary.BigEndian.Uint32(p[12:]), flow.PostVLANPriority, r)
	return true
}

// priority sets a priority of 3 bits: all ones is one that the agent does not know.
func priority(v uint32, f flow.Field, r *flow.Record) {
	if v != 0 && v <= 7 {
		r.SetNumber(f, uint64(v))
	}
}

func router(p []byte, r *flow.Record) bool {
	p = address(p, flow.NextHop, r)
	if len(p) < 8 {
		return false
	}
	r.SetNumber(flow.SrcNet, uint64(binary.BigEndian.Uint32(p)))
	r.SetNumber(flow.DstNet, uint64(binary.BigEndian.Uint32(p[4:])))
	return true
}

// address reads an address with its type before it and returns what follows, nil if it is cut.
func address(p []byte, f flow.Field, r *flow.Record) []byte {
	if len(p) < 4 {
		return nil
	}
	kind := binary.BigEndian.Uint32(p)
	p = p[4:]
	switch {
	case kind == 1 && len(p) >= 4:
		r.SetIPv4(f, binary.BigEndian.Uint32(p))
		return p[4:]
	case kind == 2 && len(p) >= 16:
		r.SetAddress(f, [16]byte(p))
		return p[16:]
	case kind == 0:
		return p
	}
	return nil
}
