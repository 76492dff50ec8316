// SPDX-License-Identifier: Apache-2.0

package decode_test

import (
	"context"
	"encoding/binary"
	"math"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/test/traffic"
)

// health reads COUNTERS and sums the rows of each exporter.
type health struct {
	mu  sync.Mutex
	sum map[netip.Addr]flow.Health
}

func (s *stack) health() *health {
	s.t.Helper()
	h := &health{sum: map[netip.Addr]flow.Health{}}
	reader := s.server.Connect(bus.Insert, s.cfg)
	s.background(func(ctx context.Context) error {
		return bus.Sink(ctx, reader, bus.Counters, bus.SinkConfig{MaxRows: 1000, MaxWait: time.Millisecond},
			func(_ context.Context, _ string, batch []*flow.Counters) error {
				for _, c := range batch {
					h.add(c)
				}
				return nil
			})
	})
	return h
}

func (h *health) add(c *flow.Counters) {
	h.mu.Lock()
	defer h.mu.Unlock()
	column := map[string]int{}
	for i, info := range flow.ExporterHealth.Columns() {
		column[info.Name] = i
	}
	var row flow.CounterRow
	for i := range c.TableRows(flow.ExporterHealth) {
		c.Row(flow.ExporterHealth, i, &row)
		exporter := netip.AddrFrom16(row.Address()).Unmap()
		s := h.sum[exporter]
		s.Datagrams += row.Number(column["datagrams"])
		s.Bytes += row.Number(column["bytes"])
		s.Flows += row.Number(column["flows"])
		s.Missing += int64(row.Number(column["missing"]))                //nolint:gosec // as written
		s.MissingSamples += int64(row.Number(column["missing_samples"])) //nolint:gosec // as written
		s.Late += row.Number(column["late"])
		s.Duplicates += row.Number(column["duplicates"])
		s.Resets += row.Number(column["resets"])
		h.sum[exporter] = s
	}
}

func (h *health) of(exporter netip.Addr) flow.Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sum[exporter]
}

// delivered is what the headers of an exporter's datagrams say.
type delivered struct {
	datagrams, octets uint64
	units             map[uint32]uint32 // by number
	first, end        uint32
	samples           map[uint32]map[uint32]bool // of sFlow: numbers by source
}

// take reads a header. Of IPFIX it takes no number: its units are records, of which the header has no count.
func (d *delivered) take(payload []byte) {
	d.datagrams++
	d.octets += uint64(len(payload))
	var number, units uint32
	switch binary.BigEndian.Uint16(payload) {
	case 5:
		number, units = binary.BigEndian.Uint32(payload[16:]), uint32(binary.BigEndian.Uint16(payload[2:]))
	case 9:
		number, units = binary.BigEndian.Uint32(payload[12:]), 1
	case 0:
		number, units = binary.BigEndian.Uint32(payload[16:]), 1
		d.sample(payload[28:])
	case 10:
		return
	}
	if d.units == nil {
		d.units, d.first = map[uint32]uint32{}, number
	}
	d.units[number] = units
	d.end = max(d.end, number+units)
}

// sample reads the heads of flow samples (sFlow v5, section 5.3).
func (d *delivered) sample(p []byte) {
	if d.samples == nil {
		d.samples = map[uint32]map[uint32]bool{}
	}
	for ; len(p) > 0; p = p[8+binary.BigEndian.Uint32(p[4:]):] {
		number, source := binary.BigEndian.Uint32(p[8:]), binary.BigEndian.Uint32(p[12:])
		if d.samples[source] == nil {
			d.samples[source] = map[uint32]bool{}
		}
		d.samples[source][number] = true
	}
}

// missingSamples is how many numbers lie between those of each source and were not there.
func (d *delivered) missingSamples() (n int64) {
	for _, numbers := range d.samples {
		first, last := uint32(math.MaxUint32), uint32(0)
		for number := range numbers {
			first, last = min(first, number), max(last, number)
		}
		n += int64(last) - int64(first) + 1 - int64(len(numbers))
	}
	return n
}

// missing is what lies between the first datagram and the last and was not there.
func (d *delivered) missing() int64 {
	n := int64(d.end) - int64(d.first)
	for _, units := range d.units {
		n -= int64(units)
	}
	return n
}

// send has a load's datagrams go to decode, and returns what they were.
func (s *stack) send(cfg traffic.LoadConfig, between func(n int)) (map[netip.Addr]*delivered, []traffic.Sent) {
	s.t.Helper()
	all, n := map[netip.Addr]*delivered{}, 0
	cfg.Deliver = func(source netip.Addr, payload []byte) error {
		exporter := flow.ExporterOf(source, payload)
		if all[exporter] == nil {
			all[exporter] = &delivered{}
		}
		all[exporter].take(payload)
		s.publishFrom(exporter, payload)
		n++
		between(n)
		return nil
	}
	load, err := traffic.NewLoad(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	defer load.Close()
	if err := load.Run(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	return all, load.Sent()
}

func TestHealthTellsWhatTheNetworkLost(t *testing.T) {
	t.Parallel()
	s := newStackOf(t, 4)
	s.drain()
	h := s.health()
	s.service()
	cfg := traffic.DefaultLoadConfig()
	cfg.Rate, cfg.Count, cfg.Faults = 0, 30_000, traffic.Faults{Loss: 0.05, Duplicate: 0.03, Reorder: 0.05}
	all, sent := s.send(cfg, func(int) {})
	var lost int64
	for _, e := range sent {
		d := all[e.Exporter]
		s.until("rows of all datagrams", func() bool { return h.of(e.Exporter).Datagrams >= d.datagrams })
		got := h.of(e.Exporter)
		if got.Datagrams != d.datagrams || got.Bytes != d.octets {
			t.Errorf("%s %s: %d datagrams of %d octets, want %d of %d", e.Protocol, e.Exporter, got.Datagrams, got.Bytes, d.datagrams, d.octets)
		}
		if e.Protocol == traffic.IPFIX {
			continue
		}
		if got.Missing != d.missing() || got.MissingSamples != d.missingSamples() {
			t.Errorf("%s %s: %d and %d samples missing, want %d and %d",
				e.Protocol, e.Exporter, got.Missing, got.MissingSamples, d.missing(), d.missingSamples())
		}
		lost += got.Missing
		if got.Duplicates != e.Faults.Duplicated.Datagrams || got.Late != e.Faults.Reordered || got.Resets != 0 {
			t.Errorf("%s %s: %d duplicates, %d late, %d resets; want %d, %d, 0",
				e.Protocol, e.Exporter, got.Duplicates, got.Late, got.Resets, e.Faults.Duplicated.Datagrams, e.Faults.Reordered)
		}
	}
	if lost == 0 {
		t.Error("nothing was lost")
	}
}

func TestHealthIsToldOnceThoughWorkersAreKilled(t *testing.T) {
	t.Parallel()
	s := newStackOf(t, 4)
	s.drain()
	h := s.health()
	_, kill := s.killable()
	cfg := traffic.DefaultLoadConfig()
	cfg.Rate, cfg.Count = 0, 30_000
	all, sent := s.send(cfg, func(n int) {
		if n%300 == 0 {
			kill()
			_, kill = s.killable()
		}
	})
	for _, e := range sent {
		d := all[e.Exporter]
		s.until("rows of all flows", func() bool { return h.of(e.Exporter).Flows >= e.Flows })
		if got := h.of(e.Exporter); got.Datagrams != d.datagrams || got.Bytes != d.octets || got.Flows != e.Flows || got.Missing != 0 {
			t.Errorf("%s %s: %d datagrams of %d octets, %d flows, %d missing; want %d of %d, %d, 0",
				e.Protocol, e.Exporter, got.Datagrams, got.Bytes, got.Flows, got.Missing, d.datagrams, d.octets, e.Flows)
		}
	}
}

// drain throws the flows away.
func (s *stack) drain() {
	go func() {
		for {
			select {
			case <-s.bytes:
			case <-s.t.Context().Done():
				return
			}
		}
	}()
}
