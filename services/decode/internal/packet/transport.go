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
		w.inner = true
		w.ip(b)
	case protoGRE:
		w.gre(b)
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
	if w.header(b, layerTCP, n) && !w.inner {
		w.r.SetNumber(flow.TCPFlags, uint64(b[13]))
	}
}

func (w *walk) ports(b []byte) {
	if w.inner {
		return
	}
	w.r.SetNumber(flow.SrcPort, uint64(binary.BigEndian.Uint16(b)))
	w.r.SetNumber(flow.DstPort, uint64(binary.BigEndian.Uint16(b[2:])))
}

func (w *walk) icmp(b []byte, layer uint64) {
	if len(b) >= 2 && !w.inner {
		w.r.SetNumber(flow.ICMPType, uint64(b[0]))
		w.r.SetNumber(flow.ICMPCode, uint64(b[1]))
	}
	w.header(b, layer, 8)
}

// gre reads a GRE header with its optional fields (RFC 2784, RFC 2890), and what it carries.
func (w *walk) gre(b []byte) {
	n := 4
	if len(b) >= n {
		for _, bit := range [...]byte{0x80, 0x20, 0x10} { // checksum, key, sequence number
			if b[0]&bit != 0 {
				n += 4
			}
		}
	}
	if !w.header(b, layerGRE, n) {
		return
	}
	w.inner = true
	w.etherType(binary.BigEndian.Uint16(b[2:]), b[n:])
}
