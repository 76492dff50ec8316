// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"io"
	"net/netip"
	"time"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode"
	"github.com/weirflow/weir/services/decode/internal/datagram"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// Flows are flows of one datagram, and its counters.
type Flows struct {
	Packet   int  // number in its capture, from 1
	First    int  // number in the datagram of the first flow, from 0
	Late     bool // their template came in a later datagram
	Batch    *flow.Batch
	Counters *flow.Counters // nil where there are none
}

// DefaultConfig returns the service's defaults, but for a tool that has one user: more of everything, and
// times of any age, for the clocks of what made a capture may differ.
func DefaultConfig() decode.Config {
	c := decode.DefaultConfig()
	c.MaxExporters, c.MaxStateBytes, c.IdleTimeout = 1<<16, 256<<20, 100*365*24*time.Hour
	c.MaxTemplates, c.MaxFields, c.MaxSamplers, c.MaxNames = 1<<12, template.MaxFields, 1<<14, 1<<16
	c.MaxRecords, c.MaxLayers, c.MaxNesting = 1<<14, 32, 16
	c.MaxAhead, c.MaxAge = 0, 0
	return c
}

// Decoder decodes captures one after the other; what exporters told in one is known in the next.
type Decoder struct {
	captures captures
	core     *datagram.Decoder
	held     held
	batch    flow.Batch
	counters flow.Counters
	tally    tally
}

// NewDecoder returns a decoder, by the settings of the service, of the datagrams to some UDP ports, or to
// any where there are none. It reads the mapping file.
func NewDecoder(cfg decode.Config, ports ...uint16) (*Decoder, error) {
	decoders, err := cfg.Decoders()
	if err != nil {
		return nil, err
	}
	d := &Decoder{captures: captures{ports: ports}, core: decoders()}
	d.core.Watch(d.held.add)
	d.core.Collect(&d.counters)
	return d, nil
}

// Read decodes a capture and calls put with the flows and counters of each datagram that has some, until
// put fails. The batches are valid during the call.
func (d *Decoder) Read(r io.Reader, put func(Flows) error) error {
	return d.captures.read(r, func(packet int, g *flow.Datagram) error { return d.decode(packet, g, put) })
}

// Datagram decodes a datagram that is not of a capture, as Read does those that are.
func (d *Decoder) Datagram(g *flow.Datagram, put func(Flows) error) error { return d.decode(0, g, put) }

// decode decodes a datagram, and then what waited for its templates.
func (d *Decoder) decode(packet int, g *flow.Datagram, put func(Flows) error) error {
	d.held.begin(packet, g)
	c := d.run(g)
	d.held.end(d.batch.Rows())
	d.tally.add(&c)
	if err := d.put(packet, put); err != nil {
		return err
	}
	if c.Templates != 0 {
		return d.release(g.Exporter, put)
	}
	return nil
}

// put hands over what a datagram has had.
func (d *Decoder) put(packet int, put func(Flows) error) error {
	f := Flows{Packet: packet, Batch: &d.batch}
	for t := range d.tally.counters {
		if n := d.counters.TableRows(flow.CounterTable(t)); n != 0 { //nolint:gosec // a few
			f.Counters = &d.counters
			d.tally.counters[t] += uint64(n)
		}
	}
	if d.batch.Rows() == 0 && f.Counters == nil {
		return nil
	}
	return put(f)
}

// run decodes one datagram into the batches.
func (d *Decoder) run(g *flow.Datagram) datagram.Counts {
	var in flow.Datagrams
	in.Append(g)
	d.batch.Reset()
	d.counters.Reset()
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
