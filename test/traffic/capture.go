// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// CaptureConfig says what WriteCapture makes up.
type CaptureConfig struct {
	// Start is the time of the first packet. The capture lasts less than a minute.
	Start time.Time
	// Conversations is how many there are of each kind: TCP, UDP and ICMP, over IPv4 and
	// IPv6. Each makes two flows, one in either direction.
	Conversations int
	Seed          uint64
}

// Flow is what a capture holds of one direction of a conversation.
type Flow struct {
	Src, Dst   netip.AddrPort // the port is 0 for ICMP
	Proto      uint8          // IP protocol
	Packets    uint64
	IPBytes    uint64 // from the IP header on, as NetFlow and IPFIX count
	FrameBytes uint64 // from the Ethernet header on, without the FCS
}

// IPv6 tells whether the flow is one of IPv6.
func (f Flow) IPv6() bool { return f.Src.Addr().Is6() }

// Kinds of conversation.
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
)

const ethernetHeader = 14

// minPayload keeps every frame above the 60 octets to which Ethernet would pad it: pmacctd
// 1.7.7 counts padded packets as shorter than their IP header says.
const minPayload = 26

// captured is a packet that waits to be written in the order of time.
type captured struct {
	at   time.Time
	data []byte
}

// capturer gathers packets and counts them by flow.
type capturer struct {
	rnd     *rand.Rand
	packets []captured
	flows   []Flow
}

// WriteCapture writes a classic pcap file of whole Ethernet frames and returns exactly what
// is in it, by flow.
func WriteCapture(w io.Writer, cfg CaptureConfig) ([]Flow, error) {
	c := &capturer{rnd: rand.New(rand.NewPCG(cfg.Seed, 1))}
	for i := range cfg.Conversations {
		for _, v6 := range []bool{false, true} {
			for _, proto := range []uint8{protoTCP, protoUDP, protoICMP} {
				start := cfg.Start.Add(time.Duration(c.rnd.IntN(20_000)) * time.Millisecond)
				if err := c.conversation(i, v6, proto, start); err != nil {
					return nil, err
				}
			}
		}
	}
	slices.SortStableFunc(c.packets, func(a, b captured) int { return a.at.Compare(b.at) })
	return c.flows, writePcap(w, c.packets)
}

// fillers are more packets than any exporter keeps back in its buffers.
const fillers = 32

// appendFiller puts packets of protocol FillerProto behind a pcap file, at its last time.
func appendFiller(pcap []byte) []byte {
	const record = 16
	le := binary.LittleEndian
	var stamp []byte
	for at := 24; at+record <= len(pcap); at += record + int(le.Uint32(pcap[at+8:])) {
		stamp = pcap[at : at+8]
	}
	frame := append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0}, // Ethernet
		0x45, 0, 0, 220, 0, 0, 0, 0, 64, FillerProto, 0, 0, 192, 0, 2, 254, 192, 0, 2, 253) // IPv4
	frame = append(frame, make([]byte, 200)...)
	out := slices.Clone(pcap)
	for range fillers {
		out = append(out, stamp...)
		out = le.AppendUint32(out, uint32(len(frame)))
		out = le.AppendUint32(out, uint32(len(frame)))
		out = append(out, frame...)
	}
	return out
}

// writePcap writes the classic format with microseconds: magic, version 2.4, zone, accuracy,
// greatest length, link type Ethernet.
func writePcap(w io.Writer, packets []captured) error {
	le := binary.LittleEndian
	out := le.AppendUint32(nil, 0xa1b2c3d4)
	out = le.AppendUint16(le.AppendUint16(out, 2), 4)
	for _, v := range []uint32{0, 0, 65535, 1} {
		out = le.AppendUint32(out, v)
	}
	for _, p := range packets {
		for _, v := range []int{int(p.at.Unix()), p.at.Nanosecond() / 1000, len(p.data), len(p.data)} {
			out = le.AppendUint32(out, uint32(v))
		}
		out = append(out, p.data...)
	}
	_, err := w.Write(out)
	return err
}

// conversation adds the packets of both directions.
func (c *capturer) conversation(i int, v6 bool, proto uint8, start time.Time) error {
	client := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
	server := netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + i%200)})
	if v6 {
		client = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 14: byte(i >> 8), 15: byte(i)})
		server = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 1, 15: byte(1 + i%200)})
		if proto == protoICMP {
			proto = protoICMPv6
		}
	}
	var clientPort, serverPort uint16
	if proto == protoTCP || proto == protoUDP {
		clientPort, serverPort = uint16(32768+c.rnd.IntN(28000)), []uint16{5001, 5201, 8080, 9000}[i%4]
	}
	ends := [2]netip.AddrPort{netip.AddrPortFrom(client, clientPort), netip.AddrPortFrom(server, serverPort)}
	flows := [2]Flow{{Src: ends[0], Dst: ends[1], Proto: proto}, {Src: ends[1], Dst: ends[0], Proto: proto}}
	count := 2 + c.rnd.IntN(20)
	for n := range count {
		for direction := range flows {
			f := &flows[direction]
			p := packet{flow: f, n: n, first: n == 0, last: n == count-1, reply: direction == 1, payload: minPayload + c.rnd.IntN(1400)}
			data, err := p.frame()
			if err != nil {
				return fmt.Errorf("packet of %v: %w", f.Src, err)
			}
			at := start.Add(time.Duration(20*n+10*direction) * time.Millisecond)
			c.packets = append(c.packets, captured{at, data})
		}
	}
	c.flows = append(c.flows, flows[0], flows[1])
	return nil
}

// packet is one packet of a flow.
type packet struct {
	flow               *Flow
	n                  int // in its direction
	first, last, reply bool
	payload            int // octets behind the transport header
}

// frame builds the packet and counts it in its flow.
func (p packet) frame() ([]byte, error) {
	f := p.flow
	eth := &layers.Ethernet{
		SrcMAC:       net.HardwareAddr{2, 0, 0, 0, 0, 1},
		DstMAC:       net.HardwareAddr{2, 0, 0, 0, 0, 2},
		EthernetType: layers.EthernetTypeIPv4,
	}
	var ip gopacket.NetworkLayer = &layers.IPv4{
		Version: 4, IHL: 5, TTL: 64, Id: uint16(p.n), Protocol: layers.IPProtocol(f.Proto),
		SrcIP: f.Src.Addr().AsSlice(), DstIP: f.Dst.Addr().AsSlice(),
	}
	if f.IPv6() {
		eth.EthernetType = layers.EthernetTypeIPv6
		ip = &layers.IPv6{
			Version: 6, HopLimit: 64, NextHeader: layers.IPProtocol(f.Proto),
			SrcIP: f.Src.Addr().AsSlice(), DstIP: f.Dst.Addr().AsSlice(),
		}
	}
	stack := append([]gopacket.SerializableLayer{eth, ip.(gopacket.SerializableLayer)}, p.transport(ip)...)
	stack = append(stack, gopacket.Payload(make([]byte, p.payload)))
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, stack...); err != nil {
		return nil, err
	}
	data := buf.Bytes()
	f.Packets++
	f.IPBytes += uint64(len(data) - ethernetHeader)
	f.FrameBytes += uint64(len(data))
	return data, nil
}

// transport returns the layers between IP and the payload.
func (p packet) transport(ip gopacket.NetworkLayer) []gopacket.SerializableLayer {
	f := p.flow
	switch f.Proto {
	case protoTCP:
		tcp := &layers.TCP{
			SrcPort: layers.TCPPort(f.Src.Port()), DstPort: layers.TCPPort(f.Dst.Port()),
			Seq: uint32(p.n), Window: 65535,
			SYN: p.first, ACK: !p.first || p.reply, PSH: !p.first && !p.last, FIN: p.last,
		}
		_ = tcp.SetNetworkLayerForChecksum(ip) // fails for layers other than IP only
		return []gopacket.SerializableLayer{tcp}
	case protoUDP:
		udp := &layers.UDP{SrcPort: layers.UDPPort(f.Src.Port()), DstPort: layers.UDPPort(f.Dst.Port())}
		_ = udp.SetNetworkLayerForChecksum(ip)
		return []gopacket.SerializableLayer{udp}
	case protoICMP:
		kind := uint8(layers.ICMPv4TypeEchoRequest)
		if p.reply {
			kind = layers.ICMPv4TypeEchoReply
		}
		return []gopacket.SerializableLayer{&layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, 0), Id: 7, Seq: uint16(p.n)}}
	}
	kind := uint8(layers.ICMPv6TypeEchoRequest)
	if p.reply {
		kind = layers.ICMPv6TypeEchoReply
	}
	icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(kind, 0)}
	_ = icmp.SetNetworkLayerForChecksum(ip)
	return []gopacket.SerializableLayer{icmp, &layers.ICMPv6Echo{Identifier: 7, SeqNumber: uint16(p.n)}}
}
