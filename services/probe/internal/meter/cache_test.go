// SPDX-License-Identifier: Apache-2.0

package meter_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/services/probe/internal/element"
	"github.com/weirflow/weir/services/probe/internal/meter"
	"github.com/weirflow/weir/services/probe/internal/packet"
)

// layout has ports and protocol as keys and tells the TTL of the first packet.
func layout(t testing.TB) []meter.Field {
	t.Helper()
	var fields []meter.Field
	for _, name := range []string{"sourceTransportPort", "destinationTransportPort", "protocolIdentifier", "ipTTL", "packetDeltaCount"} {
		e, ok := element.ByName(name)
		if !ok {
			t.Fatalf("no element %s", name)
		}
		fields = append(fields, meter.Field{Element: e, Octets: e.Length, Key: e.Value.OfPacket() && name != "ipTTL"})
	}
	return fields
}

// at is a UDP packet of a time and from a port.
func at(seconds int, port uint16) *packet.Packet {
	return &packet.Packet{
		Time: int64(seconds) * int64(time.Second), Version: 4, Proto: packet.ProtoUDP, TTL: 64, SrcPort: port, DstPort: 53, IPLength: 100, Length: 114,
	}
}

// ended is what the tests look at in a record.
type ended struct {
	Port    uint16
	Packets uint64
	Reason  uint8
}

type cacheTest struct {
	*meter.Cache
	got []ended
}

func newCache(t testing.TB, cfg meter.Config) *cacheTest {
	t.Helper()
	cfg.Layout = layout(t)
	c := &cacheTest{}
	c.Cache = meter.New(cfg, func(r *meter.Record) {
		c.got = append(c.got, ended{uint16(r.Uint(7)), r.Packets + r.Reverse.Packets, r.EndReason})
	})
	return c
}

func (c *cacheTest) want(t *testing.T, want ...ended) {
	t.Helper()
	if diff := cmp.Diff(want, c.got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestIdleFlowsEndWithoutAPacketOfTheirOwn(t *testing.T) {
	t.Parallel()
	c := newCache(t, meter.Config{Kind: meter.Timeout, MaxFlows: 10, Idle: 15 * time.Second})
	c.Add(at(1, 1))
	c.Add(at(10, 1))
	c.Add(at(12, 2))
	c.Add(at(25, 3)) // 15 s after the last of port 1
	c.want(t, ended{1, 2, meter.EndIdle})
	c.Expire(int64(27 * time.Second))
	c.want(t, ended{1, 2, meter.EndIdle}, ended{2, 1, meter.EndIdle})
}

func TestActiveFlowsAreToldOfAndGoOn(t *testing.T) {
	t.Parallel()
	c := newCache(t, meter.Config{Kind: meter.Timeout, MaxFlows: 10, Active: 60 * time.Second})
	for s := range 130 {
		c.Add(at(s+1, 1))
	}
	c.Flush()
	c.want(t, ended{1, 60, meter.EndActive}, ended{1, 60, meter.EndActive}, ended{1, 10, meter.EndForced})
}

func TestAFullCacheEndsTheFlowThatWasQuietForLongest(t *testing.T) {
	t.Parallel()
	c := newCache(t, meter.Config{Kind: meter.Timeout, MaxFlows: 3})
	for i, port := range []uint16{1, 2, 3, 1, 4, 5} {
		c.Add(at(i+1, port))
	}
	c.want(t, ended{2, 1, meter.EndFull}, ended{3, 1, meter.EndFull})
	if c.Flows() != 3 || c.Evictions != 2 {
		t.Errorf("%d flows, %d evictions, want 3, 2", c.Flows(), c.Evictions)
	}
}

func TestNaturalCacheEndsConnectionsWithTheirEnd(t *testing.T) {
	t.Parallel()
	c := newCache(t, meter.Config{Kind: meter.Natural, MaxFlows: 3})
	p := at(1, 1)
	p.Proto = packet.ProtoTCP
	c.Add(p)
	p.TCPFlags = packet.RST
	c.Add(p)
	c.want(t, ended{1, 2, meter.EndDetected})
}

func TestImmediateCacheMakesARecordOfEachPacket(t *testing.T) {
	t.Parallel()
	c := newCache(t, meter.Config{Kind: meter.Immediate})
	c.Add(at(1, 1))
	c.Add(at(1, 1))
	c.want(t, ended{1, 1, meter.EndForced}, ended{1, 1, meter.EndForced})
}

func TestPermanentCacheTellsOfAllFlowsAndKeepsThem(t *testing.T) {
	t.Parallel()
	c := newCache(t, meter.Config{Kind: meter.Permanent, MaxFlows: 2, Interval: 10 * time.Second})
	c.Add(at(1, 1))
	c.Add(at(2, 2))
	c.Add(at(3, 3)) // no room
	c.Expire(int64(11 * time.Second))
	c.Add(at(12, 1))
	c.Expire(int64(21 * time.Second))
	c.want(t, ended{1, 1, meter.EndActive}, ended{2, 1, meter.EndActive}, ended{1, 1, meter.EndActive})
	if c.Refused != 1 || c.Flows() != 2 {
		t.Errorf("%d packets refused, %d flows, want 1, 2", c.Refused, c.Flows())
	}
}

func TestBiflowIsBothDirections(t *testing.T) {
	t.Parallel()
	c := newCache(t, meter.Config{Kind: meter.Timeout, MaxFlows: 3, Biflow: true})
	c.Add(at(1, 1))
	back := at(2, 1)
	back.Reverse()
	c.Add(back)
	c.Add(at(3, 1))
	c.Flush()
	c.want(t, ended{1, 3, meter.EndForced})
}

// TestCacheHoldsWhatAMapWould while flows come, end and make room in any order.
func TestCacheHoldsWhatAMapWould(t *testing.T) {
	t.Parallel()
	c := newCache(t, meter.Config{Kind: meter.Timeout, MaxFlows: 5000, Idle: 7 * time.Second, Active: 20 * time.Second})
	sent := map[uint16]uint64{}
	state := uint32(1)
	for i := range 200_000 {
		state = state*1664525 + 1013904223
		port := uint16(state >> 19)
		sent[port]++
		c.Add(at(1+i/3000, port))
	}
	c.Flush()
	got := map[uint16]uint64{}
	for _, r := range c.got {
		got[r.Port] += r.Packets
	}
	if diff := cmp.Diff(sent, got); diff != "" {
		t.Errorf("packets by port (-sent +got):\n%s", diff)
	}
	if c.Flows() != 0 {
		t.Errorf("%d flows are left", c.Flows())
	}
}

func TestAllocationsOfPacketsOfKnownFlows(t *testing.T) {
	c := newCache(t, meter.Config{Kind: meter.Timeout, MaxFlows: 100})
	p := at(1, 1)
	c.Add(p)
	if n := testing.AllocsPerRun(100, func() { c.Add(p) }); n != 0 {
		t.Errorf("%v allocations for a packet, want 0", n)
	}
}
