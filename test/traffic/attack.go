// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"
)

// Attack is traffic that operators look for, and that makes up a share of the flows of all
// exporters for a time.
type Attack struct {
	Share float64       // of the datagrams, 0 to 1; 0: no attack
	After time.Duration // from the start of the load
	For   time.Duration // 0: until the end
	// Target is the victim of a flood; a scan goes through addresses from there on.
	Target netip.Addr
}

func (a Attack) validate() error {
	switch {
	case a.Share < 0 || a.Share > 1 || a.After < 0 || a.For < 0:
		return errors.New("attack: the share is from 0 to 1, and times are not negative")
	case a.Share > 0 && !a.Target.Unmap().Is4():
		return errors.New("attack: the target is an IPv4 address")
	}
	return nil
}

// active tells whether the attack goes on when the load has run for elapsed.
func (a Attack) active(elapsed time.Duration) bool {
	return elapsed >= a.After && (a.For == 0 || elapsed < a.After+a.For)
}

// maker makes flows up.
type maker interface {
	flow(v6 bool) madeFlow
	// sixth tells whether one in v6Share is of IPv6; else all are of IPv4.
	sixth() bool
}

func (n *network) sixth() bool { return true }

// scan looks for open ports: one host sends a SYN to a few ports of each address.
type scan struct {
	rnd    *rand.Rand
	source [16]byte
	target uint32
	next   uint32
}

// Ports that scanners ask for.
var scannedPorts = []uint16{22, 23, 80, 443, 445, 3389, 8080, 8443}

const (
	flagSYN   = 0x02
	headerTCP = 40 // octets of IPv4 and TCP
)

func newScan(rnd *rand.Rand, a Attack) maker {
	return &scan{rnd: rnd, source: address(hosts, false), target: binary.BigEndian.Uint32(a.Target.Unmap().AsSlice())}
}

func (s *scan) sixth() bool { return false }

func (s *scan) flow(bool) madeFlow {
	f := madeFlow{
		src: s.source, srcPort: ephemeral + uint16(s.rnd.IntN(1<<14)), dstPort: scannedPorts[s.next%uint32(len(scannedPorts))],
		proto: protoTCP, flags: flagSYN, packets: 1, bytes: headerTCP, inIf: 1, outIf: 2,
		srcAS: asOf(hosts), dstAS: asOf(0), srcMask: 24, dstMask: 22, sinceEnded: uint32(s.rnd.IntN(5000)),
	}
	binary.BigEndian.PutUint32(f.dst[12:], s.target+s.next/uint32(len(scannedPorts)))
	s.next++
	return f
}

// flood is a reflection attack: many hosts send great UDP packets from ports of services that
// answer anybody to one address.
type flood struct {
	rnd    *rand.Rand
	target [16]byte
}

// Ports of reflectors: DNS, NTP, CLDAP, SSDP, memcached.
var reflectorPorts = []uint16{53, 123, 389, 1900, 11211}

func newFlood(rnd *rand.Rand, a Attack) maker {
	f := &flood{rnd: rnd}
	copy(f.target[12:], a.Target.Unmap().AsSlice())
	return f
}

func (f *flood) sixth() bool { return false }

func (f *flood) flow(bool) madeFlow {
	source := f.rnd.Uint64N(hosts)
	packets := uint32(20 + f.rnd.IntN(400))
	return madeFlow{
		src: address(source, false), dst: f.target,
		srcPort: reflectorPorts[f.rnd.IntN(len(reflectorPorts))], dstPort: uint16(1 + f.rnd.IntN(1<<16-1)), proto: protoUDP,
		packets: packets, bytes: packets * uint32(1200+f.rnd.IntN(268)), inIf: 1 + uint32(source%interfaces), outIf: 2,
		srcAS: asOf(source), dstAS: asOf(0), srcMask: 24, dstMask: 32,
		length: uint32(f.rnd.IntN(10_000)), sinceEnded: uint32(f.rnd.IntN(2000)),
	}
}
