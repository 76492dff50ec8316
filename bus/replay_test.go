// SPDX-License-Identifier: Apache-2.0

package bus_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
)

var errUnlucky = errors.New("unlucky")

// collect is a stage that reads FLOWS, refuses numbers below a bound while it is told to, and
// remembers the others.
type collector struct {
	refuse atomic.Bool
	mu     sync.Mutex
	got    []uint64
}

func (k *collector) Handle(_ context.Context, in, out *numbers) error {
	for _, v := range in.v {
		if k.refuse.Load() && v < 20 {
			return bus.Permanent(errUnlucky)
		}
	}
	out.v = append(out.v, in.v...)
	return nil
}

func (k *collector) add(v []uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.got = append(k.got, v...)
}

func (k *collector) all() []uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(slices.Values(k.got))
}

// letters returns the sequences of the dead letters.
func letters(t *testing.T, b *bus.Bus) (seqs []uint64) {
	t.Helper()
	err := b.Letters(t.Context(), func(l *bus.Letter) error {
		if l.Reason != errUnlucky.Error() {
			t.Errorf("letter %d: reason %q", l.Sequence, l.Reason)
		}
		seqs = append(seqs, l.Sequence)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return seqs
}

func TestReplayedLettersComeOnceHoweverOftenTheReplayIsCutShort(t *testing.T) {
	t.Parallel()
	const n = 200
	s := bustest.New(t)
	c := newClient(t, s)
	cfg := s.Config(1)
	// One number a message, so that each refused one is a letter of its own.
	start(t, s.Connect(bus.Decode, cfg), func(in, out *numbers) error {
		if len(out.v) > 0 && in.v[0] < 20 {
			return errors.New("not into this message")
		}
		return pass(in, out)
	})
	k := &collector{}
	k.refuse.Store(true)
	enrich := s.Connect(bus.Enrich, cfg)
	background(t, func(ctx context.Context) {
		_ = bus.Process(ctx, enrich, bus.Flows, bus.Enriched, func(context.Context, int) (bus.Handler[numbers, numbers], error) { return k, nil })
	})
	insert := s.Connect(bus.Insert, cfg)
	background(t, func(ctx context.Context) {
		_ = bus.Sink(ctx, insert, bus.Enriched, bus.SinkConfig{MaxRows: 10, MaxWait: 10 * time.Millisecond}, func(_ context.Context, _ string, batch []*numbers) error {
			for _, m := range batch {
				k.add(m.v)
			}
			return nil
		})
	})
	operator := s.Connect("operator", cfg)
	for v := range uint64(20) {
		c.publish(0, v, v+1)
		c.until("its letter", func() bool { return len(letters(t, operator)) == int(v)+1 })
	}
	k.refuse.Store(false)
	done := make(chan struct{})
	go func() { // the writer goes on meanwhile
		defer close(done)
		c.publish(0, 20, n)
	}()
	for _, seq := range letters(t, operator) {
		c.until("the replay", func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.Int64N(int64(5*time.Millisecond))))
			defer cancel()
			err := operator.Replay(ctx, seq)
			return err == nil || errors.Is(err, bus.ErrNoLetter)
		})
	}
	<-done
	c.until("all numbers", func() bool { return len(k.all()) >= n })
	for i, v := range k.all() {
		if v != uint64(i) {
			t.Fatalf("got %v", k.all())
		}
	}
	if left := letters(t, operator); len(left) > 0 {
		t.Errorf("letters %v are left", left)
	}
}

// What insert could not write has been summed: a replay of it is for insert alone.
func TestReplayedLetterIsForItsStageAlone(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	cfg := s.Config(1)
	start(t, s.Connect(bus.Decode, cfg), pass)
	background(t, func(ctx context.Context) {
		_ = bus.Process(ctx, s.Connect(bus.Enrich, cfg), bus.Flows, bus.Enriched, func(context.Context, int) (bus.Handler[numbers, numbers], error) {
			return handlerFunc(pass), nil
		})
	})
	sums, rows := &collector{}, &collector{}
	background(t, func(ctx context.Context) {
		_ = bus.Process(ctx, s.Connect(bus.Aggregate, cfg), bus.Enriched, bus.Rollups, func(context.Context, int) (bus.Handler[numbers, numbers], error) {
			return handlerFunc(func(in, _ *numbers) error { sums.add(in.v); return nil }), nil
		})
	})
	rows.refuse.Store(true)
	background(t, func(ctx context.Context) {
		_ = bus.Sink(ctx, s.Connect(bus.Insert, cfg), bus.Enriched, bus.SinkConfig{MaxRows: 1, MaxWait: time.Millisecond}, func(_ context.Context, _ string, batch []*numbers) error {
			for _, m := range batch {
				if rows.refuse.Load() {
					return bus.Permanent(errUnlucky)
				}
				rows.add(m.v)
			}
			return nil
		})
	})
	operator := s.Connect("operator", cfg)
	c.publish(0, 0, 1)
	c.until("the letter", func() bool { return len(letters(t, operator)) == 1 })
	rows.refuse.Store(false)
	if err := operator.Replay(t.Context(), letters(t, operator)[0]); err != nil {
		t.Fatal(err)
	}
	c.publish(0, 1, 2)
	c.until("both rows", func() bool { return slices.Equal(rows.all(), []uint64{0, 1}) })
	c.until("both sums", func() bool { return len(sums.all()) >= 2 })
	if got := sums.all(); !slices.Equal(got, []uint64{0, 1}) {
		t.Errorf("aggregate had %v", got)
	}
}

// background runs f until the test ends.
func background(t *testing.T, f func(context.Context)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); f(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}
