// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"slices"
	"time"

	"github.com/weirflow/weir/services/probe/internal/element"
	"github.com/weirflow/weir/services/probe/internal/meter"
)

// caches returns the index of each.
func (p *parser) caches(targets map[string][]int) map[string]int {
	all := map[string]int{}
	for _, c := range p.doc.Cache {
		where := fmt.Sprintf("cache %q", c.Name)
		out := Cache{Name: c.Name}
		for _, name := range c.ExportingProcess {
			if _, ok := targets[name]; !ok {
				p.wrong("%s: there is no exportingProcess %q", where, name)
			}
			out.Destinations = append(out.Destinations, targets[name]...)
		}
		slices.Sort(out.Destinations)
		out.Destinations = slices.Compact(out.Destinations)
		out.Config = p.cache(where, c)
		for _, i := range out.Destinations {
			switch version := p.plan.Destinations[i].Version; {
			case version == 10:
			case out.Config.Biflow:
				p.wrong("%s: reverse elements (RFC 5103) need IPFIX, and a destination has NetFlow v%d", where, version)
			case meter.Section(out.Config.Layout) >= 0:
				p.wrong("%s: sections of packets need IPFIX, and a destination has NetFlow v%d", where, version)
			}
		}
		unique(p, all, "cache", c.Name, len(p.plan.Caches))
		p.plan.Caches = append(p.plan.Caches, out)
	}
	return all
}

func (p *parser) cache(where string, c cache) meter.Config {
	var found *flowCache
	kinds := 0
	cfg := meter.Config{MaxFlows: DefaultMaxFlows}
	for kind, fc := range []*flowCache{c.ImmediateCache, c.TimeoutCache, c.NaturalCache, c.PermanentCache} {
		if fc != nil {
			cfg.Kind, found = meter.Kind(kind), fc
			kinds++
		}
	}
	if kinds != 1 {
		p.wrong("%s: want one of immediateCache, timeoutCache, naturalCache and permanentCache", where)
		return cfg
	}
	if found.MaxFlows != nil {
		cfg.MaxFlows = int(*found.MaxFlows)
		p.within(where, "maxFlows", float64(*found.MaxFlows), 1, maxFlows)
	}
	timed, permanent := cfg.Kind == meter.Timeout || cfg.Kind == meter.Natural, cfg.Kind == meter.Permanent
	cfg.Active = p.time(where, "activeTimeout", found.ActiveTimeout, timed, DefaultActive)
	cfg.Idle = p.time(where, "idleTimeout", found.IdleTimeout, timed, DefaultIdle)
	cfg.Interval = p.time(where, "exportInterval", found.ExportInterval, permanent, DefaultInterval)
	p.layout(where, found.CacheLayout.CacheField, &cfg)
	return cfg
}

// maxFlows keeps the indexes of flows within 31 bits.
const maxFlows = 1 << 28

// time reads a timeout that only some caches have.
func (p *parser) time(where, name string, n *number, has bool, otherwise time.Duration) time.Duration {
	switch {
	case !has && n != nil:
		p.wrong("%s: %s is not for this kind of cache", where, name)
		return 0
	case !has:
		return 0
	case n == nil:
		return otherwise
	}
	return seconds(*n)
}

// reversePEN marks a reverse element (RFC 5103).
const reversePEN = 29305

func (p *parser) layout(where string, fields []cacheField, cfg *meter.Config) {
	seen := map[string]bool{}
	keys, sections := 0, 0
	for _, f := range fields {
		where := fmt.Sprintf("%s: cacheField %q", where, f.Name)
		unique(p, seen, "cacheField", f.Name, true)
		field, err := readField(f)
		if err != nil {
			p.wrong("%s: %w", where, err)
			continue
		}
		if field.Key {
			keys++
		}
		if field.Length == element.Variable {
			sections++
		}
		cfg.Biflow = cfg.Biflow || field.Reverse
		cfg.Layout = append(cfg.Layout, field)
	}
	switch {
	case sections > 0 && cfg.Kind != meter.Immediate || sections > 1:
		p.wrong("%s: a section of a packet is for an immediateCache, one in each", where)
	case len(fields) == 0:
		p.wrong("%s: cacheLayout has no cacheField", where)
	case cfg.Kind == meter.Immediate && keys > 0:
		p.wrong("%s: isFlowKey is not for an immediateCache: each packet is a record", where)
	case cfg.Kind != meter.Immediate && keys == 0:
		p.wrong("%s: no cacheField is a flow key", where)
	}
}

func readField(f cacheField) (meter.Field, error) {
	e, err := find(f.IEName, f.IEID)
	if err != nil {
		return meter.Field{}, err
	}
	out := meter.Field{Element: e, Octets: e.Length, Key: bool(f.IsFlowKey), Reverse: f.IEEnterpriseNumber == reversePEN}
	switch {
	case e.Length == element.Variable:
		return out, checkSection(f, e)
	case f.IEEnterpriseNumber != 0 && !out.Reverse:
		return out, fmt.Errorf("enterprise %d: the probe has no such elements", f.IEEnterpriseNumber)
	case out.Reverse && (e.Value.OfPacket() || out.Key):
		return out, fmt.Errorf("element %s: has no reverse", e.Name)
	case out.Key && !e.Value.OfPacket():
		return out, fmt.Errorf("element %s: is no property of a packet, so it can't be a flow key", e.Name)
	case f.IELength == nil:
		return out, nil
	}
	out.Octets = *f.IELength
	if out.Octets == 0 || out.Octets > e.Length || out.Octets != e.Length && e.Kept() {
		return out, fmt.Errorf("ieLength %d: element %s has %d octets%s", out.Octets, e.Name, e.Length, orLess(e))
	}
	return out, nil
}

// checkSection checks a field that holds a section of a packet.
func checkSection(f cacheField, e element.Element) error {
	switch {
	case bool(f.IsFlowKey) || f.IEEnterpriseNumber != 0:
		return fmt.Errorf("element %s: can be neither a flow key nor reverse", e.Name)
	case f.IELength != nil && *f.IELength != element.Variable:
		return fmt.Errorf("ieLength %d: element %s has a variable length, 65535", *f.IELength, e.Name)
	}
	return nil
}

func orLess(e element.Element) string {
	if e.Kept() {
		return ""
	}
	return " or less"
}
