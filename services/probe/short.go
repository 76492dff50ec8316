// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"github.com/weirflow/weir/services/probe/internal/element"
	"github.com/weirflow/weir/services/probe/internal/meter"
	"github.com/weirflow/weir/services/probe/internal/model"
)

// short makes the plan of the plain settings: one selection process, one cache.
func (c Config) short() model.Plan {
	version := versions[c.Protocol]
	point := model.Point{
		Name: "probe", Domain: c.Domain, Interfaces: c.Interfaces, Direction: model.Both,
		Promiscuous: c.Promiscuous, SnapLength: c.SnapLength, Filter: c.Filter, Processes: []int{0},
	}
	plan := model.Plan{Points: []model.Point{point}}
	if len(c.Files) > 0 {
		plan.Points = nil
		for _, file := range c.Files {
			point.File = file
			plan.Points = append(plan.Points, point)
		}
	}
	var all []int
	for i, to := range c.To {
		d := model.Destination{
			Name: to, Transport: model.Transport(c.Transport), Address: to, Version: version, MaxPacket: c.MaxPacket,
		}
		if d.Transport == model.UDP {
			d.Refresh = c.Refresh
		}
		plan.Destinations = append(plan.Destinations, d)
		all = append(all, i)
	}
	process := model.Process{Name: "all", Cache: -1, Selectors: []meter.Selector{{Method: meter.All}}}
	if c.SampleOneIn > 1 {
		process.Selectors[0] = meter.Selector{Method: meter.RandomOfN, Size: 1, Population: uint32(c.SampleOneIn)}
	}
	if version == 0 {
		process.Samples = all
	} else {
		process.Cache = 0
		cache := meter.Config{
			Kind: meter.Timeout, MaxFlows: c.MaxFlows, Active: c.ActiveTimeout, Idle: c.IdleTimeout,
			Biflow: c.Biflow, Layout: layout(version, c.Biflow),
		}
		if c.Protocol == psamp {
			cache = meter.Config{Kind: meter.Immediate, Layout: fieldsOf(324, 10, 61, 312, 315)}
		}
		plan.Caches = []model.Cache{{Name: "flows", Destinations: all, Config: cache}}
	}
	plan.Processes = []model.Process{process}
	return plan
}

// fieldsOf is a layout without keys.
func fieldsOf(ids ...uint16) (fields []meter.Field) {
	for _, id := range ids {
		e, _ := element.ByID(id)
		fields = append(fields, meter.Field{Element: e, Octets: e.Length})
	}
	return fields
}

// layout is that of most collectors' liking: the usual seven keys, counters and times.
func layout(version uint16, biflow bool) []meter.Field {
	var fields []meter.Field
	add := func(key, reverse bool, ids ...uint16) {
		for _, id := range ids {
			e, _ := element.ByID(id)
			fields = append(fields, meter.Field{Element: e, Octets: e.Length, Key: key, Reverse: reverse})
		}
	}
	add(true, false, 8, 12, 27, 28, 7, 11, 4, 5, 58, 10)
	add(!biflow, false, 32, 139) // the answer to a message of ICMP has another type
	add(false, false, 60, 61, 2, 1)
	if version == 10 {
		add(false, false, 152, 153, 6, 136)
	} else {
		add(false, false, 22, 21, 6)
		fields[len(fields)-1].Octets = 1 // RFC 3954 section 8
	}
	if biflow {
		add(false, true, 2, 1, 152, 153, 6)
		add(false, false, 239)
	}
	return fields
}
