// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"cmp"
	"net/netip"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/enrich/internal/rule"
	"github.com/weirflow/weir/services/enrich/internal/snmp"
)

// Texts of an observer, in the order of observerFields.
const (
	exporterNameText = iota
	exporterGroupText
	exporterRoleText
	exporterSiteText
	exporterRegionText
	exporterTenantText
	inNameText
	inDescriptionText
	inBoundaryText
	inConnectivityText
	inProviderText
	outNameText
	outDescriptionText
	outBoundaryText
	outConnectivityText
	outProviderText
	tenantText
	tagText
	numObserverTexts
)

func observerFields() [numObserverTexts]flow.Field {
	return [numObserverTexts]flow.Field{
		flow.ExporterName, flow.ExporterGroup, flow.ExporterRole, flow.ExporterSite, flow.ExporterRegion, flow.ExporterTenant,
		flow.InIfName, flow.InIfDescription, flow.InIfBoundary, flow.InIfConnectivity, flow.InIfProvider,
		flow.OutIfName, flow.OutIfDescription, flow.OutIfBoundary, flow.OutIfConnectivity, flow.OutIfProvider,
		flow.Tenant, flow.Tag,
	}
}

// observerKey is an exporter and two of its interfaces.
type observerKey struct {
	exporter [16]byte
	in, out  uint32
}

// observer is what is known of them.
type observer struct {
	exporter          rule.Exporter
	in, out           rule.Interface
	texts             [numObserverTexts]uint32 // numbers in the vocabularies
	inSpeed, outSpeed uint64
	quality           uint32
}

// maxObservers bounds the memory of observers and their texts: at more, all are forgotten.
const maxObservers = 1 << 16

// observers answers what is known of exporters and interfaces, for one generation of knowledge.
type observers struct {
	known        *knowledge
	devices      *devices
	version      uint64                  // of the devices that list was made from
	want         func(exporter [16]byte) // has it asked by SNMP; nil if that is not configured
	rules        *rule.Evaluator
	told         told
	list         []*observer
	ids          map[observerKey]uint32
	vocabularies [numObserverTexts]vocabulary
	columns      [numObserverTexts]textColumn
	hits, misses int

	// One value a row of the batch in hand.
	exporters [][16]byte
	ins, outs []uint32
	found     []uint32 // places in list
	rows      distinct // of found
	values    []uint64 // one for each that is present
}

func (o *observers) init(d *devices) {
	o.devices = d
	o.told = told{}
	for i, f := range observerFields() {
		o.columns[i] = textColumn{field: f, vocabulary: &o.vocabularies[i]}
	}
}

// reset forgets everything but what exporters told in flows.
func (o *observers) reset(k *knowledge) {
	o.known, o.rules = k, k.rules.NewEvaluator()
	o.forget()
	for i := range o.vocabularies {
		o.vocabularies[i].reset()
		o.columns[i].forget()
	}
}

// forget forgets who was asked for.
func (o *observers) forget() {
	o.list, o.ids = nil, map[observerKey]uint32{}
}

// observe finds the observers of the rows of a batch.
func (e *enricher) observe(in *flow.Batch) {
	o := &e.observers
	if !e.known.knowsExporters() && !e.library.cfg.Duplicates.by(byBoundary) {
		return
	}
	o.exporters = flow.AppendAddresses(o.exporters[:0], in, flow.SamplerAddress)
	o.ins = flow.AppendNumbers(o.ins[:0], in, flow.InIf)
	o.outs = flow.AppendNumbers(o.outs[:0], in, flow.OutIf)
	if o.told.learn(in, o.exporters, o.ins, o.outs) {
		o.forget()
	}
	if v := o.devices.version.Load(); v != o.version {
		o.version = v
		o.forget()
	}
	if len(o.list) > maxObservers {
		o.reset(e.known)
	}
	o.found = o.found[:0]
	var last observerKey
	var id uint32
	for i := range o.exporters {
		key := observerKey{o.exporters[i], o.ins[i], o.outs[i]}
		if i == 0 || key != last {
			id, last = o.find(key), key
		} else {
			o.hits++
		}
		o.found = append(o.found, id)
	}
	o.rows.gather(o.found, len(o.list))
	e.counts.observerHits += o.hits
	e.counts.observerMisses += o.misses
	e.counts.ruleErrors += o.rules.Errors
	o.hits, o.misses, o.rules.Errors = 0, 0, 0
}

func (o *observers) find(key observerKey) uint32 {
	id, ok := o.ids[key]
	if ok {
		o.hits++
		return id
	}
	o.misses++
	id = uint32(len(o.list)) //nolint:gosec // at most maxObservers and a batch
	o.list = append(o.list, o.ask(key))
	o.ids[key] = id
	return id
}

// ask puts together what is known, source by source, and applies the rules.
func (o *observers) ask(key observerKey) *observer {
	addr := netip.AddrFrom16(key.exporter).Unmap()
	if o.want != nil {
		o.want(key.exporter)
	}
	table := o.known.exporters.lookup(addr)
	device := o.devices.of(key.exporter)
	x := &observer{exporter: rule.Exporter{
		Address: addr.String(), Group: table.Group, Role: table.Role, Site: table.Site,
		Region: table.Region, Tenant: table.Tenant,
	}}
	for _, source := range o.known.nameSources {
		switch source {
		case namedByFlow:
			x.exporter.Name = cmp.Or(x.exporter.Name, o.told[toldKey{key.exporter, aboutExporter}].Name)
		case namedByTable:
			x.exporter.Name = cmp.Or(x.exporter.Name, table.Name)
		default:
			x.exporter.Name = cmp.Or(x.exporter.Name, device.Name)
		}
	}
	o.rules.Exporter(&x.exporter)
	x.in = o.ask1(key.exporter, key.in, &x.exporter, table, device)
	x.out = o.ask1(key.exporter, key.out, &x.exporter, table, device)
	x.inSpeed, x.outSpeed = x.in.Speed, x.out.Speed
	var marks rule.Marks
	if len(o.known.rules.Fields()) == 0 {
		marks = o.rules.Flow(&x.exporter, &x.in, &x.out, nil)
	}
	x.quality = o.quality(key, x)
	for i, text := range [numObserverTexts]string{
		x.exporter.Name, x.exporter.Group, x.exporter.Role, x.exporter.Site, x.exporter.Region, x.exporter.Tenant,
		x.in.Name, x.in.Description, x.in.Boundary, x.in.Connectivity, x.in.Provider,
		x.out.Name, x.out.Description, x.out.Boundary, x.out.Connectivity, x.out.Provider,
		marks.Tenant, marks.Tag,
	} {
		x.texts[i] = o.vocabularies[i].id(text)
	}
	return x
}

// ask1 does it for an interface. Index 0 is none (RFC 2863 section 3.1.5).
func (o *observers) ask1(exporter [16]byte, index uint32, x *rule.Exporter, table *exporterConfig, device *snmp.Device) rule.Interface {
	if index == 0 {
		return rule.Interface{}
	}
	static, asked, told := table.lookup(index), device.Interfaces[index], o.told[toldKey{exporter, index}]
	i := rule.Interface{
		Index: index, Boundary: static.Boundary, Connectivity: static.Connectivity, Provider: static.Provider,
	}
	for _, source := range o.known.nameSources {
		var n snmp.Interface
		switch source {
		case namedByFlow:
			n = told
		case namedByTable:
			n = snmp.Interface{Name: static.Name, Description: static.Description, Speed: static.Speed}
		default:
			n = asked
		}
		i.Name, i.Description, i.Speed = cmp.Or(i.Name, n.Name), cmp.Or(i.Description, n.Description), cmp.Or(i.Speed, n.Speed)
	}
	o.rules.Interface(x, &i)
	return i
}

// quality says what is missing, where names are configured.
func (o *observers) quality(key observerKey, x *observer) (bits uint32) {
	if !o.known.hasNames {
		return 0
	}
	if x.exporter.Name == "" {
		bits |= uint32(flow.ExporterUnknown)
	}
	if (key.in != 0 && x.in.Name == "") || (key.out != 0 && x.out.Name == "") {
		bits |= uint32(flow.InterfaceUnknown)
	}
	return bits
}

// clear takes the columns out of a batch that are written here.
func (o *observers) clear(in *flow.Batch) {
	if !o.known.knowsExporters() {
		return
	}
	for _, f := range observerFields() {
		in.Clear(f)
	}
	in.Clear(flow.InIfSpeed)
	in.Clear(flow.OutIfSpeed)
}

// putObservers writes what follows from exporter and interfaces.
func (e *enricher) putObservers(in, out *flow.Batch, row int) {
	o := &e.observers
	if !e.known.knowsExporters() {
		return
	}
	if len(e.known.rules.Fields()) > 0 {
		e.mark(in, out, row)
	}
	for n := range o.columns {
		c := &o.columns[n]
		c.begin(row == 0)
		if c.vocabulary.empty() {
			continue
		}
		e.putEach(out, c.field, row, func(x *observer) uint64 { return c.place(out, x.texts[n]) })
	}
	e.putEach(out, flow.InIfSpeed, row, func(x *observer) uint64 { return x.inSpeed })
	e.putEach(out, flow.OutIfSpeed, row, func(x *observer) uint64 { return x.outSpeed })
	for i, id := range o.found {
		e.quality[i] |= o.list[id].quality
	}
}

// putEach writes a value of the observer of each row. It is asked for once, as most rows of a
// batch have few observers.
func (e *enricher) putEach(out *flow.Batch, f flow.Field, row int, value func(*observer) uint64) {
	o := &e.observers
	o.values = o.values[:0]
	var all uint64
	for _, x := range o.rows.present {
		v := value(o.list[x])
		all |= v
		o.values = append(o.values, v)
	}
	if all == 0 {
		return
	}
	e.values = o.rows.spread(e.values[:0], o.values)
	out.PutNumbers(f, row, e.values)
}

// mark applies the rules that read fields of flows, to each.
func (e *enricher) mark(in, out *flow.Batch, row int) {
	o := &e.observers
	for i, id := range o.found {
		x := o.list[id]
		marks := o.rules.Flow(&x.exporter, &x.in, &x.out, func(f flow.Field) any {
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
