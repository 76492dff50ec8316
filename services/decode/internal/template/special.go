// SPDX-License-Identifier: Apache-2.0

package template

import (
	"encoding/binary"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/ie"
	"github.com/weirflow/weir/services/decode/internal/packet"
	"github.com/weirflow/weir/services/decode/internal/refusal"
)

// EtherTypes that an address family tells.
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
)

// MaxFields is the greatest possible limit of fields in a template.
const MaxFields = 1024

// Context is what a record needs beside its own octets.
type Context struct {
	// ExportNs is the export time of the message, Unix ns.
	ExportNs uint64
	// UptimeMs is how long the exporter had been up then; HasUptime says that the header
	// told (NetFlow v9).
	UptimeMs  uint32
	HasUptime bool
	// Domain is what the exporter told before.
	Domain *Domain
	// Packets says how sampled packets are read.
	Packets packet.Limits
	// MaxNesting bounds lists in lists.
	MaxNesting int
	// Batch is what the records go to, and Refused counts what is left out.
	Batch   *flow.Batch
	Refused *refusal.Counts

	initMs   uint64 // start of the exporter, as this record tells it
	interval uint64 // 1 in N, as this record tells it
	sampler  bool   // the record's sampler is known
	starts   [MaxFields + 1]uint16
}

// start forgets the last record.
func (c *Context) start() { c.initMs, c.interval, c.sampler = 0, 0, false }

// execute is for an op that is not a plain number. b is empty where the record has a length that
// makes no sense.
func (o *op) execute(b []byte, r *flow.Record, c *Context) {
	if len(b) == 0 {
		return
	}
	switch o.how {
	case ie.Number, ie.Segment, ie.CodePoint, ie.Precedence:
		o.number(o.part(number(b)), r)
	case ie.AddressV4, ie.AddressV6, ie.NumberV4, ie.NumberV6, ie.ListV4, ie.ListV6, ie.SegmentsV6, ie.IPVersion:
		o.address(b, r)
	case ie.Seconds, ie.Milliseconds, ie.NTPMicro, ie.NTPNano, ie.Uptime, ie.MicrosecondsAgo, ie.DurationMilli, ie.DurationMicro, ie.SystemInit:
		o.time(b, r, c)
	case ie.Sampler, ie.Interval:
		o.sampling(number(b), r, c)
	case ie.ICMPTypeCode:
		if v := number(b); v != 0 || !o.keep {
			r.SetNumber(flow.ICMPType, v>>8&0xff)
			r.SetNumber(flow.ICMPCode, v&0xff)
		}
	case ie.MPLSLabelSection:
		// An empty section is a label that is not there, not label 0.
		if v := number(b); v != 0 {
			r.AddNumber(flow.MPLSLabel, v>>4)
			r.AddNumber(flow.MPLSEXP, v>>1&7)
		}
	case ie.Frame, ie.IPPacket:
		o.section(b, r, c)
	case ie.RoutingHeader:
		packet.Routing(b, r)
	default:
		o.collection(b, r, c)
	}
}

// part returns what of a number goes into the field, and where.
func (o *op) part(v uint64) uint64 {
	switch o.how {
	case ie.Segment:
		return v & 0xffffff
	case ie.CodePoint:
		return v << 2 & 0xff
	case ie.Precedence:
		return v << 5 & 0xff
	default:
		return v
	}
}

// number sets a field, unless it would replace something by nothing.
func (o *op) number(v uint64, r *flow.Record) {
	if o.keep && v == 0 && r.Has(o.field) {
		return
	}
	r.SetNumber(o.field, v)
}

func (o *op) address(b []byte, r *flow.Record) {
	switch o.how {
	case ie.AddressV4:
		o.addressV4(binary.BigEndian.Uint32(b), r)
	case ie.AddressV6:
		o.addressV6([16]byte(b), r)
	case ie.NumberV4:
		o.ofFamily(etherIPv4, number(b), r)
	case ie.NumberV6:
		o.ofFamily(etherIPv6, number(b), r)
	case ie.ListV4:
		if a := [4]byte(b); a != [4]byte{} {
			r.AddAddress(o.field, [16]byte{10: 0xff, 11: 0xff, 12: a[0], 13: a[1], 14: a[2], 15: a[3]})
		}
	case ie.ListV6:
		if a := [16]byte(b); a != [16]byte{} {
			r.AddAddress(o.field, a)
		}
	case ie.SegmentsV6:
		for ; len(b) >= 16; b = b[16:] {
			r.AddAddress(o.field, [16]byte(b))
		}
	case ie.IPVersion:
		switch number(b) {
		case 4:
			r.SetNumber(flow.EType, etherIPv4)
		case 6:
			r.SetNumber(flow.EType, etherIPv6)
		}
	}
}

// addressV4 sets an address. Of the addresses of two families in one template the one
// that is not zero counts.
func (o *op) addressV4(a uint32, r *flow.Record) {
	if o.keep && a == 0 && r.Has(o.field) {
		return
	}
	if o.inner && a != 0 {
		o.setAside(r)
	}
	r.SetIPv4(o.field, a)
	if o.tellsEType() {
		r.SetNumber(flow.EType, etherIPv4)
	}
}

func (o *op) addressV6(a [16]byte, r *flow.Record) {
	if o.keep && a == [16]byte{} && r.Has(o.field) {
		return
	}
	if o.inner && a != [16]byte{} {
		o.setAside(r)
	}
	r.SetAddress(o.field, a)
	if o.tellsEType() {
		r.SetNumber(flow.EType, etherIPv6)
	}
}

// setAside keeps the address that is about to be replaced as that of the outer header of a tunnel.
func (o *op) setAside(r *flow.Record) {
	if outer, ok := outerOf(o.field); ok && !r.Address(o.field).Unmap().IsUnspecified() {
		r.SetAddress(outer, r.Address(o.field).As16())
	}
}

func (o *op) tellsEType() bool { return o.field == flow.SrcAddr || o.field == flow.DstAddr }

// ofFamily sets a field if it belongs to the family of the flow's addresses: a tunnel's
// record may have it of the other family, from its outer header.
func (o *op) ofFamily(etherType, v uint64, r *flow.Record) {
	if t := r.Number(flow.EType); t != 0 && t != etherType {
		return
	}
	o.number(v, r)
}

// section parses a part of a packet that the record has.
func (o *op) section(b []byte, r *flow.Record, c *Context) {
	if o.how == ie.Frame {
		packet.Ethernet(b, r, c.Packets)
		r.SetNumber(flow.Bytes, uint64(len(b)))
	} else {
		packet.IP(b, r, c.Packets)
	}
	r.SetNumber(flow.Packets, 1)
}

// finish sets what the exporter told before: its address, and the sampling interval where no
// sampler told it: that of the record, else that of its interface, else that of the domain.
func (p *Plan) finish(data []byte, r *flow.Record, c *Context) {
	if c.Domain != nil && c.Domain.address.IsValid() && !r.Has(flow.ExporterAddress) {
		r.SetAddress(flow.ExporterAddress, c.Domain.address.As16())
	}
	if c.sampler {
		return
	}
	rate := c.interval
	if rate == 0 && c.Domain != nil && len(c.Domain.ports) != 0 {
		rate = p.portRate(data, c)
	}
	if rate == 0 {
		rate = c.Domain.Rate()
	}
	if rate != 0 {
		r.SetNumber(flow.SamplingRate, rate)
	}
}

// portRate returns the interval of the record's input interface, else that of its output interface.
func (p *Plan) portRate(data []byte, c *Context) uint64 {
	for i := range p.ports {
		o := &p.ports[i]
		b := o.octets(o.at(data, c))
		if rate := rateOf(c.Domain.ports, number(b)); len(b) != 0 && rate != 0 {
			return rate
		}
	}
	return 0
}
