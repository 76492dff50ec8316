// SPDX-License-Identifier: Apache-2.0

package bus_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
)

// sider copies its input to its output and to a side, unless handle says otherwise.
type sider struct {
	handlerFunc
	side   numbers
	stream bus.Stream
	more   []bus.Stream // with the same rows
	copies []*numbers
	keep   func() bus.Position
	last   bus.Position
}

func (h *sider) Sides() []bus.Side {
	sides := []bus.Side{{Stream: h.stream, Message: &h.side, Keep: h.keep}}
	for _, stream := range h.more {
		n := &numbers{}
		h.copies = append(h.copies, n)
		sides = append(sides, bus.Side{Stream: stream, Message: n})
	}
	return sides
}

func (h *sider) Handle(ctx context.Context, in, out *numbers) error {
	h.last = bus.PositionOf(ctx)
	if in.v[0] < silent {
		for _, n := range append(h.copies, &h.side) {
			n.v = append(n.v, in.v...)
		}
	}
	return h.handlerFunc(in, out)
}

// Numbers from silent on have no row on the side.
const silent = 1 << 40

// startSided runs a worker with a side; stop ends it as a kill does if its bus is closed before.
func startSided(t *testing.T, b *bus.Bus, h handlerFunc) (stop func()) {
	t.Helper()
	return startHandlers(t, b, func() *sider { return &sider{handlerFunc: h, stream: bus.Counters} })
}

func startHandlers(t *testing.T, b *bus.Bus, open func() *sider) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = bus.Process(ctx, b, bus.Datagrams, bus.Flows, func(context.Context, int) (bus.Handler[numbers, numbers], error) {
			return open(), nil
		})
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

// expectSide checks that partition 0 of COUNTERS has 0..n-1, each once and in order. It is called when
// the output is there, and the side is there before.
func (c client) expectSide(n uint64) {
	c.t.Helper()
	want := make([]uint64, n)
	for i := range want {
		want[i] = uint64(i)
	}
	if got := c.rows("COUNTERS", "counters.0"); !slices.Equal(got, want) {
		c.t.Errorf("side: got %v, want 0 to %d", got, n-1)
	}
}

// fill fills a stream by messages of partition 1, and empty makes room again.
func (c client) fill(stream, subject string) (empty func()) {
	c.t.Helper()
	junk := make([]byte, 64<<10)
	for i := range junk {
		junk[i] = byte(rand.Uint32())
	}
	for {
		if _, err := c.js.Publish(c.t.Context(), subject, junk); err == nil {
			continue
		}
		if junk = junk[:len(junk)/2]; len(junk) == 0 {
			break
		}
	}
	return func() {
		s, err := c.js.Stream(c.t.Context(), stream)
		if err != nil {
			c.t.Fatal(err)
		}
		if err := s.Purge(c.t.Context(), jetstream.WithPurgeSubject(subject)); err != nil {
			c.t.Fatal(err)
		}
	}
}

// cramped are settings of two partitions whose streams are soon full.
func cramped(s *bustest.Server) bus.Config {
	cfg := s.Config(2)
	cfg.MaxBytes = 16 << 20
	return cfg
}

func TestSideIsThereOnceThoughTheWorkerIsKilledBeforeItsOutput(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	cfg := cramped(s)
	killed := s.Connect(bus.Decode, cfg)
	startSided(t, killed, pass)
	c.publish(0, 0, 10)
	c.expect(0, 10)
	empty := c.fill("FLOWS", "flows.1")
	c.publish(0, 10, 20)
	c.until("the side ahead of the output", func() bool { return len(c.rows("COUNTERS", "counters.0")) > 10 })
	killed.Close()
	c.publish(0, 20, 30)
	startSided(t, s.Connect(bus.Decode, cfg), pass)
	if n := len(c.rows("FLOWS", "flows.0")); n != 10 {
		t.Fatalf("%d outputs of a full stream", n)
	}
	empty()
	c.expect(0, 30)
	c.expectSide(30)
}

func TestFullSideMakesTheWorkerWait(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	cfg := cramped(s)
	stop := startSided(t, s.Connect(bus.Decode, cfg), pass)
	c.publish(0, 0, 10)
	c.expect(0, 10)
	empty := c.fill("COUNTERS", "counters.1")
	c.publish(0, 10, 20)
	stop() // a clean stop does not wait for room
	if n := len(c.rows("FLOWS", "flows.0")); n != 10 {
		t.Errorf("%d outputs: they went ahead of the side", n)
	}
	startSided(t, s.Connect(bus.Decode, cfg), pass)
	empty()
	c.expect(0, 20)
	c.expectSide(20)
}

func TestSuspendedWorkerAddsNothingToTheSide(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	cfg := s.Config(1)
	var once sync.Once
	suspended, resume := make(chan struct{}), make(chan struct{})
	startSided(t, s.Connect(bus.Decode, cfg), func(in, out *numbers) error {
		if in.v[0] == 5 {
			once.Do(func() { close(suspended); <-resume })
		}
		return pass(in, out)
	})
	c.publish(0, 0, 10)
	<-suspended
	startSided(t, s.Connect("other", cfg), pass) // owns the partition, too
	c.expect(0, 10)
	close(resume)
	c.publish(0, 10, 20)
	c.expect(0, 20)
	c.expectSide(20)
}

func TestSideOverErrorsRestartsAndHandOvers(t *testing.T) {
	t.Parallel()
	const n = 400
	s := bustest.New(t)
	c := newClient(t, s)
	cfg := s.Config(1)
	unsteady := func(in, out *numbers) error {
		if rand.IntN(50) == 0 {
			return errOnce
		}
		return pass(in, out)
	}
	published := make(chan struct{})
	go func() {
		defer close(published)
		c.publish(0, 0, n)
	}()
	for round := range 6 {
		b := s.Connect(bus.Decode, cfg)
		stop := startSided(t, b, unsteady)
		at := len(c.outputs(0))
		c.until("progress", func() bool { return len(c.outputs(0)) > min(at+20, n-1) })
		switch round % 3 {
		case 0:
			b.Close() // as a kill
		case 1:
			s.Stop()
			s.Start()
		}
		stop()
	}
	<-published
	startSided(t, s.Connect(bus.Decode, cfg), pass)
	c.expect(0, n)
	c.expectSide(n)
}

func TestSideWithoutRowsHasNoMessage(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	startSided(t, s.Connect(bus.Decode, s.Config(1)), pass)
	c.publish(0, silent, silent+1)
	c.publish(0, 0, 1)
	c.publish(0, silent+1, silent+2)
	c.until("the outputs", func() bool { return len(c.outputs(0)) >= 3 })
	c.expectSide(1)
}

func TestSideOfARewoundInputStream(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	b := s.Connect(bus.Decode, s.Config(1))
	stop := startSided(t, b, pass)
	c.publish(0, 0, 50)
	c.expect(0, 50)
	stop()
	if err := c.js.DeleteStream(t.Context(), "DATAGRAMS"); err != nil {
		t.Fatal(err)
	}
	if err := b.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.publish(0, 50, 120) // sequences 1 to 70 once more
	startSided(t, b, pass)
	c.expect(0, 120)
	c.expectSide(120)
}

func TestLogIsReadBackAndTruncated(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	b := s.Connect(bus.Decode, s.Config(1))
	open := func() *sider { // needs all from the fifth input on
		h := &sider{handlerFunc: pass, stream: bus.Held}
		var fifth bus.Position
		h.keep = func() bus.Position {
			if h.last.Seq == 5 {
				fifth = h.last
			}
			return fifth
		}
		return h
	}
	stop := startHandlers(t, b, open)
	for v := range uint64(20) { // one by one, so that each has a message of its own
		c.publish(0, v, v+1)
		c.expect(0, v+1)
	}
	held := func() (got []uint64) {
		if err := bus.ReadLog(t.Context(), b, bus.Held, 0, func(n *numbers) error { got = append(got, n.v...); return nil }); err != nil {
			t.Fatal(err)
		}
		return got
	}
	want := []uint64{4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}
	c.until("what is needed, and nothing more", func() bool { return slices.Equal(held(), want) })
	stop()

	startHandlers(t, b, func() *sider {
		return &sider{handlerFunc: pass, stream: bus.Held, keep: func() bus.Position { return bus.Position{} }}
	})
	c.publish(0, 20, 21)
	c.until("the anchor alone", func() bool { return slices.Equal(held(), []uint64{20}) })
}

func TestPositionIsThatOfTheInput(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	seen := make(chan bus.Position, 1)
	startHandlers(t, s.Connect(bus.Decode, s.Config(1)), func() *sider {
		h := &sider{stream: bus.Held}
		h.handlerFunc = func(in, out *numbers) error {
			seen <- h.last
			return pass(in, out)
		}
		return h
	})
	before := time.Now()
	c.publish(0, 0, 1)
	if pos := <-seen; pos.Seq != 1 || pos.Time < before.UnixNano() || pos.Time > time.Now().UnixNano() {
		t.Errorf("position %v, want the first message, stored after %d", pos, before.UnixNano())
	}
}
