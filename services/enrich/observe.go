// SPDX-License-Identifier: Apache-2.0

package enrich

import "github.com/weirflow/weir/flow"

// observe finds the observers of the rows of a batch.
func (e *enricher) observe(in *flow.Batch) {
	o := &e.observers
	if !e.known.knowsExporters() && !e.library.cfg.Duplicates.by(byBoundary) {
		return
	}
	o.read(in)
	news := o.told.learn(in, o.keys)
	if v := o.devices.version.Load(); v != o.version {
		o.version, news = v, true
	}
	if news || o.full() {
		o.reset()
	}
	all, exporters, ins, outs := o.all.ids[:0], o.exporter.ids[:0], o.in.ids[:0], o.out.ids[:0]
	for i := range o.keys {
		id := o.find(&o.keys[i])
		x := &o.list[id]
		all, exporters, ins, outs = append(all, id), append(exporters, x.exporter), append(ins, x.in), append(outs, x.out)
		e.quality[i] |= x.quality
	}
	o.all.ids, o.exporter.ids, o.in.ids, o.out.ids = all, exporters, ins, outs
	e.counts.observerMisses += o.misses
	e.counts.observerHits += len(o.keys) - o.misses
	e.counts.ruleErrors += o.rules.Errors
	o.misses, o.rules.Errors = 0, 0
}

// read takes exporters and interfaces from a batch.
func (o *observers) read(in *flow.Batch) {
	o.exporterAddrs = flow.AppendAddresses(o.exporterAddrs[:0], in, flow.SamplerAddress)
	o.inIfs = flow.AppendNumbers(o.inIfs[:0], in, flow.InIf)
	o.outIfs = flow.AppendNumbers(o.outIfs[:0], in, flow.OutIf)
	o.keys = o.keys[:0]
	for i, exporter := range o.exporterAddrs {
		o.keys = append(o.keys, observerKey{exporter, o.inIfs[i], o.outIfs[i]})
	}
}

// inside tells that no interface leads out of the network, and at least one is known to.
func (o *observers) inside(row int) bool {
	x := &o.list[o.all.ids[row]]
	in, out := o.interfaces[x.in].Boundary, o.interfaces[x.out].Boundary
	return in != "external" && out != "external" && in+out != ""
}

// putObservers writes what follows from exporter and interfaces.
func (e *enricher) putObservers(in, out *flow.Batch, row int) {
	o := &e.observers
	if !e.known.knowsExporters() {
		return
	}
	speed := func(id uint32) uint64 { return o.interfaces[id].Speed }
	o.exporter.put(out, row)
	o.in.put(out, row)
	o.in.putNumbers(out, flow.InIfSpeed, row, speed)
	o.out.put(out, row)
	o.out.putNumbers(out, flow.OutIfSpeed, row, speed)
	if len(e.known.rules.Fields()) > 0 {
		e.mark(in, out, row)
	} else if !o.all.empty() {
		o.all.put(out, row)
	}
}

// mark applies the rules that read fields of flows, to each.
func (e *enricher) mark(in, out *flow.Batch, row int) {
	o := &e.observers
	for i, id := range o.all.ids {
		x := o.list[id]
		marks := o.rules.Flow(&o.exporters[x.exporter], &o.interfaces[x.in], &o.interfaces[x.out], func(f flow.Field) any {
			b, at := in, i
			if !in.Has(f) {
				b, at = out, row+i // written here
			}
			switch f.Info().Kind {
			case flow.Text:
				return b.Text(f, at)
			case flow.Address:
				return b.Address(f, at).Unmap().String()
			default:
				return int(b.Number(f, at)) //nolint:gosec // as expressions count
			}
		})
		if marks.Tenant != "" {
			out.PutNumber(flow.Tenant, row+i, out.Intern(flow.Tenant, marks.Tenant))
		}
		if marks.Tag != "" {
			out.PutNumber(flow.Tag, row+i, out.Intern(flow.Tag, marks.Tag))
		}
	}
}
