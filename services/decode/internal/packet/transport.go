// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"encoding/binary"

	"github.com/weirflow/weir/flow"
)

func (w *walk) transport(proto byte, b []byte) {
	switch proto {
	case protoTCP:
		w.tcp(b)
	case protoUDP:
		if w.header(b, layerUDP, 8) {
			w.ports(b)
			w.tunnel(binary.BigEndian.Uint16(b[2:]), b[8:])
		}
	case protoSCTP, protoDCCP, protoUDPLite:
		if len(b) < 4 {
			w.r.Flag(flow.HeaderTruncated)
			return
		}
		w.ports(b)
	case protoICMP:
		w.icmp(b, layerICMP)
	case protoICMPv6:
		w.icmp(b, layerICMPv6)
	case protoIPv4, protoIPv6:
		w.enter()
		w.ip(b)
	case protoGRE:
		w.gre(b)
	case protoL2TP:
		w.l2tp3(b)
	case protoMPLS:
		w.enter()
		w.mpls(b)
	case protoEthernet:
		w.enter()
		w.ethernet(b)
	case protoEtherIP: // RFC 3378 §3
		if w.header(b, layerCustom, 2) {
			w.enter()
			w.ethernet(b[2:])
		}
	}
}

func (w *walk) tcp(b []byte) {
	const least = 20
	n := least
	if len(b) >= least {
		n = max(least, int(b[12]>>4)*4)
	}
	if len(b) >= least && len(b) < n {
		n = least // options that the sample cuts off
		w.r.Flag(flow.HeaderTruncated)
	}
	if len(b) >= 4 {
		w.ports(b)
	}
	if w.header(b, layerTCP, n) && w.f != nil {
		w.r.SetNumber(w.f.tcpFlags, uint64(b[13]))
	}
}

func (w *walk) ports(b []byte) {
	if w.f == nil {
		return
	}
	w.r.SetNumber(w.f.srcPort, uint64(binary.BigEndian.Uint16(b)))
	w.r.SetNumber(w.f.dstPort, uint64(binary.BigEndian.Uint16(b[2:])))
}

func (w *walk) icmp(b []byte, layer uint64) {
	if f := w.f; len(b) >= 2 && f != nil {
		w.r.SetNumber(f.icmpType, uint64(b[0]))
		w.r.SetNumber(f.icmpCode, uint64(b[1]))
	}
	w.header(b, layer, 8)
}
