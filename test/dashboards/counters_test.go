// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"time"

	"github.com/weirflow/weir/flow"
)

// The sFlow agent of the demo network counts on its interfaces what its flows say, and a fiftieth more:
// what no flow has. Interface 5 starts anew in the middle of the hour.
const (
	counterEvery  = 30 * time.Second
	counterStart  = 1_000_000_000_000 // octets at the begin
	countedMore   = 50                // one in
	restarted     = 5
	lastInterface = 5
)

// counterSample is what the agent tells of an interface.
type counterSample struct {
	at                time.Time
	index             uint32
	in, out           uint64
	discards, invalid uint32
}

// counterSamples adds up the flows of the agent.
func counterSamples(from time.Time, flows []demoFlow) []counterSample {
	agent := demoExporters()[2].addr
	var all []counterSample
	for index := uint32(1); index <= lastInterface; index++ {
		for at := from; at.Before(from.Add(time.Hour)); at = at.Add(counterEvery) {
			s := counterSample{at: at, index: index, in: counterStart, out: counterStart, discards: uint32(at.Sub(from) / time.Minute), invalid: 7}
			begin := from
			if index == restarted && !at.Before(from.Add(30*time.Minute)) {
				begin, s.in, s.out = from.Add(30*time.Minute), 0, 0
			}
			for i := range flows {
				f := &flows[i]
				if f.exporter.addr != agent || f.end.Before(begin) || !f.end.Before(at) {
					continue
				}
				if f.inIf == index {
					s.in += f.bytesScaled() + f.bytesScaled()/countedMore
				}
				if f.outIf == index {
					s.out += f.bytesScaled() + f.bytesScaled()/countedMore
				}
			}
			all = append(all, s)
		}
	}
	return all
}

// countersOf is the message that decode would send of samples, of the health of exporters, and of what the
// first exporter tells at the begin and the end of the hour.
func countersOf(from time.Time, samples []counterSample, health []flow.Health) *flow.Counters {
	agent, first := demoExporters()[2].addr.As16(), demoExporters()[0].addr.As16()
	c, r := &flow.Counters{Health: health}, new(flow.CounterRow)
	for _, minute := range []int{0, 59} {
		r.Reset()
		r.SetNumber(flow.ExporterStatistics.Column("time_received_ns"), uint64(from.Add(time.Duration(minute)*time.Minute).UnixNano()))
		r.SetNumber(flow.ExporterStatistics.Column("not_sent_packets"), uint64(1000+minute*notSentPerMinute))
		r.SetAddress(flow.ExporterStatistics.Column("sampler_address"), first)
		c.Append(flow.ExporterStatistics, r)
	}
	for _, s := range samples {
		r.Reset()
		for name, v := range map[string]uint64{
			"time_received_ns": uint64(s.at.UnixNano()), "if_index": uint64(s.index), "if_speed": interfaceSpeed, "if_status": 3,
			"in_octets": s.in, "out_octets": s.out, "in_discards": uint64(s.discards), "in_errors": uint64(s.invalid),
		} {
			r.SetNumber(flow.InterfaceCounters.Column(name), v)
		}
		r.SetAddress(flow.InterfaceCounters.Column("sampler_address"), agent)
		c.Append(flow.InterfaceCounters, r)
	}
	return c
}

// What the second exporter loses and the last one lacks, each minute.
const (
	missingPerMinute  = 5
	notSentPerMinute  = 7
	templatesUnknown  = 3
	datagramsOfMinute = 45
)

// healthOf is a row for each exporter and minute.
func healthOf(from time.Time) []flow.Health {
	var all []flow.Health
	for i, e := range demoExporters() {
		for m := range 60 {
			at := from.Add(time.Duration(m) * time.Minute)
			h := flow.Health{
				TimeS: uint64(at.Unix()), Exporter: e.addr.As16(), Protocol: uint8(e.kind), Datagrams: datagramsOfMinute, Flows: 10 * datagramsOfMinute,
				ClockAheadMs: uint32(100 * i), LastSeenNs: uint64(at.Add(59 * time.Second).UnixNano()),
			}
			switch i {
			case 1:
				h.Missing, h.Gaps = missingPerMinute, 1
			case 3:
				h.Held, h.SamplingUnknown = templatesUnknown, h.Flows
			}
			all = append(all, h)
		}
	}
	return all
}
