// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
)

// storedOnce returns how many datagrams are in the stream and fails on one that is there twice.
func storedOnce(t *testing.T, server *bustest.Server) int {
	t.Helper()
	seen := map[uint32]bool{}
	for _, d := range stored(t, server) {
		n := binary.BigEndian.Uint32(d.Payload[2:])
		if seen[n] {
			t.Errorf("datagram %d is there twice", n)
		}
		seen[n] = true
	}
	return len(seen)
}

func TestDatagramsWaitWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	server := bustest.New(t)
	s := start(t, testConfig("127.0.0.1:0"), server.Connect(bus.Ingest, server.Config(testPartitions)))
	conns := []interface{ Write([]byte) (int, error) }{
		exporterAt(t, "127.0.0.2", s.addresses[0]), exporterAt(t, "127.0.0.3", s.addresses[0]),
	}
	done := make(chan uint32)
	stop := make(chan struct{})
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		n := uint32(0)
		for {
			select {
			case <-stop:
				done <- n
				return
			case <-tick.C:
				_, _ = conns[n%2].Write(v9(n))
				n++
			}
		}
	}()
	for range 3 {
		base := testutil.ToFloat64(s.m.stored)
		eventually(t, "datagrams are stored", func() bool { return testutil.ToFloat64(s.m.stored) > base+50 })
		server.Stop()
		eventually(t, "datagrams wait", func() bool { return testutil.ToFloat64(s.m.pending) > 2000 })
		server.Start()
	}
	close(stop)
	sent := <-done
	eventually(t, "all are stored", func() bool { return testutil.ToFloat64(s.m.stored) == float64(sent) })
	if got := storedOnce(t, server); got != int(sent) {
		t.Errorf("%d datagrams are in the stream, want %d", got, sent)
	}
}

// push sends datagrams of 1400 octets until one is refused for the reason, and returns how
// many it sent.
func (r *running) push(reason string) int {
	r.t.Helper()
	const exporter = "127.0.0.2"
	conn := exporterAt(r.t, exporter, r.addresses[0])
	sent := 0
	eventually(r.t, "datagrams are refused: "+reason, func() bool {
		for range 100 {
			write(r.t, conn, append(v9(uint32(sent)), make([]byte, 1400)...))
			sent++
		}
		eventually(r.t, "they have come", func() bool {
			return testutil.ToFloat64(r.m.received.WithLabelValues(exporter)) == float64(sent)
		})
		return testutil.ToFloat64(r.m.refused.WithLabelValues(exporter, reason)) > 0
	})
	return sent
}

// settled waits until each datagram is stored or refused, and returns how many were refused.
func (r *running) settled(sent int) (refused int) {
	r.t.Helper()
	eventually(r.t, "each is stored or refused", func() bool {
		refused = 0
		for _, reason := range []string{disconnected, streamFull, backlog} {
			refused += int(testutil.ToFloat64(r.m.refused.WithLabelValues("127.0.0.2", reason)))
		}
		return int(testutil.ToFloat64(r.m.stored))+refused == sent
	})
	return refused
}

func TestWhatDoesNotFitIsRefusedAndTheRestIsStoredWhenTheServerIsBack(t *testing.T) {
	t.Parallel()
	server := bustest.New(t)
	cfg := testConfig("127.0.0.1:0")
	cfg.MaxPendingBytes = 1 << 20
	s := start(t, cfg, server.Connect(bus.Ingest, server.Config(testPartitions)))
	server.Stop()
	sent := s.push(disconnected)
	if got := testutil.ToFloat64(s.m.pending); got > float64(cfg.MaxPendingBytes) {
		t.Errorf("%v bytes are pending, want at most %d", got, cfg.MaxPendingBytes)
	}
	server.Start()
	refused := s.settled(sent)
	if got := storedOnce(t, server); got != sent-refused || got < 500 { // of 1404 octets and some, three quarters of the memory
		t.Errorf("%d datagrams are in the stream, %d were sent and %d refused", got, sent, refused)
	}
}

func TestFullStreamRefuses(t *testing.T) {
	t.Parallel()
	server := bustest.New(t)
	busConfig := server.Config(testPartitions)
	busConfig.MaxBytes = 16 << 20
	cfg := testConfig("127.0.0.1:0")
	cfg.MaxPendingBytes = 1 << 20
	s := start(t, cfg, server.Connect(bus.Ingest, busConfig))
	s.push(streamFull)
	before := testutil.ToFloat64(s.m.stored)
	if got := storedOnce(t, server); got < int(before) {
		t.Errorf("%d datagrams are in the stream, %v were acknowledged", got, before)
	}
}
