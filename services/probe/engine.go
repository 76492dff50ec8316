// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"fmt"
	"math"
	"slices"

	"github.com/weirflow/weir/services/probe/internal/element"
	"github.com/weirflow/weir/services/probe/internal/export"
	"github.com/weirflow/weir/services/probe/internal/meter"
	"github.com/weirflow/weir/services/probe/internal/model"
	"github.com/weirflow/weir/services/probe/internal/packet"
)

// engine takes packets through selectors and caches to the destinations. It is not safe
// for concurrent use. Its clock is what it is told: the time of day, or that of a file.
type engine struct {
	plan  model.Plan
	m     *metrics
	links []*link // by destination
	now   int64   // ns since 1970
	boot  int64

	domains map[uint32]*domain
	points  [][]*process // by point
	flushed meter.Stats  // what the metrics already have of the caches' counts
}

// domain is an observation domain: caches and sequence numbers are its own.
type domain struct {
	interfaces []export.Interface
	processes  map[int]*process
	caches     map[int]*meter.Cache
	streams    []stream
}

// process is a selection process of a domain.
type process struct {
	selectors []meter.Selector
	cache     *meter.Cache // nil: none
	samples   []*export.Samples
	interval  uint32 // of sampling
	pool      uint32 // packets that samples were chosen from
}

// stream is one of export.
type stream interface {
	Flush(now int64)
}

// newEngine connects the parts of a plan. interfaces are those of each point.
func newEngine(plan model.Plan, links []*link, m *metrics, boot int64, interfaces [][]export.Interface) *engine {
	const second = 1e9
	e := &engine{plan: plan, m: m, links: links, boot: boot / second * second, domains: map[uint32]*domain{}}
	e.points = make([][]*process, len(plan.Points))
	for i, p := range plan.Points {
		d := e.domains[p.Domain]
		if d == nil {
			d = &domain{processes: map[int]*process{}, caches: map[int]*meter.Cache{}}
			e.domains[p.Domain] = d
		}
		d.interfaces = append(d.interfaces, interfaces[i]...)
	}
	for i, p := range plan.Points {
		for _, index := range p.Processes {
			e.points[i] = append(e.points[i], e.process(p.Domain, index))
		}
	}
	return e
}

// process returns a selection process of a domain.
func (e *engine) process(id uint32, index int) *process {
	d := e.domains[id]
	if p := d.processes[index]; p != nil {
		return p
	}
	from := &e.plan.Processes[index]
	p := &process{selectors: slices.Clone(from.Selectors), interval: 1}
	d.processes[index] = p
	if s := from.Sampler(); s != nil {
		p.interval = uint32(math.Round(s.OneIn()))
	}
	for _, to := range from.Samples {
		samples := export.NewSamples(e.links[to].samplesConfig(id, e.boot), e.links[to].write)
		p.samples = append(p.samples, samples)
		d.streams = append(d.streams, samples)
	}
	if from.Cache < 0 {
		return p
	}
	if d.caches[from.Cache] == nil {
		d.caches[from.Cache] = e.cache(id, d, index)
	}
	p.cache = d.caches[from.Cache]
	return p
}

// cache makes the cache that selection process index fills. Caches of a domain share its
// stream to a destination, since sequence numbers are the domain's.
func (e *engine) cache(id uint32, d *domain, index int) *meter.Cache {
	from := &e.plan.Processes[index]
	plan := e.plan.Caches[from.Cache]
	var emits []func(*meter.Record)
	c := meter.New(e.cut(plan), func(r *meter.Record) {
		for _, emit := range emits {
			emit(r)
		}
	})
	for _, to := range plan.Destinations {
		emits = append(emits, e.output(id, d, to, index, c))
	}
	return c
}

// cut bounds the section of a packet to what fits into a message of each destination.
func (e *engine) cut(plan model.Cache) meter.Config {
	cfg := plan.Config
	i := meter.Section(cfg.Layout)
	if i < 0 {
		return cfg
	}
	cfg.Layout = slices.Clone(cfg.Layout)
	most := math.MaxUint16
	for _, to := range plan.Destinations {
		most = min(most, e.links[to].maxOctets)
	}
	for _, f := range cfg.Layout {
		if f.Length != element.Variable {
			most -= int(f.Octets)
		}
	}
	cfg.Layout[i].Octets = uint16(max(most-export.Overhead-element.SectionLength, 0))
	return cfg
}

// output returns what sends records of c to a destination.
func (e *engine) output(id uint32, d *domain, to, index int, c *meter.Cache) func(*meter.Record) {
	l := e.links[to]
	cfg := export.Config{
		Version: l.Version, Domain: id, MaxOctets: l.maxOctets, Boot: e.boot,
		Refresh: l.Refresh, RefreshMessages: l.RefreshMessages, Interfaces: d.interfaces, Samplings: e.samplings(id, to),
	}
	var selector uint64
	if e.plan.Processes[index].Sampler() != nil {
		selector = uint64(index + 1)
	}
	if l.Version == export.NetFlow1 || l.Version == export.NetFlow5 {
		rows := l.rows[id]
		if rows == nil {
			rows = export.NewRows(cfg, l.write)
			l.rows[id] = rows
			d.streams = append(d.streams, rows)
		}
		return func(r *meter.Record) {
			if !rows.Record(e.now, r) {
				e.m.noVersion4.Inc()
			}
		}
	}
	s := l.streams[id]
	if s == nil {
		s = export.NewStream(cfg, l.write)
		l.streams[id] = s
		d.streams = append(d.streams, s)
	}
	var templates [3]*export.Template
	for i := range c.Shapes() {
		if shape := &c.Shapes()[i]; shape.Takes {
			templates[i] = s.Add(shape, selector)
		}
	}
	return func(r *meter.Record) { s.Record(e.now, templates[r.Shape.Index], r) }
}

// samplings are those of the selection processes of a domain whose flows go to a destination.
func (e *engine) samplings(id uint32, to int) []export.Sampling {
	var all []export.Sampling
	seen := map[int]bool{}
	for _, point := range e.plan.Points {
		for _, i := range point.Processes {
			p := &e.plan.Processes[i]
			s := p.Sampler()
			if seen[i] || point.Domain != id || s == nil || p.Cache < 0 || !slices.Contains(e.plan.Caches[p.Cache].Destinations, to) {
				continue
			}
			seen[i] = true
			all = append(all, export.Sampling{ID: uint64(i + 1), Selector: s})
		}
	}
	return all
}

// add takes a packet of a point.
func (e *engine) add(point int, p *packet.Packet, link uint32) {
	for _, process := range e.points[point] {
		process.pool++
		if !process.takes(p) {
			continue
		}
		if process.cache != nil {
			process.cache.Add(p)
		}
		for _, s := range process.samples {
			s.Packet(e.now, p, process.interval, process.pool, link)
		}
	}
}

func (p *process) takes(of *packet.Packet) bool {
	for i := range p.selectors {
		if !p.selectors[i].Select(of) {
			return false
		}
	}
	return true
}

// tick ends flows whose time is over and sends what waits.
func (e *engine) tick() {
	for _, d := range e.domains {
		for _, c := range d.caches {
			c.Expire(e.now)
		}
	}
	e.flush()
}

// finish ends all flows and sends them.
func (e *engine) finish() {
	for _, d := range e.domains {
		for _, c := range d.caches {
			c.Flush()
		}
	}
	e.flush()
}

func (e *engine) flush() {
	var sum meter.Stats
	flows := 0
	for _, d := range e.domains {
		for _, s := range d.streams {
			s.Flush(e.now)
		}
		for _, c := range d.caches {
			sum.Skipped += c.Skipped
			sum.Refused += c.Refused
			sum.Evictions += c.Evictions
			flows += c.Flows()
		}
	}
	e.m.skipped.Add(float64(sum.Skipped - e.flushed.Skipped))
	e.m.refused.Add(float64(sum.Refused - e.flushed.Refused))
	e.m.evictions.Add(float64(sum.Evictions - e.flushed.Evictions))
	e.m.activeFlows.Set(float64(flows))
	e.flushed = sum
}

// counters has every sFlow stream tell the counters of an interface.
func (e *engine) counters(c export.Counters) {
	for _, d := range e.domains {
		for _, p := range d.processes {
			for _, s := range p.samples {
				s.Counters(e.now, c)
			}
		}
	}
}

// describe names the plan in errors.
func describe(d model.Destination) string { return fmt.Sprintf("destination %s", d.Address) }
