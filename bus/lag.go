// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	// lagEvery is how often a worker asks what waits for it.
	lagEvery = 2 * time.Second
	// askInactive is how long the server keeps a consumer that was made to ask, if it is not deleted.
	askInactive = 5 * time.Second
)

// lagWatch counts what waits for a stage in a partition. It asks the server, so that the lag
// grows also while the stage stands and reads nothing.
type lagWatch struct {
	b     *Bus
	s     Stream
	p     int
	gauge prometheus.Gauge

	mu       sync.Mutex
	consumer jetstream.Consumer // that reads the partition, nil while none does
	taken    uint64             // its messages that the stage has taken
}

// run sets the gauge until ctx ends.
func (w *lagWatch) run(ctx context.Context) {
	defer w.gauge.Set(0)
	tick := time.NewTicker(lagEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		try, cancel := context.WithTimeout(ctx, publishTimeout)
		lag, err := w.ask(try)
		if err == nil { // else it stays what it was
			w.gauge.Set(float64(lag))
		}
		if w.p == 0 { // one worker of each stage is enough
			if err := w.b.measure(try, w.s); err != nil && ctx.Err() == nil {
				w.b.log.Debug("measure", "stream", w.s.Name, "error", err)
			}
		}
		cancel()
	}
}

// ask returns what waits behind the last message that the stage has taken.
func (w *lagWatch) ask(ctx context.Context) (uint64, error) {
	w.mu.Lock()
	consumer, taken := w.consumer, w.taken
	w.mu.Unlock()
	if consumer == nil {
		return w.b.lag(ctx, w.s, w.b.stage, w.p)
	}
	// By its name, since asking the consumer itself would hold its lock for as long as that takes.
	now, err := w.b.js.Consumer(ctx, w.s.Name, consumer.CachedInfo().Name)
	if err != nil {
		return 0, err
	}
	info := now.CachedInfo()
	if taken > info.Delivered.Consumer { // it was made anew
		taken = 0
	}
	return info.NumPending + info.Delivered.Consumer - taken, nil
}

// reads says which consumer reads the partition from now on, nil for none.
func (w *lagWatch) reads(c jetstream.Consumer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.consumer, w.taken = c, 0
}

// takes notes that the stage has taken a message.
func (w *lagWatch) takes(md *jetstream.MsgMetadata) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken = md.Sequence.Consumer
	w.gauge.Set(float64(md.NumPending))
}

// watchOf returns the lagWatch of a partition, made with the first call.
func (b *Bus) watchOf(s Stream, p int) *lagWatch {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := s.partition(p)
	if b.lags[key] == nil {
		b.lags[key] = &lagWatch{b: b, s: s, p: p, gauge: b.m.lag.WithLabelValues(s.Name, strconv.Itoa(p))}
	}
	return b.lags[key]
}

// lag returns how many messages of a partition a stage has not covered, by what it told last.
func (b *Bus) lag(ctx context.Context, s Stream, stage string, p int) (uint64, error) {
	covered, err := b.told(ctx, s, stage, p)
	if err != nil {
		return 0, err
	}
	return b.behind(ctx, s, p, covered)
}

// told returns the last sequence that a stage told to have covered, 0 before it did.
func (b *Bus) told(ctx context.Context, s Stream, stage string, p int) (uint64, error) {
	kv, err := b.bucket(ctx, positions)
	if err != nil {
		return 0, err
	}
	e, err := kv.Get(ctx, positionKeyOf(s, stage, p))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read position of %s: %w", stage, err)
	}
	seq, err := strconv.ParseUint(string(e.Value()), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read position of %s: %w", stage, err)
	}
	return seq, nil
}

// behind counts the messages of a partition behind seq: those that a consumer that began there
// would have before it.
func (b *Bus) behind(ctx context.Context, s Stream, p int, seq uint64) (uint64, error) {
	cfg := jetstream.ConsumerConfig{
		FilterSubject: s.partition(p), AckPolicy: jetstream.AckNonePolicy, InactiveThreshold: askInactive,
		MemoryStorage: true, Replicas: 1, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: seq + 1,
	}
	consumer, err := b.js.CreateConsumer(ctx, s.Name, cfg)
	if err != nil {
		return 0, fmt.Errorf("count messages of %s: %w", s.partition(p), err)
	}
	info := consumer.CachedInfo()
	if err := b.js.DeleteConsumer(ctx, s.Name, info.Name); err != nil {
		b.log.Debug("delete consumer", "stream", s.Name, "error", err) // the server does so itself
	}
	return info.NumPending, nil
}
