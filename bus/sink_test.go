// SPDX-License-Identifier: Apache-2.0

package bus_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
)

// store is a database that drops a batch whose token it has.
type store struct {
	mu      sync.Mutex
	batches map[string][]uint64
	repeats int
	changed string // a token that came with other content
}

func (s *store) write(token string, batch []*numbers) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []uint64
	for _, m := range batch {
		all = append(all, m.v...)
	}
	if old, ok := s.batches[token]; ok {
		s.repeats++
		if !slices.Equal(old, all) {
			s.changed = token
		}
		return
	}
	s.batches[token] = all
}

func (s *store) values() (all []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.batches {
		all = append(all, b...)
	}
	slices.Sort(all)
	return all
}

// startSink runs a worker of insert until the returned function ends it.
func startSink(t *testing.T, b *bus.Bus, write func(ctx context.Context, token string, batch []*numbers) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- bus.Sink(ctx, b, bus.Datagrams, bus.SinkConfig{MaxRows: 50, MaxWait: 100 * time.Millisecond}, write)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Sink: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// publishAll puts numbers, each once, into n partitions.
func (c client) publishAll(n int, from, to uint64) {
	c.t.Helper()
	for v := from; v < to; v++ {
		c.publish(int(v%uint64(n)), v, v+1)
	}
}

// expectStored waits until the store holds 0..n-1, each once.
func (c client) expectStored(db *store, n uint64) {
	c.t.Helper()
	c.until(strconv.FormatUint(n, 10)+" numbers in the store", func() bool { return uint64(len(db.values())) >= n })
	for i, v := range db.values() {
		if v != uint64(i) {
			c.t.Fatalf("value %d is %d", i, v)
		}
	}
	if db.changed != "" {
		c.t.Errorf("batch %s was repeated with other content", db.changed)
	}
}

func TestSinkJoinsPartitions(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	db := &store{batches: map[string][]uint64{}}
	b := s.Connect(bus.Insert, s.Config(8))
	c.publishAll(8, 0, 400)
	startSink(t, b, func(_ context.Context, token string, batch []*numbers) error { db.write(token, batch); return nil })
	c.expectStored(db, 400)
	if n := len(db.batches); n > 40 {
		t.Errorf("400 rows became %d batches of at most 50", n)
	}
}

// Workers end at the worst moments: before the write, and after it but before anybody knows.
func TestSinkRepeatsUnfinishedBatches(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	cfg := s.Config(4)
	db := &store{batches: map[string][]uint64{}}
	const rounds, each = 6, 60
	s.Connect(bus.Ingest, cfg) // makes the streams
	for round := range uint64(rounds) {
		c.publishAll(4, round*each, round*each+each)
		ctx, crash := context.WithCancel(t.Context())
		writes := 0
		stop := startSink(t, s.Connect(bus.Insert, cfg), func(wctx context.Context, token string, batch []*numbers) error {
			writes++
			if round%2 == 0 || writes > 1 {
				db.write(token, batch)
			}
			crash()
			<-wctx.Done()
			return wctx.Err()
		})
		<-ctx.Done()
		stop()
	}
	startSink(t, s.Connect(bus.Insert, cfg), func(_ context.Context, token string, batch []*numbers) error { db.write(token, batch); return nil })
	c.expectStored(db, rounds*each)
	if db.repeats == 0 {
		t.Error("no batch was repeated: the test did not hit what it is for")
	}
}

// A worker that is suspended in its write, while another takes its partitions over, finishes
// late; its next batch is refused.
func TestSuspendedSinkIsFenced(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	cfg := s.Config(2)
	db := &store{batches: map[string][]uint64{}}
	suspended, resume := make(chan struct{}), make(chan struct{})
	var once sync.Once
	startSink(t, s.Connect(bus.Insert, cfg), func(_ context.Context, token string, batch []*numbers) error {
		once.Do(func() { close(suspended); <-resume })
		db.write(token, batch)
		return nil
	})
	c.publishAll(2, 0, 100)
	<-suspended
	startSink(t, s.Connect("other", cfg), func(_ context.Context, token string, batch []*numbers) error { db.write(token, batch); return nil })
	c.expectStored(db, 100)
	close(resume)
	c.publishAll(2, 100, 200)
	c.expectStored(db, 200)
}

func TestSinkBuriesWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	db := &store{batches: map[string][]uint64{}}
	b := s.Connect(bus.Insert, s.Config(1))
	c.publish(0, 0, 3)
	errRefused := errors.New("value refused")
	tries := 0
	startSink(t, b, func(_ context.Context, token string, batch []*numbers) error {
		if batch[0].v[0] == 0 {
			return bus.Permanent(errRefused)
		}
		if tries++; tries < 3 {
			return errors.New("away")
		}
		db.write(token, batch)
		return nil
	})
	c.until("dead letters", func() bool {
		stream, err := c.js.Stream(t.Context(), "DEAD")
		return err == nil && stream.CachedInfo().State.Msgs == 3
	})
	want := fmt.Sprintf("%q", errRefused.Error())
	checkDead(c, map[string]string{"1": want, "2": want, "3": want})
	c.publish(0, 3, 5)
	c.until("what follows", func() bool { return slices.Equal(db.values(), []uint64{3, 4}) })
}

// A batch of which rows are refused is written once all the same, and the rows are dead letters
// on their own, also when the worker ends between the two and another repeats it.
func TestSinkBuriesTheRowsThatAreRefused(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	cfg := s.Config(2)
	db := &store{batches: map[string][]uint64{}}
	s.Connect(bus.Ingest, cfg) // makes the streams
	c.send("datagrams.0", 10, 11, 12)
	c.send("datagrams.0", 13, 14, 15)
	c.send("datagrams.1", 16, 17)
	c.send("datagrams.1", 18)
	errOdd := errors.New("odd")
	for _, crashes := range []bool{true, false} {
		ctx, crash := context.WithCancel(t.Context())
		stop := startSink(t, s.Connect(bus.Insert, cfg), func(wctx context.Context, token string, batch []*numbers) error {
			var good []*numbers
			var odd []bus.Refusal
			for i, m := range batch {
				if len(m.v) == 1 { // as a whole
					odd = append(odd, bus.Refusal{Message: i, Reason: errOdd})
					continue
				}
				for row, v := range m.v {
					if v%2 == 0 {
						good = append(good, &numbers{[]uint64{v}})
					} else {
						odd = append(odd, bus.Refusal{Message: i, Rows: &numbers{[]uint64{v}}, First: row, Reason: errOdd})
					}
				}
			}
			db.write(token, good)
			if crashes {
				crash()
				<-wctx.Done()
				return wctx.Err()
			}
			return bus.Refused(odd)
		})
		if !crashes {
			c.until("dead letters", func() bool { return len(c.dead()) == 5 })
		} else {
			<-ctx.Done()
		}
		stop()
		crash()
	}
	if got := db.values(); !slices.Equal(got, []uint64{10, 12, 14, 16}) {
		t.Errorf("stored %v", got)
	}
	got := c.dead()
	slices.Sort(got)
	want := []string{`1 "odd" [11]`, `2 "odd" [13]`, `2 "odd" [15]`, `3 "odd" [17]`, `4 "odd" [18]`}
	if !slices.Equal(got, want) {
		t.Errorf("dead letters %v, want %v", got, want)
	}
}

// send puts numbers into a subject, as one message.
func (c client) send(subject string, v ...uint64) {
	c.t.Helper()
	c.retry(func(ctx context.Context) error {
		_, err := c.js.Publish(ctx, subject, (&numbers{v}).AppendVT(nil), jetstream.WithMsgID(fmt.Sprint(v)))
		return err
	})
}

// dead returns the sequence, reason and numbers of each dead letter.
func (c client) dead() (all []string) {
	c.t.Helper()
	stream, err := c.js.Stream(c.t.Context(), "DEAD")
	if err != nil {
		return nil
	}
	for seq := range stream.CachedInfo().State.LastSeq {
		m, err := stream.GetMsg(c.t.Context(), seq+1)
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s %s %v", m.Header.Get("Weir-Sequence"), m.Header.Get("Weir-Reason"), unpack(c.t, m).v))
	}
	return all
}
