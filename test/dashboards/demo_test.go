// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/weirflow/weir/flow"
)

// demoFlow is a flow of the demo network. Its fields are what the tests add up by themselves.
type demoFlow struct {
	exporter           *demoExporter
	start, end         time.Time
	src, dst           *demoHost
	srcPort, dstPort   uint16
	proto              uint8
	inIf, outIf        uint32
	bytes, packets     uint64
	duplicate          uint8
	forwarding         uint8
	dropReason         uint16
	lostBytes          uint64 // of a discarded packet, which is no traffic
	natEvent, firewall uint8
	noTimes            bool // of the exporter: they are of receipt
}

func (f *demoFlow) rate() uint64          { return max(f.exporter.sampling, 1) }
func (f *demoFlow) bytesScaled() uint64   { return f.bytes * f.rate() }
func (f *demoFlow) packetsScaled() uint64 { return f.packets * f.rate() }

// etype is the EtherType of the flow.
func (f *demoFlow) etype() uint16 {
	if f.src.addr.Is4() {
		return 0x0800
	}
	return 0x86dd
}

type demoExporter struct {
	addr                       netip.Addr
	kind                       uint64 // flow.Type
	sampling                   uint64
	name, site, tenant, region string
}

type demoHost struct {
	addr                netip.Addr
	as                  uint32
	asName, country     string
	city, network, role string
}

// demoExporters: the last is unknown to enrich and tells no sampling interval.
func demoExporters() []*demoExporter {
	return []*demoExporter{
		{netip.MustParseAddr("10.255.0.1"), 3, 1000, "edge1.par", "paris", "acme", "EU"},
		{netip.MustParseAddr("10.255.0.2"), 4, 100, "edge2.par", "paris", "acme", "EU"},
		{netip.MustParseAddr("10.255.0.3"), 1, 512, "core1.ber", "berlin", "blue", "EU"},
		{netip.MustParseAddr("2001:db8:ff::4"), 4, 0, "", "", "", ""},
	}
}

// demoHosts are 200 hosts of 20 AS, a fifth of them IPv6; those of the first AS are our own.
func demoHosts() []*demoHost {
	countries := []string{"DE", "FR", "US", "NL", "JP", "BR", "ZA", "", "GB", "IN"}
	var all []*demoHost
	for i := range 200 {
		as := uint32(i / 10)
		h := &demoHost{
			addr: netip.AddrFrom4([4]byte{byte(20 + as), 0, byte(as), byte(i%10 + 1)}),
			as:   64500 + as, asName: fmt.Sprintf("Network %d", as), country: countries[as%10], city: fmt.Sprintf("City %d", as%10),
		}
		if i%5 == 4 {
			h.addr = netip.MustParseAddr(fmt.Sprintf("2001:db8:%x::%x", as, i%10+1))
		}
		if as == 0 {
			h.network, h.role, h.as = "offices", "clients", 64500
		}
		all = append(all, h)
	}
	return all
}

// demoServices are ports and protocols.
func demoServices() []struct {
	proto uint8
	port  uint16
} {
	return []struct {
		proto uint8
		port  uint16
	}{{6, 443}, {6, 443}, {17, 443}, {6, 80}, {17, 53}, {6, 22}, {6, 25}, {1, 0}}
}

// demo makes the flows of an hour that begins at start: perMinute flows begin and end in each
// minute, so that the sums of any window are sums over flows. Every tenth flow is seen by a second
// exporter too, and marked as its duplicate.
func demo(start time.Time, minutes, perMinute int, seed uint64) []demoFlow {
	rnd := rand.New(rand.NewPCG(seed, 9))
	exporters, hosts, services := demoExporters(), demoHosts(), demoServices()
	var all []demoFlow
	for m := range minutes {
		for i := range perMinute {
			f := demoFlow{exporter: exporters[rnd.IntN(len(exporters))]}
			f.start = start.Add(time.Duration(m)*time.Minute + time.Duration(rnd.IntN(30_000))*time.Millisecond)
			f.end = f.start.Add(time.Duration(rnd.IntN(28_000)) * time.Millisecond)
			f.src = hosts[min(rnd.IntN(200), rnd.IntN(200))]
			for f.dst = f.src; f.dst == f.src || f.dst.addr.Is4() != f.src.addr.Is4(); {
				f.dst = hosts[rnd.IntN(200)]
			}
			s := services[rnd.IntN(len(services))]
			f.proto = s.proto
			if s.port != 0 {
				f.srcPort, f.dstPort = 49152+uint16(rnd.IntN(1000)), s.port
			}
			if rnd.IntN(2) == 0 { // the answer
				f.srcPort, f.dstPort = f.dstPort, f.srcPort
			}
			f.inIf, f.outIf = 1+f.src.as%3, 4+f.dst.as%2
			f.packets = 1 + uint64(rnd.ExpFloat64()*20)
			f.bytes = f.packets * uint64(64+rnd.IntN(1400))
			special(&f, i)
			all = append(all, f)
			if i%10 == 0 {
				f.exporter, f.duplicate = exporters[(i/10)%2], 3
				all = append(all, f)
			}
		}
	}
	return all
}

// special gives some flows what most have not.
func special(f *demoFlow, i int) {
	f.forwarding = 64 // forwarded
	switch {
	case i%17 == 3:
		f.forwarding = 130 // dropped by an access list
	case i%17 == 5 && f.exporter.kind == 1:
		f.forwarding, f.dropReason = 0, 269 // sFlow: blackhole route
		f.lostBytes, f.bytes, f.packets = f.bytes, 0, 0
	case i%23 == 7:
		f.natEvent = 1 + uint8(i%2)
	case i%23 == 9:
		f.firewall = 1 + uint8(i%3)
	}
	f.noTimes = i%31 == 0
}

// quality are the bits that decode and enrich would set.
func (f *demoFlow) quality() (bits uint64) {
	if f.exporter.sampling == 0 {
		bits |= flow.SamplingUnknown
	}
	if f.exporter.name == "" {
		bits |= flow.ExporterUnknown
	}
	if f.noTimes {
		bits |= flow.TimeFromReceipt
	}
	return bits
}

// receipt is when the datagram of the flow came.
func (f *demoFlow) receipt() time.Time { return f.end.Add(time.Second) }
