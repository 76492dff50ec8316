// SPDX-License-Identifier: Apache-2.0

package sflow

import (
	"encoding/binary"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/health"
	"github.com/weirflow/weir/services/decode/internal/packet"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/row"
	"github.com/weirflow/weir/services/decode/internal/sequence"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// Version is the version that is decoded.
const Version = 5

// Sample formats of enterprise 0.
const (
	flowSample            = 1
	counterSample         = 2
	expandedFlowSample    = 3
	expandedCounterSample = 4
	discardedPacket       = 5
)

// Decoder decodes datagrams. It is not safe for concurrent use.
type Decoder struct {
	// Counters is where counters samples go; nil takes none.
	Counters *flow.Counters

	w       *row.Writer
	packets packet.Limits
	agent   agent
	// The account of the datagram's sub-agent, nil for none, what the datagram's number told, and
	// how many flow samples were there and how many are missing by their own numbers.
	account *health.Account
	verdict sequence.Verdict
	taken   int
	missing int64
	// The rows of a counters sample.
	interfaces, hosts, others counterRow
	module, lane              layout
}

// New returns a decoder that writes to w.
func New(w *row.Writer, packets packet.Limits) *Decoder {
	d := &Decoder{
		w: w, packets: packets,
		interfaces: counterRow{table: flow.InterfaceCounters}, hosts: counterRow{table: flow.HostCounters},
	}
	d.module, d.lane = transceiverLayouts()
	return d
}

// Decode decodes a datagram. Where x is nil its exporter has no account.
func (d *Decoder) Decode(x *template.Exporter, p []byte) {
	head := 28 // octets, with an agent address of 4
	if len(p) >= 8 && binary.BigEndian.Uint32(p[4:]) == 2 {
		head += 12
	}
	if len(p) < head {
		d.w.Refuse(refusal.HeaderTruncated)
		return
	}
	subAgent, number := binary.BigEndian.Uint32(p[head-16:]), binary.BigEndian.Uint32(p[head-12:])
	d.agent = agent{subAgent, binary.BigEndian.Uint32(p[head-8:])}
	d.w.Header(number, 0, 0)
	if d.account = nil; x != nil {
		if domain := x.Domain(Version, subAgent); domain != nil {
			d.account = &domain.Account
			d.verdict = d.account.Sequence.Advance(number, 1, sequence.ReachDatagrams)
		}
	}
	d.missing, d.taken = 0, 0
	d.samples(binary.BigEndian.Uint32(p[head-4:]), p[head:])
	if d.account != nil {
		d.w.Tell(d.account, subAgent, len(p), d.taken, d.verdict).MissingSamples += d.missing
	}
}

// samples walks at most count samples.
func (d *Decoder) samples(count uint32, p []byte) {
	for ; count > 0; count-- {
		if len(p) < 8 {
			d.w.Refuse(refusal.SampleMalformed)
			return
		}
		format, length := binary.BigEndian.Uint32(p), uint64(binary.BigEndian.Uint32(p[4:]))
		p = p[8:]
		cut := length > uint64(len(p))
		if cut {
			d.w.Refuse(refusal.SampleMalformed)
			length = uint64(len(p))
		}
		if !d.sample(format, p[:length]) {
			return
		}
		if p = p[length:]; cut {
			return
		}
	}
}

// sample decodes one sample; false says that the datagram has had enough rows.
func (d *Decoder) sample(format uint32, p []byte) bool {
	var s sample
	switch format {
	case flowSample:
		p = s.compact(p)
	case expandedFlowSample:
		p = s.expanded(p)
	case discardedPacket:
		p = s.dropped(p)
	case counterSample, expandedCounterSample:
		d.counters(format == expandedCounterSample, p)
		return true
	default:
		d.w.Refuse(refusal.SampleUnknown)
		return true
	}
	if p == nil {
		d.w.Refuse(refusal.SampleMalformed)
		return true
	}
	if d.account != nil && format != discardedPacket {
		d.taken++
		d.missing += d.account.Sources.Advance(s.source, s.number, d.verdict)
	}
	r := d.w.Next()
	if r == nil {
		d.w.Refuse(refusal.RecordLimit)
		return false
	}
	s.set(r)
	d.records(s.records, p, r)
	if format == discardedPacket {
		setAside(r)
	}
	d.w.Commit()
	return true
}

// setAside keeps a discarded packet out of what counts as traffic: whoever sums bytes has it there
// already where samples are taken at the input, and it went nowhere.
func setAside(r *flow.Record) {
	r.SetNumber(flow.DroppedBytes, r.Number(flow.Bytes))
	r.SetNumber(flow.DroppedPackets, 1)
	r.SetNumber(flow.Bytes, 0)
	r.SetNumber(flow.Packets, 0)
}

// sample is the head of a flow sample.
type sample struct {
	number        uint32 // of the samples of the source
	source        uint64 // type and index
	rate, records uint32
	input, output iface
	drop          uint64 // reason, 0 for none
}

// iface is an interface: what format says of value.
type iface struct {
	format, value uint32
}

// Formats of an interface (sFlow v5, section 5.3).
const (
	single    = 0
	discarded = 1 // the value is the reason
	multiple  = 2 // the value is how many, 0 where that is not known
)

// compact reads the head of a flow_sample and returns its records, nil if it is cut.
func (s *sample) compact(p []byte) []byte {
	const head = 32
	if len(p) < head {
		return nil
	}
	source := binary.BigEndian.Uint32(p[4:])
	s.number, s.source = binary.BigEndian.Uint32(p), uint64(source>>24)<<32|uint64(source&0xffffff)
	s.rate = binary.BigEndian.Uint32(p[8:])
	s.input = port(binary.BigEndian.Uint32(p[20:]))
	s.output = port(binary.BigEndian.Uint32(p[24:]))
	s.records = binary.BigEndian.Uint32(p[28:])
	return p[head:]
}

// expanded reads the head of a flow_sample_expanded, whose interfaces have a format and a value
// apart.
func (s *sample) expanded(p []byte) []byte {
	const head = 44
	if len(p) < head {
		return nil
	}
	s.number, s.source = binary.BigEndian.Uint32(p), binary.BigEndian.Uint64(p[4:])
	s.rate = binary.BigEndian.Uint32(p[12:])
	s.input = iface{binary.BigEndian.Uint32(p[24:]), binary.BigEndian.Uint32(p[28:])}
	s.output = iface{binary.BigEndian.Uint32(p[32:]), binary.BigEndian.Uint32(p[36:])}
	s.records = binary.BigEndian.Uint32(p[40:])
	return p[head:]
}

// dropped reads the head of a discarded_packet (sflow.org, "sFlow Dropped Packet Notification
// Structures"): each is told of, none is sampled.
func (s *sample) dropped(p []byte) []byte {
	const head = 32
	if len(p) < head {
		return nil
	}
	s.rate = 1
	s.input = iface{single, binary.BigEndian.Uint32(p[16:])}
	s.output = iface{single, binary.BigEndian.Uint32(p[20:])}
	s.drop = uint64(binary.BigEndian.Uint32(p[24:]))
	s.records = binary.BigEndian.Uint32(p[28:])
	return p[head:]
}

// port reads an interface in its compact form: format in the two highest bits.
func port(v uint32) iface { return iface{v >> 30, v & 0x3fffffff} }

// index returns the ifIndex, 0 where it is not a single interface. The value 0x3fffffff, the
// device itself, is kept.
func (i iface) index() uint64 {
	if i.format != single {
		return 0
	}
	return uint64(i.value)
}

func (s *sample) set(r *flow.Record) {
	r.SetNumber(flow.SamplingRate, uint64(s.rate))
	r.SetNumber(flow.InIf, s.input.index())
	r.SetNumber(flow.OutIf, s.output.index())
	switch {
	case s.output.format == discarded:
		r.SetNumber(flow.DropReason, uint64(s.output.value))
	case s.output.format == multiple:
		r.SetNumber(flow.OutIfCount, uint64(s.output.value))
	case s.drop != 0:
		r.SetNumber(flow.DropReason, s.drop)
	}
	r.SetNumber(flow.Packets, 1)
}
