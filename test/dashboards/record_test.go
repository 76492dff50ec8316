// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"fmt"
	"net/netip"

	"github.com/weirflow/weir/flow"
)

// batchOf is the message that enrich would send of flows.
func batchOf(flows []demoFlow) *flow.Batch {
	var b flow.Batch
	for i := range flows {
		var r flow.Record
		f := &flows[i]
		f.numbers(&r)
		f.addresses(&r)
		f.texts(&b, &r)
		if f.exporter.kind == 4 {
			for _, as := range []uint32{64499, f.src.as, 64498, f.dst.as} {
				r.AddNumber(flow.ASPath, uint64(as))
			}
		}
		b.Append(&r)
	}
	return &b
}

func (f *demoFlow) numbers(r *flow.Record) {
	for field, v := range map[flow.Field]uint64{
		flow.Type: f.exporter.kind, flow.SamplingRate: f.exporter.sampling, flow.Quality: f.quality(), flow.Duplicate: uint64(f.duplicate),
		flow.TimeReceivedNs: uint64(f.receipt().UnixNano()), flow.TimeFlowStartNs: uint64(f.start.UnixNano()), flow.TimeFlowEndNs: uint64(f.end.UnixNano()),
		flow.Bytes: f.bytes, flow.Packets: f.packets, flow.EType: uint64(f.etype()), flow.Proto: uint64(f.proto),
		flow.SrcPort: uint64(f.srcPort), flow.DstPort: uint64(f.dstPort), flow.InIf: uint64(f.inIf), flow.OutIf: uint64(f.outIf),
		flow.SrcAS: uint64(f.src.as), flow.DstAS: uint64(f.dst.as), flow.SrcOriginAS: uint64(f.src.as), flow.DstOriginAS: uint64(f.dst.as),
		flow.SrcPeerAS: 64499, flow.DstPeerAS: 64498, flow.ForwardingStatus: uint64(f.forwarding), flow.DropReason: uint64(f.dropReason), flow.DroppedBytes: f.lostBytes,
		flow.NATEvent: uint64(f.natEvent), flow.FirewallEvent: uint64(f.firewall),
	} {
		if v != 0 {
			r.SetNumber(field, v)
		}
	}
	if f.natEvent != 0 {
		r.SetNumber(flow.PostNATSrcPort, uint64(f.srcPort)+1)
		r.SetNumber(flow.PostNATDstPort, uint64(f.dstPort))
	}
	if f.exporter.name != "" {
		r.SetNumber(flow.InIfSpeed, interfaceSpeed)
		r.SetNumber(flow.OutIfSpeed, interfaceSpeed)
	}
}

// interfaceSpeed of all interfaces that are known, bit/s.
const interfaceSpeed = 10_000_000_000

func (f *demoFlow) addresses(r *flow.Record) {
	r.SetAddress(flow.SrcAddr, f.src.addr.As16())
	r.SetAddress(flow.DstAddr, f.dst.addr.As16())
	r.SetAddress(flow.SamplerAddress, f.exporter.addr.As16())
	if f.natEvent != 0 {
		r.SetAddress(flow.PostNATSrcAddr, netip.MustParseAddr("198.51.100.7").As16())
		r.SetAddress(flow.PostNATDstAddr, f.dst.addr.As16())
	}
}

func (f *demoFlow) texts(b *flow.Batch, r *flow.Record) {
	texts := map[flow.Field]string{
		flow.SrcCountry: f.src.country, flow.DstCountry: f.dst.country, flow.SrcCity: f.src.city, flow.DstCity: f.dst.city,
		flow.SrcASName: f.src.asName, flow.DstASName: f.dst.asName, flow.SrcNetName: f.src.network, flow.DstNetName: f.dst.network,
		flow.SrcNetRole: f.src.role, flow.DstNetRole: f.dst.role,
	}
	if e := f.exporter; e.name != "" {
		texts[flow.ExporterName], texts[flow.ExporterSite], texts[flow.ExporterTenant], texts[flow.ExporterRegion] = e.name, e.site, e.tenant, e.region
		texts[flow.InIfName], texts[flow.OutIfName] = fmt.Sprintf("xe-0/0/%d", f.inIf), fmt.Sprintf("xe-0/0/%d", f.outIf)
		texts[flow.InIfDescription], texts[flow.OutIfDescription] = "uplink", "customers"
		texts[flow.InIfBoundary], texts[flow.OutIfBoundary] = "external", "internal"
	}
	for field, text := range texts {
		if text != "" {
			r.SetNumber(field, b.Intern(field, text))
		}
	}
}
