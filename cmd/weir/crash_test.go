// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
)

// load sends datagrams of four exporters, perSecond each, until ctx ends.
func load(ctx context.Context, t *testing.T, to string, perSecond int) (wait func()) {
	t.Helper()
	var senders sync.WaitGroup
	for i, version := range []uint16{5, 9, 5, 9} {
		e := newExporter(t, fmt.Sprintf("127.0.1.%d", i+1), to, version)
		senders.Go(func() {
			tick := time.NewTicker(time.Second / time.Duration(perSecond))
			defer tick.Stop()
			for {
				e.send()
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		})
	}
	return senders.Wait
}

// settle waits until the rows are those of the accepted datagrams, each once.
func (s *stack) settle() {
	s.t.Helper()
	var want string
	s.until("ingest to have stored what its sockets hold", func() bool {
		before := want
		want = s.accepted()
		return want == before
	})
	if n := strings.Count(want, "\n"); n < 100 {
		s.t.Fatalf("only %d datagrams were accepted", n)
	}
	s.expect(acceptedSQL, want)
	s.t.Logf("%d datagrams, %s rows, each once", 1+strings.Count(want, "\n"), s.query("SELECT count() FROM flows"))
}

// untilRows waits until flows has as many rows: a moment in the middle of the load.
func (s *stack) untilRows(n int) {
	s.t.Helper()
	s.until(fmt.Sprintf("%d rows", n), func() bool { return s.tryQuery(fmt.Sprintf("SELECT count() >= %d FROM flows", n)) == "1" })
}

// expectRollups waits until flows_5m holds the sums over flows.
func (s *stack) expectRollups() {
	s.t.Helper()
	const sums = "count() > 0, sum(bytes), sum(packets), "
	want := s.query("SELECT " + sums + "count(), sum(bytes * greatest(sampling_rate, 1)), sum(packets * greatest(sampling_rate, 1)) FROM flows")
	s.expect("SELECT "+sums+"sum(flows), sum(bytes_scaled), sum(packets_scaled) FROM flows_5m", want)
}

func TestKilledWeirLosesNothingAndDoublesNothing(t *testing.T) {
	t.Parallel()
	s := up(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	sent := load(ctx, t, s.flows, 100)
	for _, rows := range []int{5_000, 30_000, 60_000} {
		s.untilRows(rows)
		children := s.children()
		if len(children) == 0 {
			t.Fatal("weir up has no child: where is ClickHouse?")
		}
		s.kill()
		for _, pid := range children {
			s.until("the children to end", func() bool { return syscall.Kill(pid, 0) != nil })
		}
		s.start()
	}
	s.untilRows(90_000)
	stop()
	sent()
	s.settle()
	s.expectRollups()
}

func TestKilledClickHouseLosesNothingAndDoublesNothing(t *testing.T) {
	t.Parallel()
	s := up(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	sent := load(ctx, t, s.flows, 100)
	for _, rows := range []int{5_000, 30_000, 60_000} {
		s.untilRows(rows)
		for _, pid := range s.children() {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		s.until("ClickHouse to be there again", func() bool { return s.tryQuery("SELECT 1") == "1" })
	}
	s.untilRows(90_000)
	stop()
	sent()
	s.settle()
	s.expectRollups()
	if code := s.interrupt(); code != 0 {
		t.Errorf("weir up ended with %d", code)
	}
}

// A ClickHouse that weir up did not start is away for a minute.
func TestClickHouseAwayLosesNothing(t *testing.T) {
	t.Parallel()
	const perSecond, exporters, away = 100, 4, 60 // s
	ch := clickhousetest.New(t)
	s := newStack(t, "--clickhouse.dsn", "clickhouse://"+ch.Native)
	s.http = ch.HTTP
	s.begin()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	sent := load(ctx, t, s.flows, perSecond)
	s.untilRows(5_000)
	ch.Kill()
	stored := func() float64 { return s.metric("weir_ingest_stored_datagrams_total") }
	until := stored() + perSecond*exporters*away
	s.until("a minute of load", func() bool { return stored() >= until })
	ch.Start()
	stop()
	sent()
	s.settle()
	s.expectRollups()
	if refused := s.metric("weir_ingest_refused_datagrams_total"); refused > 0 {
		t.Errorf("%v datagrams were refused", refused)
	}
}
