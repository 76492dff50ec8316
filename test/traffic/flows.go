// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
)

// madeFlow is one made-up flow.
type madeFlow struct {
	v6                 bool
	src, dst, nextHop  [16]byte // IPv4: the last 4 octets
	srcPort, dstPort   uint16   // dstPort 0: another one each time the datagram is sent
	proto, tos, flags  uint8
	packets, bytes     uint32
	inIf, outIf        uint32
	srcAS, dstAS       uint32
	srcMask, dstMask   uint8
	length, sinceEnded uint32 // ms
}

// network makes up flows as a network has them: a few hosts and networks have most of the
// traffic, a few ports and interfaces most of the flows, and most flows are small.
type network struct {
	rnd   *rand.Rand
	hosts *rand.Zipf
}

const (
	hosts      = 50_000
	hostsPerAS = 64
	interfaces = 8
	v6Share    = 6 // one in
)

func newNetwork(seed uint64) *network {
	rnd := rand.New(rand.NewPCG(seed, 2))
	return &network{rnd: rnd, hosts: rand.NewZipf(rnd, 1.2, 8, hosts-1)}
}

var servicePorts = []uint16{443, 443, 443, 443, 80, 80, 53, 53, 22, 123, 993, 3478, 5060, 8080, 8443, 51820}

// flow makes one up.
func (n *network) flow(v6 bool) madeFlow {
	src, dst := n.hosts.Uint64(), n.hosts.Uint64()
	f := madeFlow{
		v6: v6, src: address(src, v6), dst: address(dst, v6), nextHop: address(dst/hostsPerAS*hostsPerAS, v6),
		srcPort: servicePorts[n.rnd.IntN(len(servicePorts))],
		proto:   protoTCP, flags: 0x1b,
		srcAS: asOf(src), dstAS: asOf(dst), srcMask: 24, dstMask: 22,
		inIf: 1 + uint32(src%interfaces), outIf: 1 + uint32(dst%interfaces),
		length: uint32(n.rnd.ExpFloat64() * 8000), sinceEnded: uint32(n.rnd.IntN(5000)),
	}
	if v6 {
		f.srcMask, f.dstMask = 48, 44
	}
	if f.srcPort == 53 || f.srcPort == 123 || f.srcPort > 50000 || n.rnd.IntN(5) == 0 {
		f.proto, f.flags = protoUDP, 0
	}
	if n.rnd.IntN(20) == 0 {
		f.tos = 46 << 2 // expedited forwarding
	}
	// Pareto: the mean is about 10 packets, a flow in ten thousand has thousands.
	f.packets = uint32(min(math.Pow(1-n.rnd.Float64(), -1/1.1), 1e5))
	f.bytes = f.packets * uint32(64+n.rnd.IntN(1400))
	return f
}

// ephemeral is where the ports of clients begin.
const ephemeral = 49152

// address gives host number n of the network an address, the same each time.
func address(n uint64, v6 bool) (a [16]byte) {
	scattered := n * 0x9e3779b97f4a7c15
	if v6 {
		binary.BigEndian.PutUint64(a[:], 0x2001_0db8_0000_0000|n/hostsPerAS)
		binary.BigEndian.PutUint64(a[8:], scattered)
		return a
	}
	// 16.0.0.0 to 95.255.255.255, a /26 to an AS.
	base := 16<<24 + uint32(n/hostsPerAS*0x9e3779b1>>2)%(80<<24)&^63
	binary.BigEndian.PutUint32(a[12:], base|uint32(n%hostsPerAS))
	return a
}

func asOf(n uint64) uint32 {
	as := 1000 + uint32(n/hostsPerAS)*37
	if as%5 == 0 {
		as += 200_000 // of 32 bits
	}
	return as
}
