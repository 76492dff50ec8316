// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"cmp"
	"encoding/binary"
	"net/netip"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/enrich/internal/rule"
	"github.com/weirflow/weir/services/enrich/internal/snmp"
)

// observerKey is an exporter and two of its interfaces.
type observerKey struct {
	exporter [16]byte
	in, out  uint32
}

// observer is who has seen a flow.
type observer struct {
	exporter, in, out uint32 // numbers
	quality           uint32 // bits that say what is missing
}

// maxObservers bounds the memory of observers: at more, all are forgotten.
const maxObservers = 1 << 16

// observers answers what is known of exporters and interfaces, for one generation of knowledge. Each
// exporter, interface and observer is put together once, with the rules, and has a number from then on.
type observers struct {
	known   *knowledge
	devices *devices
	version uint64                  // of the devices that were asked
	want    func(exporter [16]byte) // has it asked by SNMP; nil if that is not configured
	rules   *rule.Evaluator
	told    told
	misses  int

	exporterIDs  map[[16]byte]uint32
	interfaceIDs map[toldKey]uint32
	ids          map[observerKey]uint32
	recent       [1 << 10]struct {
		key observerKey
		id  uint32 // 0 is none
	}
	exporters  []rule.Exporter
	interfaces []rule.Interface // [0] is none
	list       []observer       // [0] is none

	exporterTexts, interfaceTexts, marks things

	// What the rows of the batch in hand refer to.
	exporterAddrs          [][16]byte
	inIfs, outIfs          []uint32
	keys                   []observerKey
	all, exporter, in, out view
}

func (o *observers) init(d *devices) {
	o.devices, o.told = d, told{}
	o.exporterTexts, o.interfaceTexts, o.marks = newThings(6), newThings(5), newThings(2)
	o.all = newView(&o.marks, flow.Tenant, flow.Tag)
	o.exporter = newView(&o.exporterTexts, flow.ExporterName, flow.ExporterGroup, flow.ExporterRole,
		flow.ExporterSite, flow.ExporterRegion, flow.ExporterTenant)
	o.in = newView(&o.interfaceTexts, flow.InIfName, flow.InIfDescription, flow.InIfBoundary, flow.InIfConnectivity, flow.InIfProvider)
	o.out = newView(&o.interfaceTexts, flow.OutIfName, flow.OutIfDescription, flow.OutIfBoundary, flow.OutIfConnectivity, flow.OutIfProvider)
}

// each calls do with every column of text.
func (o *observers) each(do func(*textColumn)) {
	for _, v := range []*view{&o.all, &o.exporter, &o.in, &o.out} {
		v.each(do)
	}
}

// use goes on with another generation.
func (o *observers) use(k *knowledge) {
	o.known, o.rules = k, k.rules.NewEvaluator()
	o.reset()
}

// reset forgets everything but what exporters told in flows.
func (o *observers) reset() {
	o.exporterIDs, o.interfaceIDs, o.ids = map[[16]byte]uint32{}, map[toldKey]uint32{}, map[observerKey]uint32{}
	clear(o.recent[:])
	o.exporterTexts.reset()
	o.interfaceTexts.reset()
	o.marks.reset()
	o.each((*textColumn).forget)
	o.exporters, o.interfaces, o.list = nil, nil, nil
	o.addInterface(rule.Interface{})
	o.add(observer{}, rule.Marks{})
}

func (o *observers) full() bool { return len(o.list)+len(o.interfaces) > maxObservers }

// find returns the number of an observer.
func (o *observers) find(key *observerKey) uint32 {
	h := binary.LittleEndian.Uint64(key.exporter[8:]) ^ uint64(key.in)<<32 ^ uint64(key.out)
	recent := &o.recent[h*0x9e3779b97f4a7c15>>54]
	if recent.id != 0 && recent.key == *key {
		return recent.id
	}
	id, ok := o.ids[*key]
	if !ok {
		o.misses++
		id = o.ask(key)
		o.ids[*key] = id
	}
	recent.key, recent.id = *key, id
	return id
}

// ask puts an observer together.
func (o *observers) ask(key *observerKey) uint32 {
	exporter, ok := o.exporterIDs[key.exporter]
	if !ok {
		exporter = o.askExporter(key.exporter)
		o.exporterIDs[key.exporter] = exporter
	}
	x := observer{exporter: exporter, in: o.interfaceOf(key.exporter, exporter, key.in), out: o.interfaceOf(key.exporter, exporter, key.out)}
	e, in, out := &o.exporters[exporter], &o.interfaces[x.in], &o.interfaces[x.out]
	if o.known.hasNames {
		if e.Name == "" {
			x.quality |= uint32(flow.ExporterUnknown)
		}
		if (key.in != 0 && in.Name == "") || (key.out != 0 && out.Name == "") {
			x.quality |= uint32(flow.InterfaceUnknown)
		}
	}
	var marks rule.Marks
	if len(o.known.rules.Fields()) == 0 {
		marks = o.rules.Flow(e, in, out, nil)
	}
	return o.add(x, marks)
}

func (o *observers) add(x observer, marks rule.Marks) uint32 {
	o.list = append(o.list, x)
	return o.marks.add(marks.Tenant, marks.Tag)
}

// askExporter puts together what is known of an exporter, source by source, and applies the rules.
func (o *observers) askExporter(exporter [16]byte) uint32 {
	if o.want != nil {
		o.want(exporter)
	}
	addr := netip.AddrFrom16(exporter).Unmap()
	table, device := o.known.exporters.lookup(addr), o.devices.of(exporter)
	x := rule.Exporter{
		Address: addr.String(), Group: table.Group, Role: table.Role, Site: table.Site, Region: table.Region, Tenant: table.Tenant,
	}
	for _, source := range o.known.nameSources {
		switch source {
		case namedByFlow:
			x.Name = cmp.Or(x.Name, o.told[toldKey{exporter, aboutExporter}].Name)
		case namedByTable:
			x.Name = cmp.Or(x.Name, table.Name)
		default:
			x.Name = cmp.Or(x.Name, device.Name)
		}
	}
	o.rules.Exporter(&x)
	o.exporters = append(o.exporters, x)
	return o.exporterTexts.add(x.Name, x.Group, x.Role, x.Site, x.Region, x.Tenant)
}

// interfaceOf returns the number of an interface. Index 0 is none (RFC 2863 section 3.1.5).
func (o *observers) interfaceOf(addr [16]byte, exporter, index uint32) uint32 {
	if index == 0 {
		return 0
	}
	key := toldKey{addr, index}
	id, ok := o.interfaceIDs[key]
	if !ok {
		id = o.askInterface(key, &o.exporters[exporter])
		o.interfaceIDs[key] = id
	}
	return id
}

// askInterface does for an interface what askExporter does.
func (o *observers) askInterface(key toldKey, x *rule.Exporter) uint32 {
	static := o.known.exporters.lookup(netip.AddrFrom16(key.exporter).Unmap()).lookup(key.index)
	i := rule.Interface{
		Index: key.index, Boundary: static.Boundary, Connectivity: static.Connectivity, Provider: static.Provider,
	}
	for _, source := range o.known.nameSources {
		var n snmp.Interface
		switch source {
		case namedByFlow:
			n = o.told[key]
		case namedByTable:
			n = snmp.Interface{Name: static.Name, Description: static.Description, Speed: static.Speed}
		default:
			n = o.devices.of(key.exporter).Interfaces[key.index]
		}
		i.Name, i.Description, i.Speed = cmp.Or(i.Name, n.Name), cmp.Or(i.Description, n.Description), cmp.Or(i.Speed, n.Speed)
	}
	o.rules.Interface(x, &i)
	return o.addInterface(i)
}

func (o *observers) addInterface(i rule.Interface) uint32 {
	o.interfaces = append(o.interfaces, i)
	return o.interfaceTexts.add(i.Name, i.Description, i.Boundary, i.Connectivity, i.Provider)
}
