// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
)

// servers are NATS servers as processes of their own: one, or a cluster.
type servers struct {
	t     testing.TB
	procs []*process
	js    jetstream.JetStream
}

// newServers starts n servers that write to the disk every so often, or "always", and makes a
// stream with as many copies.
func newServers(t testing.TB, n int, sync string) *servers {
	t.Helper()
	dir := t.TempDir()
	clients, routes := make([]string, n), make([]string, n)
	for i := range n {
		clients[i], routes[i] = clickhousetest.FreeAddress(t), "nats://"+clickhousetest.FreeAddress(t)
	}
	s := &servers{t: t}
	for i := range n {
		conf := fmt.Sprintf("server_name: s%d\nlisten: %q\nmax_payload: 8MB\njetstream { store_dir: %q, max_file_store: 4GB, sync_interval: %s }\n",
			i, clients[i], filepath.Join(dir, strconv.Itoa(i)), sync)
		if n > 1 {
			conf += fmt.Sprintf("cluster { name: c, listen: %q, routes: [%s] }\n", strings.TrimPrefix(routes[i], "nats://"), strings.Join(routes, ", "))
		}
		file := filepath.Join(dir, fmt.Sprintf("%d.conf", i))
		if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
		p := newProcess(t, fmt.Sprintf("nats-%d", i), programOf(t, "nats-server"), "--config", file)
		if err := p.start(); err != nil {
			t.Fatal(err)
		}
		s.procs = append(s.procs, p)
	}
	s.connect(clients, n)
	return s
}

func (s *servers) connect(clients []string, replicas int) {
	s.t.Helper()
	urls := "nats://" + strings.Join(clients, ",nats://")
	nc, err := nats.Connect(urls, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(nc.Close)
	if s.js, err = jetstream.New(nc); err != nil {
		s.t.Fatal(err)
	}
	s.until("the stream to be made", func(ctx context.Context) error {
		_, err := s.js.CreateStream(ctx, jetstream.StreamConfig{
			Name: "S", Subjects: []string{"s"}, Replicas: replicas, Discard: jetstream.DiscardNew, MaxBytes: 2 << 30,
		})
		return err
	})
}

// until tries until there is no error.
func (s *servers) until(what string, do func(context.Context) error) {
	s.t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); {
		ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Second)
		err = do(ctx)
		cancel()
		if err == nil {
			return
		}
		<-time.After(50 * time.Millisecond)
	}
	s.t.Fatalf("waited %v for %s: %v", patience, what, err)
}

// publish stores message n, with an id, until it is acknowledged.
func (s *servers) publish(n int, payload []byte) {
	s.t.Helper()
	s.until("an acknowledgement", func(ctx context.Context) error {
		_, err := s.js.Publish(ctx, "s", payload, jetstream.WithMsgID(strconv.Itoa(n)))
		return err
	})
}

func (s *servers) messages() (n uint64) {
	s.t.Helper()
	s.until("the stream to answer", func(ctx context.Context) error {
		stream, err := s.js.Stream(ctx, "S")
		if err == nil {
			n = stream.CachedInfo().State.Msgs
		}
		return err
	})
	return n
}

// What was acknowledged is in the kernel's hands: it outlives the process, whatever sync_interval is.
// What sync_interval is for, the end of the machine, no test can show.
func TestKilledNATSKeepsWhatItHasAcknowledged(t *testing.T) {
	t.Parallel()
	const rounds, each = 3, 100
	s := newServers(t, 1, "10m")
	for round := range rounds {
		for i := range each {
			s.publish(round*each+i, make([]byte, 4096))
		}
		s.procs[0].kill()
		if err := s.procs[0].start(); err != nil {
			t.Fatal(err)
		}
		if got := s.messages(); got != uint64((round+1)*each) {
			t.Fatalf("%d messages after kill -9, want %d", got, (round+1)*each)
		}
	}
}

// Three copies go on with two, and the third catches up.
func TestClusterGoesOnWithoutOneServer(t *testing.T) {
	t.Parallel()
	const each = 50
	s := newServers(t, 3, "10m")
	n := 0
	add := func() {
		for range each {
			s.publish(n, make([]byte, 4096))
			n++
		}
	}
	add()
	for i := range s.procs {
		s.procs[i].kill()
		add()
		if err := s.procs[i].start(); err != nil {
			t.Fatal(err)
		}
		s.until("all copies to be current", func(ctx context.Context) error { return s.current(ctx) })
	}
	if got := s.messages(); got != uint64(n) {
		t.Errorf("%d messages, want %d", got, n)
	}
}

// current fails while a copy of the stream lags.
func (s *servers) current(ctx context.Context) error {
	stream, err := s.js.Stream(ctx, "S")
	if err != nil {
		return err
	}
	for _, copied := range stream.CachedInfo().Cluster.Replicas {
		if !copied.Current || copied.Offline {
			return fmt.Errorf("copy on %s is not current", copied.Name)
		}
	}
	return nil
}

// BenchmarkAppend measures what durability costs: appends of 64 KiB, one under way at a time, each
// only behind the one before.
func BenchmarkAppend(b *testing.B) {
	for _, bm := range []struct {
		copies int
		sync   string
	}{{1, "2m"}, {1, "1s"}, {1, "always"}, {3, "1s"}, {3, "always"}} {
		b.Run(fmt.Sprintf("copies=%d/sync=%s", bm.copies, bm.sync), func(b *testing.B) {
			s := newServers(b, bm.copies, bm.sync)
			payload := make([]byte, 64<<10)
			var last uint64
			var times []time.Duration
			before := s.cpu()
			for b.Loop() {
				start := time.Now()
				last = s.append(last, payload)
				times = append(times, time.Since(start))
			}
			mb := float64(len(times)*len(payload)) / 1e6
			b.ReportMetric(float64(s.cpu()-before)/float64(time.Millisecond)/mb, "server-cpu-ms/MB")
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds()), "median-µs")
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// append stores a message behind the one with the sequence last. A cluster may refuse it while it still
// works on that one.
func (s *servers) append(last uint64, payload []byte) (seq uint64) {
	s.t.Helper()
	s.until("an append", func(ctx context.Context) error {
		ack, err := s.js.Publish(ctx, "s", payload, jetstream.WithExpectLastSequencePerSubject(last))
		if err == nil {
			seq = ack.Sequence
		}
		return err
	})
	return seq
}

// cpu returns the time that all servers have used.
func (s *servers) cpu() (sum time.Duration) {
	s.t.Helper()
	const tick = 10 * time.Millisecond // proc_pid_stat(5): clock ticks, 100 a second on Linux
	for _, p := range s.procs {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
		if err != nil {
			s.t.Fatal(err)
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		for _, field := range fields[11:13] { // utime, stime
			n, err := strconv.Atoi(field)
			if err != nil {
				s.t.Fatal(err)
			}
			sum += time.Duration(n) * tick
		}
	}
	return sum
}
