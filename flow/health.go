// SPDX-License-Identifier: Apache-2.0

package flow

// Health is a row of ExporterHealth: what came of an exporter's domain in a minute, or in a part
// of it. Rows of the same key add up. The table has what each number means.
type Health struct {
	TimeS    uint64 // start of the minute, Unix s
	Exporter [16]byte
	Protocol uint8 // as flow.Type
	Domain   uint32

	Datagrams, Bytes, Records, Flows, Gaps uint64
	Missing, MissingSamples                int64 // negative where a late one gives back
	Late, Duplicates, Resets, Templates    uint64
	Refused, TemplateUnknown               uint64
	Held, Released, HeldDropped, LateFlows uint64
	SamplingUnknown, TimeSkewed            uint64
	ClockBehindMs, ClockAheadMs            uint32 // greatest
	LastSeenNs                             uint64 // greatest
}

// foldHealth makes rows of the table of what is in Health.
func (c *Counters) foldHealth() {
	var r CounterRow
	for i := range c.Health {
		c.Health[i].fill(&r)
		c.Append(ExporterHealth, &r)
	}
	c.Health = c.Health[:0]
}

// fill sets the columns in the order of the table.
func (h *Health) fill(r *CounterRow) {
	r.Reset()
	const address = 1
	r.SetAddress(address, h.Exporter)
	for i, v := range [...]uint64{
		h.TimeS, address: 0, uint64(h.Protocol), uint64(h.Domain),
		h.Datagrams, h.Bytes, h.Records, h.Flows, h.Gaps,
		uint64(h.Missing), uint64(h.MissingSamples), //nolint:gosec // two's complement
		h.Late, h.Duplicates, h.Resets, h.Templates, h.Refused, h.TemplateUnknown,
		h.Held, h.Released, h.HeldDropped, h.LateFlows, h.SamplingUnknown, h.TimeSkewed,
		uint64(h.ClockBehindMs), uint64(h.ClockAheadMs), h.LastSeenNs,
	} {
		if i != address {
			r.SetNumber(i, v)
		}
	}
}
