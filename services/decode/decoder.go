// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"encoding/binary"
	"net/netip"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/ipfix"
	"github.com/weirflow/weir/services/decode/internal/netflow5"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/row"
	"github.com/weirflow/weir/services/decode/internal/sflow"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// decoder decodes the datagrams of one partition. It knows nothing of the bus. It is not
// safe for concurrent use.
type decoder struct {
	cfg       Config
	exporters map[netip.Addr]*template.Exporter
	// changed are the exporters with news since the last call of news.
	changed map[netip.Addr]*template.Exporter

	rows      row.Writer
	sflow     *sflow.Decoder
	netflow5  *netflow5.Decoder
	ipfix     *ipfix.Decoder
	datagrams [row.NumTypes]uint64
	gaps      map[netip.Addr]uint64
}

func newDecoder(cfg Config) *decoder {
	d := &decoder{
		cfg:       cfg,
		exporters: make(map[netip.Addr]*template.Exporter),
		changed:   make(map[netip.Addr]*template.Exporter),
		gaps:      make(map[netip.Addr]uint64),
	}
	d.rows.Limits = row.Limits{
		Records: cfg.MaxRecords,
		AheadNs: uint64(cfg.MaxAhead.Nanoseconds()), //nolint:gosec // not negative
		PastNs:  uint64(cfg.MaxAge.Nanoseconds()),   //nolint:gosec // not negative
	}
	d.sflow = sflow.New(&d.rows, cfg.MaxLayers)
	d.netflow5 = netflow5.New(&d.rows)
	d.ipfix = ipfix.New(&d.rows, cfg.MaxLayers)
	return d
}

// decode adds the flows of the datagrams to out.
func (d *decoder) decode(in *flow.Datagrams, out *flow.Batch) {
	for g := range in.All() {
		d.datagram(g, out)
	}
}

func (d *decoder) datagram(g *flow.Datagram, out *flow.Batch) {
	kind := kindOf(g.Payload)
	d.datagrams[kind]++
	d.rows.Begin(out, kind, g.Exporter, g.ReceivedNs)
	if kind == row.Unknown {
		d.rows.Refuse(refusal.VersionUnknown)
		return
	}
	x := d.exporter(g.Exporter)
	var gaps uint64
	switch kind {
	case row.SFlow5:
		gaps = d.sflow.Decode(x, g.Payload)
	case row.NetFlow1, row.NetFlow5, row.NetFlow7, row.NetFlow8:
		gaps = d.netflow5.Decode(x, g.Payload)
	default:
		if x == nil {
			d.rows.Refuse(refusal.ExporterLimit)
			return
		}
		gaps = d.ipfix.Decode(x, g.Payload)
		if x.Changed() {
			d.changed[g.Exporter] = x
		}
	}
	if gaps != 0 {
		d.gaps[g.Exporter] += gaps
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

// exporter returns what is known of an exporter, nil beyond the limit.
func (d *decoder) exporter(a netip.Addr) *template.Exporter {
	x, ok := d.exporters[a]
	if !ok && len(d.exporters) < d.cfg.MaxExporters {
		x = template.New(d.limits())
		d.exporters[a] = x
	}
	return x
}

func (d *decoder) limits() template.Limits {
	return template.Limits{
		Domains:   d.cfg.MaxDomains,
		Templates: d.cfg.MaxTemplates,
		Fields:    d.cfg.MaxFields,
		Samplers:  d.cfg.MaxSamplers,
	}
}
