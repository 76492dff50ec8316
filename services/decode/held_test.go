// SPDX-License-Identifier: Apache-2.0

package decode_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode"
	"github.com/weirflow/weir/services/decode/internal/held"
)

// killable starts a worker whose connection can be cut for good, as a kill does: what it has
// in hand is lost, and it says goodbye to nobody.
func (s *stack) killable() (reg *prometheus.Registry, kill func()) {
	s.t.Helper()
	reg = prometheus.NewRegistry()
	b := s.server.Connect(bus.Decode, s.cfg)
	service, err := decode.New(decode.DefaultConfig(), b, discard(), reg)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = service.Run(ctx)
	}()
	kill = func() {
		b.Close()
		cancel()
		<-done
	}
	s.t.Cleanup(kill)
	return reg, kill
}

func (s *stack) publishFrom(exporter netip.Addr, payload []byte) {
	s.t.Helper()
	var g flow.Datagrams
	g.Append(&flow.Datagram{Exporter: exporter, Source: netip.AddrPortFrom(exporter, 2055), ReceivedNs: uint64(time.Now().UnixNano()), Payload: payload})
	s.until("room for a datagram", func() bool { return s.in.Publish(bus.Partition(exporter, s.cfg.Partitions), &g, func() {}) == nil })
}

// v9Bytes is a NetFlow v9 packet with one record of template id, which is 4 octets of IN_BYTES.
func v9Bytes(id uint16, bytes uint32) []byte { return v9(id, uint16(bytes>>16), uint16(bytes)) }

func v9Template(id uint16) []byte { return v9(0, id, 1, 1, 4) }

// The data of 16 exporters come before their templates, which come one by one, and all the while
// workers are killed.
func TestHeldDataAreDecodedOnceThoughWorkersAreKilled(t *testing.T) {
	t.Parallel()
	const exporters, rounds, each = 16, 6, 8
	s := newStackOf(t, 4)
	_, kill := s.killable()
	var sent uint32
	for round := range uint16(rounds) {
		for _, e := range rand.Perm(exporters * each) {
			sent++
			s.publishFrom(exporterOf(e%exporters), v9Bytes(256+round, sent))
			if rand.IntN(exporters*each) == 0 {
				kill()
				_, kill = s.killable()
			}
		}
		for _, e := range rand.Perm(exporters) {
			s.publishFrom(exporterOf(e), v9Template(256+round))
			if rand.IntN(exporters) == 0 {
				kill()
				_, kill = s.killable()
			}
		}
		kill()
		_, kill = s.killable()
	}
	got := map[uint64]int{}
	for range sent {
		select {
		case v := <-s.bytes:
			got[v]++
		case <-time.After(patience):
			t.Fatalf("%d records of %d came out", len(got), sent)
		}
	}
	for v := range uint64(sent) {
		if got[v+1] != 1 {
			t.Errorf("record %d came out %d times", v+1, got[v+1])
		}
	}
	s.publishFrom(exporterOf(0), v9Bytes(256, 1<<31)) // nothing more comes before this
	s.publishFrom(exporterOf(0), v9Template(256))
	s.expect(1 << 31)
}

func exporterOf(n int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}) }

func TestHeldDataShowInMetrics(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	reg, kill := s.killable()
	s.publish(v9(300, 0, 1))
	s.publish(v9(300, 0, 2))
	waiting := func(sets string) func() bool {
		return func() bool {
			err := testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP weir_decode_held_sets Data sets that wait for their template.
# TYPE weir_decode_held_sets gauge
weir_decode_held_sets{partition="0"} `+sets+"\n"), "weir_decode_held_sets")
			return err == nil
		}
	}
	s.until("two sets that wait", waiting("2"))
	kill()
	reg, _ = s.killable()
	s.until("two sets that wait, read back", waiting("2"))
	s.publish(v9Template(300))
	s.expect(1)
	s.expect(2)
	s.until("nothing that waits", waiting("0"))
	reader := s.server.Connect(bus.Decode, s.cfg)
	s.until("a log of the anchor alone", func() bool {
		messages := 0
		err := bus.ReadLog(t.Context(), reader, bus.Held, 0, func(*held.Log) error { messages++; return nil })
		return err == nil && messages == 1
	})
}

func (s *stack) until(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); !ok(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("waited %v for: %s", patience, what)
		}
	}
}
