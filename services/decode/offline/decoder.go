// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"errors"
	"io"
	"math"
	"net/netip"
	"slices"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/capture"
	"github.com/weirflow/weir/services/decode/internal/datagram"
	"github.com/weirflow/weir/services/decode/internal/row"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// Flows are flows of one datagram.
type Flows struct {
	Packet int  // number in its capture, from 1
	First  int  // number in the datagram of the first flow, from 0
	Late   bool // their template came in a later datagram
	Batch  *flow.Batch
}

// Decoder decodes captures one after the other; what exporters told in one is known in the next.
type Decoder struct {
	ports   []uint16
	core    *datagram.Decoder
	packets capture.Assembler
	held    held
	batch   flow.Batch
	tally   tally
}

// limits are those of a tool that has one user: more exporters than the service's, and times of
// any age, for captures may be old.
func limits() datagram.Limits {
	return datagram.Limits{
		Exporters: 1 << 16,
		IdleNs:    math.MaxUint64,
		Layers:    32,
		Nesting:   16,
		State:     256 << 20,
		Rows:      row.Limits{Records: 1 << 14},
		Templates: template.Limits{Domains: 256, Templates: 1 << 12, Fields: template.MaxFields, Samplers: 1 << 14, Names: 1 << 16},
	}
}

// NewDecoder returns a decoder of the datagrams to some UDP ports, or to any where there are none.
func NewDecoder(ports ...uint16) *Decoder {
	d := &Decoder{ports: ports, core: datagram.New(limits())}
	d.core.Watch(d.held.add)
	return d
}

// Read decodes a capture and calls put with the flows of each datagram that has some, until put
// fails. The batch is valid during the call.
func (d *Decoder) Read(r io.Reader, put func(Flows) error) error {
	return d.datagrams(r, func(packet int, g *flow.Datagram) error { return d.decode(packet, g, put) })
}

// datagrams calls f with the datagrams of a capture to the wanted ports.
func (d *Decoder) datagrams(r io.Reader, f func(packet int, g *flow.Datagram) error) error {
	file, err := capture.NewReader(r)
	if err != nil {
		return err
	}
	for {
		p, err := file.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		d.tally.packets++
		udp, outcome := d.packets.Datagram(p)
		d.tally.outcomes[outcome]++
		if outcome != capture.Whole && outcome != capture.Cut {
			continue
		}
		if len(d.ports) != 0 && !slices.Contains(d.ports, udp.Destination.Port()) {
			d.tally.otherPorts++
			continue
		}
		g := &flow.Datagram{
			Exporter: flow.ExporterOf(udp.Source.Addr(), udp.Payload), Source: udp.Source,
			ListenerPort: udp.Destination.Port(), ReceivedNs: p.Ns, Payload: udp.Payload,
		}
		if err := f(p.Number, g); err != nil {
			return err
		}
	}
}

// decode decodes a datagram, and then what waited for its templates.
func (d *Decoder) decode(packet int, g *flow.Datagram, put func(Flows) error) error {
	d.held.begin(packet, g)
	c := d.run(g)
	d.held.end(d.batch.Rows())
	d.tally.add(&c)
	if d.batch.Rows() != 0 {
		if err := put(Flows{Packet: packet, Batch: &d.batch}); err != nil {
			return err
		}
	}
	if c.Templates != 0 {
		return d.release(g.Exporter, put)
	}
	return nil
}

// run decodes one datagram into the batch.
func (d *Decoder) run(g *flow.Datagram) datagram.Counts {
	var in flow.Datagrams
	in.Append(g)
	d.batch.Reset()
	d.core.Decode(&in, &d.batch)
	return d.core.Take()
}

// release decodes the sets of an exporter whose templates are known by now, in their order.
func (d *Decoder) release(exporter netip.Addr, put func(Flows) error) error {
	known := func(k key) bool { return d.core.Knows(exporter, k.version, k.domain, k.id) }
	for _, s := range d.held.take(exporter, known) {
		c := d.run(s.datagram())
		d.tally.release(&c)
		rows := d.batch.Rows()
		if rows == 0 {
			continue
		}
		first := s.packet.rows
		s.packet.rows += rows
		if err := put(Flows{Packet: s.packet.number, First: first, Late: true, Batch: &d.batch}); err != nil {
			return err
		}
	}
	return nil
}
