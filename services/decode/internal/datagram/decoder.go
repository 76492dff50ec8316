// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"encoding/binary"
	"net/netip"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/health"
	"github.com/weirflow/weir/services/decode/internal/held"
	"github.com/weirflow/weir/services/decode/internal/ipfix"
	"github.com/weirflow/weir/services/decode/internal/netflow5"
	"github.com/weirflow/weir/services/decode/internal/packet"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/row"
	"github.com/weirflow/weir/services/decode/internal/sflow"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// Limits bound what exporters can make a Decoder keep and do.
type Limits struct {
	Exporters int           // whose state is kept
	IdleNs    uint64        // without datagrams, after which an exporter gives way to others
	Layers    int           // headers that are read of a sampled packet
	Nesting   int           // lists in lists (RFC 6313)
	Bits      []packet.Bits // of packets that are taken beside the table
	State     int           // octets that the state of all exporters may take, about
	Rows      row.Limits
	Templates template.Limits
}

// SamplingRule says the sampling interval of some exporters.
type SamplingRule struct {
	Exporters netip.Prefix
	row.Sampling
}

// Counts are what a Decoder has seen.
type Counts struct {
	Datagrams [row.NumTypes]uint64
	Flows     [row.NumTypes]uint64
	Refused   refusal.Counts
	Templates uint64                   // that were new or changed
	Health    []flow.Health            // what came of exporters' domains
	Held      [held.NumOutcomes]uint64 // sets without a template
}

// Decoder decodes the datagrams of one partition. It is not safe for concurrent use.
type Decoder struct {
	limits    Limits
	rules     []SamplingRule
	budget    *template.Budget
	exporters map[netip.Addr]*exporter
	// forgetNs is when to look for idle exporters again.
	forgetNs uint64
	// changed are the exporters that told something since Save.
	changed map[netip.Addr]*template.Exporter

	rows      row.Writer
	sflow     *sflow.Decoder
	netflow5  *netflow5.Decoder
	ipfix     *ipfix.Decoder
	datagrams [row.NumTypes]uint64
	held      *holder        // nil holds nothing
	strangers health.Account // of exporters that are not kept
}

// New returns a decoder that knows no exporter. The first rule that fits an exporter counts.
func New(limits Limits, rules ...SamplingRule) *Decoder {
	d := &Decoder{
		limits:    limits,
		rules:     rules,
		budget:    &template.Budget{Left: limits.State},
		exporters: make(map[netip.Addr]*exporter),
		changed:   make(map[netip.Addr]*template.Exporter),
		rows:      row.Writer{Limits: limits.Rows},
	}
	packets := packet.Limits{Layers: limits.Layers, Bits: limits.Bits}
	d.sflow = sflow.New(&d.rows, packets)
	d.netflow5 = netflow5.New(&d.rows)
	d.ipfix = ipfix.New(&d.rows, packets, limits.Nesting)
	return d
}

// Decode adds the flows of the datagrams to out.
func (d *Decoder) Decode(in *flow.Datagrams, out *flow.Batch) {
	for g := range in.All() {
		d.decode(g, out)
	}
	if d.held != nil {
		d.release(out)
	}
	d.rows.Book.Close()
}

func (d *Decoder) decode(g *flow.Datagram, out *flow.Batch) {
	kind := kindOf(g.Payload)
	if kind == row.Unknown && d.follows(g) {
		return
	}
	d.datagrams[kind]++
	if kind == row.Unknown {
		d.rows.Begin(out, kind, g, row.Sampling{})
		d.rows.Refuse(unknown(g.Payload))
		d.finish(d.known(g.Exporter), g)
		return
	}
	if d.held != nil {
		d.held.current = g
	}
	x := d.exporter(g)
	d.rows.Begin(out, kind, g, d.sampling(g.Exporter))
	d.dispatch(kind, x, g.Payload)
	d.rows.End()
	d.finish(x, g)
	if x != nil && x.Changed() {
		d.changed[g.Exporter] = x
	}
}

// finish accounts for what of a datagram belongs to no domain.
func (d *Decoder) finish(x *template.Exporter, g *flow.Datagram) {
	account := &d.strangers
	if x != nil {
		account = &x.Account
	}
	d.rows.Finish(account, len(g.Payload), x == nil)
}

// sampling returns what the rules say of an exporter.
func (d *Decoder) sampling(exporter netip.Addr) row.Sampling {
	for _, r := range d.rules {
		if r.Exporters.Contains(exporter) {
			return r.Sampling
		}
	}
	return row.Sampling{}
}

// dispatch decodes a datagram of a kind.
func (d *Decoder) dispatch(kind row.Type, x *template.Exporter, p []byte) {
	switch kind {
	case row.SFlow5:
		d.sflow.Decode(x, p)
	case row.NetFlow9, row.IPFIX:
		if x == nil {
			d.rows.Refuse(refusal.ExporterLimit)
			return
		}
		d.ipfix.Decode(x, p)
	default:
		d.netflow5.Decode(x, p)
	}
}

// kindOf tells the protocol by the version words: sFlow has 32 bits, the others 16.
func kindOf(p []byte) row.Type {
	if len(p) < 4 {
		return row.Unknown
	}
	switch binary.BigEndian.Uint16(p) {
	case 0:
		if binary.BigEndian.Uint16(p[2:]) == sflow.Version {
			return row.SFlow5
		}
	case 1:
		return row.NetFlow1
	case 5:
		return row.NetFlow5
	case 7:
		return row.NetFlow7
	case 8:
		return row.NetFlow8
	case 9:
		return row.NetFlow9
	case 10:
		return row.IPFIX
	}
	return row.Unknown
}

// unknown says why a datagram is of no kind: sFlow 2 and 4 begin as 5 does, with another number and
// the type of an address.
func unknown(p []byte) refusal.Reason {
	if len(p) >= 8 {
		version, address := binary.BigEndian.Uint32(p), binary.BigEndian.Uint32(p[4:])
		if (version == 2 || version == 4) && (address == 1 || address == 2) {
			return refusal.SFlowVersion
		}
	}
	return refusal.VersionUnknown
}

// Take returns the counts since the last call. What is in Health is valid until the next Decode.
func (d *Decoder) Take() Counts {
	c := Counts{Datagrams: d.datagrams, Flows: d.rows.Flows, Refused: d.rows.Refused, Templates: d.ipfix.Learned, Health: d.rows.Book.Told}
	d.datagrams, d.ipfix.Learned = [row.NumTypes]uint64{}, 0
	d.rows.Forget()
	if d.held != nil {
		c.Held, d.held.counts = d.held.counts, [held.NumOutcomes]uint64{}
	}
	d.rows.Book.Told = d.rows.Book.Told[:0]
	return c
}
