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
	ofInterface     bool // they are of one interface
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
	return rateOf(d.samplers, id)
}

// rateOf returns the interval of a sampler or interface, 0 where it is unknown.
func rateOf(all []sampler, id uint64) uint64 {
	i, ok := find(all, id)
	if !ok {
		return 0
	}
	return all[i].rate
}

func find(all []sampler, id uint64) (int, bool) {
	return slices.BinarySearchFunc(all, id, func(s sampler, id uint64) int { return cmp.Compare(s.id, id) })
}

// learn keeps what options data told of sampling, and says whether it is new. A sampler beyond
// the limit is refused.
func (x *Exporter) learn(d *Domain, told *facts) (changed, refused bool) {
	rate := told.rate()
	switch {
	case rate == 0:
		return false, false
	case told.hasID:
		// Samplers take turns here; that alone is nothing new.
		first := d.rate == 0
		d.rate = rate
		changed, refused = x.keepRate(&d.samplers, sampler{told.id, rate})
		return changed || first, refused
	case told.ofInterface:
		return x.keepRate(&d.ports, sampler{told.keys[interfaces], rate})
	default:
		changed = d.rate != rate
		d.rate = rate
		return changed, false
	}
}

// keepRate keeps the interval of a sampler or interface.
func (x *Exporter) keepRate(all *[]sampler, s sampler) (changed, refused bool) {
	i, ok := find(*all, s.id)
	switch {
	case ok && (*all)[i].rate == s.rate:
		return false, false
	case ok:
		(*all)[i].rate = s.rate
	case x.samplers >= x.limits.Samplers || !x.budget.take(samplerOctets):
		return false, true
	default:
		x.samplers++
		*all = slices.Insert(*all, i, s)
	}
	return true, false
}
