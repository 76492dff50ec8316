// SPDX-License-Identifier: Apache-2.0

package template

import (
	"cmp"
	"slices"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/ie"
)

// sampler is a sampler (v9) or selector (IPFIX) that options data told of.
type sampler struct {
	id, rate uint64
}

// sampling executes an op about the sampling interval: that of the record's sampler, else
// what the record says itself.
func (o *op) sampling(v uint64, r *flow.Record, c *Context) {
	if o.how == ie.Interval {
		if v != 0 {
			c.interval = v
		}
		return
	}
	if rate := c.Domain.samplerRate(v); rate != 0 {
		r.SetNumber(flow.SamplingRate, rate)
		c.sampler = true
	}
}

// parameters are what options data tells about how packets are selected (RFC 5477 §8.2,
// RFC 3954 §8).
type parameters struct {
	id, interval, random, packets, space, size, population uint64

	hasID, hasSpace bool
}

// set notes an element and tells whether it is one of them.
func (p *parameters) set(id uint16, v uint64) {
	switch id {
	case 34: // samplingInterval
		p.interval = v
	case 50: // flowSamplerRandomInterval
		p.random = v
	case 48, 302: // flowSamplerId, selectorId
		p.id, p.hasID = v, true
	case 305: // samplingPacketInterval
		p.packets = v
	case 306: // samplingPacketSpace
		p.space, p.hasSpace = v, true
	case 309: // samplingSize
		p.size = v
	case 310: // samplingPopulation
		p.population = v
	}
}

// rate returns the interval, 1 in N; 0 where nothing tells.
func (p *parameters) rate() uint64 {
	switch {
	case p.size != 0 && p.population != 0: // n out of N, RFC 5477 §8.2.3
		return p.population / p.size
	case p.packets != 0 && p.hasSpace: // so many of these, then a space: §8.2.2
		return (p.packets + p.space) / p.packets
	case p.packets != 0: // exporters that have no space mean 1 in that
		return p.packets
	case p.random != 0:
		return p.random
	default:
		return p.interval
	}
}

// Rate returns the interval of the domain, 0 where it is unknown.
func (d *Domain) Rate() uint64 {
	if d == nil {
		return 0
	}
	return d.rate
}

func (d *Domain) samplerRate(id uint64) uint64 {
	if d == nil {
		return 0
	}
	i, ok := d.find(id)
	if !ok {
		return 0
	}
	return d.samplers[i].rate
}

func (d *Domain) find(id uint64) (int, bool) {
	return slices.BinarySearchFunc(d.samplers, id, func(s sampler, id uint64) int { return cmp.Compare(s.id, id) })
}

// learn keeps what options data told, and says whether it is new. A sampler beyond the limit
// is refused.
func (x *Exporter) learn(d *Domain, p *parameters) (changed, refused bool) {
	rate := p.rate()
	if rate == 0 {
		return false, false
	}
	// Samplers take turns here; that alone is nothing new.
	changed = d.rate != rate && (d.rate == 0 || !p.hasID)
	d.rate = rate
	if !p.hasID {
		return changed, false
	}
	i, ok := d.find(p.id)
	switch {
	case ok && d.samplers[i].rate == rate:
		return changed, false
	case ok:
		d.samplers[i].rate = rate
	case x.samplers >= x.limits.Samplers || !x.budget.take(samplerOctets):
		return changed, true
	default:
		x.samplers++
		d.samplers = slices.Insert(d.samplers, i, sampler{p.id, rate})
	}
	return true, false
}
