// SPDX-License-Identifier: Apache-2.0

package export

import (
	"encoding/binary"
	"net/netip"

	"github.com/weirflow/weir/services/probe/internal/packet"
)

// SamplesConfig is what a stream of sFlow needs.
type SamplesConfig struct {
	Agent     netip.Addr
	SubAgent  uint32
	MaxOctets int
	Boot      int64 // ns since 1970
	Header    int   // octets of each packet
}

// Samples writes sFlow v5 (sflow_version_5.txt). It is not safe for concurrent use.
type Samples struct {
	cfg      SamplesConfig
	send     Send
	sequence uint32
	sources  map[uint32]*source // by ifIndex
	buf      []byte
	samples  int
}

// source counts the samples of an interface.
type source struct{ flows, counters uint32 }

// Counters of an interface since it is up.
type Counters struct {
	Index                   uint32
	Speed                   uint64 // bits/s
	Up                      bool
	InOctets, OutOctets     uint64
	InPackets, OutPackets   uint32
	InMulticast             uint32
	InErrors, OutErrors     uint32
	InDiscards, OutDiscards uint32
}

// NewSamples makes a stream that sends nothing yet.
func NewSamples(cfg SamplesConfig, send Send) *Samples {
	return &Samples{cfg: cfg, send: send, sources: map[uint32]*source{}}
}

// Formats of sFlow v5, enterprise 0.
const (
	flowSample      = 1
	countersSample  = 2
	rawPacketHeader = 1
	genericCounters = 1

	protocolEthernet, protocolIPv4, protocolIPv6 = 1, 11, 12
	fcs                                          = 4
)

// Packet adds a sample of one in interval packets; pool is how many there were to choose
// from since the start.
func (s *Samples) Packet(now int64, p *packet.Packet, interval, pool uint32, link uint32) {
	header, protocol, extra := p.Frame, uint32(protocolEthernet), fcs
	if link != packet.LinkEthernet {
		header, extra = header[min(p.IPOffset, len(header)):], 0
		protocol = protocolIPv4
		if p.Version == 6 {
			protocol = protocolIPv6
		}
	}
	length := p.Length - (len(p.Frame) - len(header)) + extra
	header = header[:min(len(header), s.cfg.Header)]
	s.room(now, 64+len(header))
	src := s.source(p.InIf)
	src.flows++
	end := s.record(flowSample)
	s.u32(src.flows, p.InIf, interval, pool, 0, p.InIf, 0, 1)
	inner := s.record(rawPacketHeader)
	s.u32(protocol, uint32(length), uint32(length-len(header)), uint32(len(header)))
	s.buf = append(s.buf, header...)
	for len(header)%4 != 0 {
		s.buf = append(s.buf, 0)
		header = append(header[:len(header):len(header)], 0)
	}
	inner()
	end()
	s.samples++
}

// Counters adds the counters of an interface.
func (s *Samples) Counters(now int64, c Counters) {
	s.room(now, 120)
	src := s.source(c.Index)
	src.counters++
	end := s.record(countersSample)
	s.u32(src.counters, c.Index, 1)
	inner := s.record(genericCounters)
	const ethernetCsmacd, fullDuplex, bothUp, unknown = 6, 1, 3, 0xffffffff
	status := uint32(0)
	if c.Up {
		status = bothUp
	}
	s.u32(c.Index, ethernetCsmacd, uint32(c.Speed>>32), uint32(c.Speed), fullDuplex, status)
	s.u32(uint32(c.InOctets>>32), uint32(c.InOctets), c.InPackets, c.InMulticast, unknown, c.InDiscards, c.InErrors, unknown)
	s.u32(uint32(c.OutOctets>>32), uint32(c.OutOctets), c.OutPackets, unknown, unknown, c.OutDiscards, c.OutErrors, 0)
	inner()
	end()
	s.samples++
}

func (s *Samples) source(index uint32) *source {
	src := s.sources[index]
	if src == nil {
		src = &source{}
		s.sources[index] = src
	}
	return src
}

func (s *Samples) u32(vs ...uint32) {
	for _, v := range vs {
		s.buf = binary.BigEndian.AppendUint32(s.buf, v)
	}
}

// record begins a record; the function that it returns writes its length.
func (s *Samples) record(format uint32) func() {
	s.u32(format, 0)
	start := len(s.buf)
	return func() { binary.BigEndian.PutUint32(s.buf[start-4:], uint32(len(s.buf)-start)) }
}

// room makes sure that a sample fits into the datagram.
func (s *Samples) room(now int64, octets int) {
	if s.samples > 0 && len(s.buf)+octets > s.cfg.MaxOctets {
		s.Flush(now)
	}
	if s.samples > 0 {
		return
	}
	s.u32(5)
	if s.cfg.Agent.Is4() {
		s.u32(1)
	} else {
		s.u32(2)
	}
	s.buf = append(s.buf, s.cfg.Agent.AsSlice()...)
	s.u32(s.cfg.SubAgent, 0, 0, 0) // sequence, uptime, samples: by Flush
}

// Flush sends what is there.
func (s *Samples) Flush(now int64) {
	if s.samples == 0 {
		return
	}
	s.sequence++
	be := binary.BigEndian
	at := 12 + len(s.cfg.Agent.AsSlice())
	be.PutUint32(s.buf[at:], s.sequence)
	be.PutUint32(s.buf[at+4:], uint32((now-s.cfg.Boot)/1e6))
	be.PutUint32(s.buf[at+8:], uint32(s.samples))
	message, samples := s.buf, s.samples
	s.buf, s.samples = s.buf[:0], 0
	s.send(message, samples)
}
