// SPDX-License-Identifier: Apache-2.0

package capture

import "encoding/binary"

// Link types (the registry of tcpdump.org).
const (
	linkNull        = 0
	linkEthernet    = 1
	linkPPP         = 9
	linkRawBSD      = 12
	linkRawOpenBSD  = 14
	linkPPPHDLC     = 50
	linkRaw         = 101
	linkCiscoHDLC   = 104
	linkLoop        = 108
	linkLinuxCooked = 113
	linkIPv4        = 228
	linkIPv6        = 229
	linkCooked2     = 276
)

// EtherTypes.
const (
	etherIPv4  = 0x0800
	etherIPv6  = 0x86dd
	etherVLAN  = 0x8100
	etherQinQ  = 0x88a8
	etherQinQ2 = 0x9100
	etherPPPoE = 0x8864
)

// network returns the IP packet in a frame, nil where it holds another protocol. known says that
// the link type is, or that a packet was found all the same.
func network(link uint32, p []byte) (ip []byte, known bool) {
	switch link {
	case linkRaw, linkRawBSD, linkRawOpenBSD, linkIPv4, linkIPv6:
		return p, true
	case linkNull, linkLoop: // the family's number is the system's; the version tells as much
		return after(p, 4), true
	case linkEthernet:
		return payload(p, 12), true
	case linkLinuxCooked, linkCiscoHDLC:
		at := 14
		if link == linkCiscoHDLC {
			at = 2
		}
		return payload(p, at), true
	case linkCooked2: // the type stands first, the header has 20 octets
		if len(p) < 20 {
			return nil, true
		}
		return tagged(binary.BigEndian.Uint16(p), p[20:]), true
	case linkPPP, linkPPPHDLC:
		if len(p) >= 2 && p[0] == 0xff && p[1] == 3 {
			p = p[2:]
		}
		return ppp(p), true
	}
	ip = search(p)
	return ip, ip != nil
}

// maxSearch is how long the header of an unknown link layer may be, octets.
const maxSearch = 128

// search returns the first thing in a frame that can only be an IP packet: wireless networks, firewall
// logs and others have headers of many lengths before it.
func search(p []byte) []byte {
	for at := range min(len(p), maxSearch) {
		if b := p[at:]; isIPv4(b) || isIPv6(b) {
			return b
		}
	}
	return nil
}

// isIPv4 tells whether b begins with an IPv4 header whose checksum is right (RFC 791 §3.1).
func isIPv4(b []byte) bool {
	if len(b) < 20 || b[0]>>4 != 4 || b[9] != udp {
		return false
	}
	n := int(b[0]&15) * 4
	if n < 20 || n > len(b) || int(binary.BigEndian.Uint16(b[2:])) < n {
		return false
	}
	sum := uint32(0)
	for i := 0; i < n; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	return sum>>16+sum&0xffff == 0xffff
}

// isIPv6 tells whether b is an IPv6 packet of UDP or with a fragment header, that ends where the frame
// does, but for a check sequence (RFC 8200 §3).
func isIPv6(b []byte) bool {
	const head, checkSequence = 40, 4
	if len(b) < head || b[0]>>4 != 6 || b[6] != udp && b[6] != fragment {
		return false
	}
	rest := len(b) - head - int(binary.BigEndian.Uint16(b[4:]))
	return rest == 0 || rest == checkSequence
}

func after(p []byte, n int) []byte {
	if len(p) < n {
		return nil
	}
	return p[n:]
}

// payload returns the IP packet behind the EtherType at an offset.
func payload(p []byte, at int) []byte {
	if len(p) < at+2 {
		return nil
	}
	return tagged(binary.BigEndian.Uint16(p[at:]), p[at+2:])
}

// tagged returns the IP packet behind any VLAN tags and PPPoE.
func tagged(kind uint16, p []byte) []byte {
	for kind == etherVLAN || kind == etherQinQ || kind == etherQinQ2 {
		if len(p) < 4 {
			return nil
		}
		kind, p = binary.BigEndian.Uint16(p[2:]), p[4:]
	}
	switch kind {
	case etherIPv4, etherIPv6:
		return p
	case etherPPPoE:
		return ppp(after(p, 6))
	}
	return nil
}

func ppp(p []byte) []byte {
	if len(p) < 2 {
		return nil
	}
	switch binary.BigEndian.Uint16(p) {
	case 0x0021, 0x0057: // IPv4, IPv6
		return p[2:]
	}
	return nil
}
