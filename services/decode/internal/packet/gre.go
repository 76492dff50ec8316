// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"encoding/binary"

	"github.com/weirflow/weir/flow"
)

// Flags of a GRE header, in its first two octets.
const (
	greChecksum       = 0x8000
	greRouting        = 0x4000 // RFC 1701
	greKey            = 0x2000
	greSequence       = 0x1000
	greAcknowledgment = 0x0080 // version 1, RFC 2637
	greVersion        = 0x0007
)

// EtherTypes that are met in GRE only.
const (
	etherBridging = 0x6558 // Ethernet
	etherPPP      = 0x880b // version 1
	etherERSPAN   = 0x88be // type I and II
	etherERSPAN3  = 0x22eb // type III
)

// gre reads a GRE header with its optional fields (RFC 2784, RFC 2890, RFC 1701, RFC 2637), and
// what it carries.
func (w *walk) gre(b []byte) {
	const least = 4
	if len(b) < least {
		w.header(b, layerGRE, least)
		return
	}
	flags, carried := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	n, key := greLength(b, flags)
	if !w.header(b, layerGRE, n) {
		return
	}
	switch {
	case flags&greKey == 0:
	case carried == etherBridging: // NVGRE, RFC 7637 §3.2: the key has segment and flow
		w.identify(flow.SegmentID, uint64(binary.BigEndian.Uint32(b[key:])>>8))
	default:
		w.identify(flow.TunnelID, uint64(binary.BigEndian.Uint32(b[key:])))
	}
	w.enter()
	w.carried(carried, flags, b[n:])
}

// greLength returns the octets of a header, and where its key is.
func greLength(b []byte, flags uint16) (n, key int) {
	n = 4
	if flags&(greChecksum|greRouting) != 0 {
		n += 4
	}
	key = n
	if flags&greKey != 0 {
		n += 4
	}
	if flags&greSequence != 0 {
		n += 4
	}
	if flags&greVersion == 1 {
		if flags&greAcknowledgment != 0 {
			n += 4
		}
		return n, key
	}
	if flags&greRouting == 0 {
		return n, key
	}
	for { // routes, up to one that is empty
		if n+4 > len(b) {
			return n + 4, key
		}
		last := binary.BigEndian.Uint32(b[n:]) == 0
		n += 4 + int(b[n+3])
		if last {
			return n, key
		}
	}
}

func (w *walk) carried(t, flags uint16, b []byte) {
	switch t {
	case etherPPP:
		w.ppp(b)
	case etherERSPAN:
		n := 0 // type I has no header
		if flags&greSequence != 0 {
			n = 8
		}
		w.mirrored(b, n)
	case etherERSPAN3:
		n := 12
		if len(b) >= n && b[11]&1 != 0 { // platform specific header
			n += 8
		}
		w.mirrored(b, n)
	default:
		w.etherType(t, b)
	}
}

// mirrored reads a frame behind n octets of ERSPAN.
func (w *walk) mirrored(b []byte, n int) {
	if n == 0 || w.header(b, layerCustom, n) {
		w.ethernet(b[n:])
	}
}
