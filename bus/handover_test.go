// SPDX-License-Identifier: Apache-2.0

package bus_test

import (
	"context"
	"encoding/binary"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
)

// steady publishes a number to each partition every so often until the test ends.
func (c client) steady(partitions int, every time.Duration) {
	ctx, cancel := context.WithCancel(c.t.Context())
	done := make(chan struct{})
	c.t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for v := uint64(0); ; v++ {
			for p := range partitions {
				_, _ = c.js.Publish(ctx, "datagrams."+strconv.Itoa(p), binary.LittleEndian.AppendUint64(nil, v))
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
}

// fewest returns how many outputs the partition with the fewest has.
func (c client) fewest(partitions int) (n uint64) {
	c.t.Helper()
	c.retry(func(ctx context.Context) error {
		stream, err := c.js.Stream(ctx, "FLOWS")
		if err != nil {
			return err
		}
		info, err := stream.Info(ctx, jetstream.WithSubjectFilter("flows.*"))
		if err != nil {
			return err
		}
		n = info.State.Subjects["flows.0"]
		for p := range partitions {
			n = min(n, info.State.Subjects["flows."+strconv.Itoa(p)])
		}
		return nil
	})
	return n
}

// longestPause returns the longest time between two outputs of one partition, by the clock of
// the server.
func (c client) longestPause() (longest time.Duration) {
	c.t.Helper()
	stream, err := c.js.Stream(c.t.Context(), "FLOWS")
	if err != nil {
		c.t.Fatal(err)
	}
	consumer, err := stream.OrderedConsumer(c.t.Context(), jetstream.OrderedConsumerConfig{HeadersOnly: true})
	if err != nil {
		c.t.Fatal(err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		c.t.Fatal(err)
	}
	defer messages.Stop()
	before := map[string]time.Time{}
	for seq := uint64(0); seq < stream.CachedInfo().State.LastSeq; {
		m, err := messages.Next()
		if err != nil {
			c.t.Fatal(err)
		}
		md, err := m.Metadata()
		if err != nil {
			c.t.Fatal(err)
		}
		if t := before[m.Subject()]; !t.IsZero() {
			longest = max(longest, md.Timestamp.Sub(t))
		}
		before[m.Subject()], seq = md.Timestamp, md.Sequence.Stream
	}
	return longest
}

// slack is for the tests that run at the same time.
const slack = 3

// A worker that joins, or leaves, makes no partition pause for more than a second, and one that
// is gone without a word for no more than three.
func TestHandOverIsQuick(t *testing.T) {
	t.Parallel()
	const partitions = 8
	for _, tt := range []struct {
		name   string
		most   time.Duration
		change func(s *bustest.Server, cfg bus.Config, first, second *bus.Bus, stopSecond func())
	}{
		{"a worker joins", time.Second, func(s *bustest.Server, cfg bus.Config, _, _ *bus.Bus, _ func()) {
			start(t, s.Connect(bus.Decode, cfg), pass)
		}},
		{"a worker leaves", time.Second, func(_ *bustest.Server, _ bus.Config, _, _ *bus.Bus, stopSecond func()) { stopSecond() }},
		{"a worker is gone", 3 * time.Second, func(_ *bustest.Server, _ bus.Config, _, second *bus.Bus, _ func()) { second.Close() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := bustest.New(t)
			c := newClient(t, s)
			cfg := s.Config(partitions)
			first, second := s.Connect(bus.Decode, cfg), s.Connect(bus.Decode, cfg)
			start(t, first, pass)
			stopSecond := start(t, second, pass)
			c.steady(partitions, 20*time.Millisecond)
			c.until("a steady state", func() bool { return c.fewest(partitions) >= 50 })
			tt.change(s, cfg, first, second, stopSecond)
			before := c.fewest(partitions)
			c.until("all partitions to go on", func() bool { return c.fewest(partitions) >= before+50 })
			longest := c.longestPause()
			t.Logf("longest pause of a partition: %v", longest)
			if longest > slack*tt.most {
				t.Errorf("a partition paused for %v, want at most %v, and %d times that where other tests run", longest, tt.most, slack)
			}
		})
	}
}
