// SPDX-License-Identifier: Apache-2.0

package bus_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
)

// numbers is a message of 8 octet numbers.
type numbers struct{ v []uint64 }

func (n *numbers) Rows() int   { return len(n.v) }
func (n *numbers) Reset()      { n.v = n.v[:0] }
func (n *numbers) SizeVT() int { return 8 * len(n.v) }
func (n *numbers) AppendVT(dst []byte) []byte {
	for _, v := range n.v {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	return dst
}

var errNotNumbers = errors.New("not numbers")

func (n *numbers) UnmarshalVTUnsafe(p []byte) error {
	if len(p)%8 != 0 {
		return errNotNumbers
	}
	n.v = n.v[:0]
	for ; len(p) > 0; p = p[8:] {
		n.v = append(n.v, binary.LittleEndian.Uint64(p))
	}
	return nil
}

// handlerFunc copies its input unless it is told otherwise.
type handlerFunc func(in, out *numbers) error

func (f handlerFunc) Handle(_ context.Context, in, out *numbers) error { return f(in, out) }

func pass(in, out *numbers) error {
	out.v = append(out.v, in.v...)
	return nil
}

// start runs a worker of decode on all partitions until the returned function ends it.
func start(t *testing.T, b *bus.Bus, h handlerFunc) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- bus.Process(ctx, b, bus.Datagrams, bus.Flows, func(context.Context, int) (bus.Handler[numbers, numbers], error) {
			return h, nil
		})
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Process: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// client reads and writes streams without package bus.
type client struct {
	t  *testing.T
	js jetstream.JetStream
}

func newClient(t *testing.T, s *bustest.Server) client {
	t.Helper()
	nc, err := nats.Connect(s.URL(), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return client{t, js}
}

// publish puts numbers from..to-1 into partition p of DATAGRAMS, one a message.
func (c client) publish(p int, from, to uint64) {
	c.t.Helper()
	for v := from; v < to; v++ {
		c.retry(func(ctx context.Context) error {
			_, err := c.js.Publish(ctx, "datagrams."+strconv.Itoa(p), binary.LittleEndian.AppendUint64(nil, v),
				jetstream.WithMsgID(strconv.Itoa(p)+"-"+strconv.FormatUint(v, 10)))
			return err
		})
	}
}

func (c client) retry(f func(context.Context) error) {
	c.t.Helper()
	c.until("no error", func() bool {
		ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Second)
		defer cancel()
		return f(ctx) == nil
	})
}

const patience = 30 * time.Second

// until waits for a condition.
func (c client) until(what string, ok func() bool) {
	c.t.Helper()
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			c.t.Fatalf("waited %v for: %s", patience, what)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// outputs returns all numbers in partition p of FLOWS, in order.
func (c client) outputs(p int) []uint64 {
	c.t.Helper()
	return c.rows("FLOWS", "flows."+strconv.Itoa(p))
}

// rows returns all numbers on a subject of a stream, in order.
func (c client) rows(stream, subject string) (got []uint64) {
	c.t.Helper()
	c.retry(func(ctx context.Context) error {
		got = nil
		s, err := c.js.Stream(ctx, stream)
		if err != nil {
			return err
		}
		for seq := uint64(0); seq < s.CachedInfo().State.LastSeq; {
			m, err := s.GetMsg(ctx, seq+1, jetstream.WithGetMsgSubject(subject))
			if errors.Is(err, jetstream.ErrMsgNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			got, seq = append(got, unpack(c.t, m).v...), m.Sequence
		}
		return nil
	})
	return got
}

// expect waits until partition p of FLOWS holds 0..n-1, each once and in order.
func (c client) expect(p int, n uint64) {
	c.t.Helper()
	var got []uint64
	c.until(strconv.FormatUint(n, 10)+" numbers in partition "+strconv.Itoa(p), func() bool {
		got = c.outputs(p)
		return uint64(len(got)) >= n
	})
	want := make([]uint64, n)
	for i := range want {
		want[i] = uint64(i)
	}
	if !slices.Equal(got, want) {
		c.t.Errorf("partition %d: got %v, want 0 to %d", p, got, n-1)
	}
}

func TestOutputsFollowInputs(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	b := s.Connect(bus.Decode, s.Config(4))
	start(t, b, pass)
	for p := range 4 {
		c.publish(p, 0, 100)
	}
	for p := range 4 {
		c.expect(p, 100)
	}
}

func TestWaitingInputsAreJoined(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	b := s.Connect(bus.Decode, s.Config(1))
	c.publish(0, 0, 500)
	start(t, b, pass)
	c.expect(0, 500)
	stream, err := c.js.Stream(t.Context(), "FLOWS")
	if err != nil {
		t.Fatal(err)
	}
	if n := stream.CachedInfo().State.Msgs; n > 250 {
		t.Errorf("500 waiting inputs became %d outputs", n)
	}
}

func TestWorkersHandOver(t *testing.T) {
	t.Parallel()
	const partitions, each = 8, 300
	s := bustest.New(t)
	c := newClient(t, s)
	cfg := s.Config(partitions)
	stopFirst := start(t, s.Connect(bus.Decode, cfg), pass)
	for p := range partitions {
		c.publish(p, 0, each/3)
	}
	stopSecond := start(t, s.Connect(bus.Decode, cfg), pass) // joins
	for p := range partitions {
		c.publish(p, each/3, 2*each/3)
	}
	stopFirst() // leaves
	for p := range partitions {
		c.publish(p, 2*each/3, each)
	}
	for p := range partitions {
		c.expect(p, each)
	}
	stopSecond()
}

// A worker that was suspended while it handled a message, and comes back after another has
// gone on, must not append what it has in hand.
func TestSuspendedWorkerIsFenced(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	cfg := s.Config(1)
	var once sync.Once
	suspended, resume := make(chan struct{}), make(chan struct{})
	start(t, s.Connect(bus.Decode, cfg), func(in, out *numbers) error {
		if in.v[0] == 5 {
			once.Do(func() { close(suspended); <-resume })
		}
		return pass(in, out)
	})
	c.publish(0, 0, 10)
	<-suspended

	// Another stage does not count the first worker as a member, and so owns the partition, too.
	start(t, s.Connect("other", cfg), pass)
	c.expect(0, 10)
	close(resume)
	c.publish(0, 10, 20)
	c.expect(0, 20)
}

func TestServerRestart(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	b := s.Connect(bus.Decode, s.Config(2))
	start(t, b, pass)
	for round := range uint64(3) {
		c.publish(0, round*50, round*50+50)
		s.Stop()
		s.Start()
		c.publish(1, round*50, round*50+50)
	}
	c.expect(0, 150)
	c.expect(1, 150)
}

func TestPoisonGoesToDeadAndThePartitionGoesOn(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	b := s.Connect(bus.Decode, s.Config(1))
	errOdd := errors.New("seven is odd")
	start(t, b, func(in, out *numbers) error {
		switch in.v[0] {
		case 3:
			out.v = append(out.v, 99) // must not come out
			panic("three")
		case 7:
			return bus.Permanent(errOdd)
		}
		return pass(in, out)
	})
	c.publish(0, 0, 5)
	c.retry(func(ctx context.Context) error { // not a multiple of 8 octets
		_, err := c.js.Publish(ctx, "datagrams.0", []byte("garbage"))
		return err
	})
	c.publish(0, 5, 10)
	want := []uint64{0, 1, 2, 4, 5, 6, 8, 9}
	var got []uint64
	c.until("the others", func() bool { got = c.outputs(0); return len(got) >= len(want) })
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	checkDead(c, map[string]string{
		"4": `"panic: three"`, "6": `"` + errNotNumbers.Error() + `"`, "9": `"` + errOdd.Error() + `"`,
	})
}

// checkDead compares the DEAD stream with reasons by source sequence.
func checkDead(c client, want map[string]string) {
	c.t.Helper()
	stream, err := c.js.Stream(c.t.Context(), "DEAD")
	if err != nil {
		c.t.Fatal(err)
	}
	if n := stream.CachedInfo().State.Msgs; n != uint64(len(want)) {
		c.t.Errorf("%d dead letters, want %d", n, len(want))
	}
	for seq := range stream.CachedInfo().State.LastSeq {
		m, err := stream.GetMsg(c.t.Context(), seq+1)
		if err != nil {
			c.t.Fatal(err)
		}
		if got := m.Header.Get("Weir-Reason"); got != want[m.Header.Get("Weir-Sequence")] {
			c.t.Errorf("dead letter of sequence %s: reason %s", m.Header.Get("Weir-Sequence"), got)
		}
	}
}

func TestTransientErrorsAreTriedAgain(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	var failures atomic.Int32
	start(t, s.Connect(bus.Decode, s.Config(1)), func(in, out *numbers) error {
		if in.v[0] == 5 && failures.Add(1) < 3 {
			return errors.New("not now")
		}
		return pass(in, out)
	})
	c.publish(0, 0, 10)
	c.expect(0, 10)
}
