// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// SinkConfig bounds the batches of a Sink.
type SinkConfig struct {
	MaxRows int           // a batch is written when it has as many rows,
	MaxWait time.Duration // or when its first message has waited this long
}

// sinkAhead is how many messages wait, unpacked, for the batch that is being written.
const sinkAhead = 64

// Sink reads the partitions that fall to this worker and calls write with joint batches, in the
// order of partition and sequence, one at a time. Before that it writes down what is in the
// batch (an intent), so that after a crash the batch is written again with the same messages
// and the same token, by whoever takes over: write must make that harmless, by the token. A batch
// is tried until write returns nil; Permanent(err), and a panic, put its messages into the DEAD
// stream, Refused(parts) only those parts of it. One stage alone may be the sink of a stream. Sink returns
// nil when ctx ends and ErrPartitions like Process.
func Sink[M any, PM message[M]](ctx context.Context, b *Bus, in Stream, cfg SinkConfig,
	write func(ctx context.Context, token string, batch []*M) error,
) error {
	s := &sink[M, PM]{b: b, in: in, cfg: cfg, write: write, fetched: make(chan fetched[M], sinkAhead), readers: map[int]*sinkReader{}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.gather(ctx)
	}()
	err := b.work(ctx, in, s.partition)
	cancel()
	<-done
	return err
}

type sink[M any, PM message[M]] struct {
	b       *Bus
	in      Stream
	cfg     SinkConfig
	write   func(ctx context.Context, token string, batch []*M) error
	fetched chan fetched[M]

	writing sync.Mutex // held from the begin of an intent to its end

	mu      sync.Mutex
	readers map[int]*sinkReader // by partition
}

// sinkReader is the reading of one partition from an open to the next.
type sinkReader struct {
	trunc  truncator
	cancel context.CancelFunc
}

// fetched is a message of a reader; one that can't be unpacked has no m.
type fetched[M any] struct {
	reader *sinkReader
	after  Position // of the message before
	in     input
	m      *M
}

// partition reads partition p until ctx ends.
func (s *sink[M, PM]) partition(ctx context.Context, p int) {
	var delay backoff
	for ctx.Err() == nil {
		start := time.Now()
		err := s.readPartition(ctx, p)
		if ctx.Err() != nil {
			return
		}
		s.b.m.restarts.WithLabelValues(s.in.Name).Inc()
		if !errors.Is(err, context.Canceled) { // else the gatherer asked for it
			s.b.log.Warn("partition is opened again", "stream", s.in.Name, "partition", p, "error", err)
		}
		if time.Since(start) > maxDelay {
			delay.reset()
		}
		s.b.wait(ctx, &delay)
	}
}

// readPartition settles what others left unfinished and then reads on from there.
func (s *sink[M, PM]) readPartition(ctx context.Context, p int) error {
	pos, err := s.settle(ctx, p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &sinkReader{trunc: truncator{b: s.b, s: s.in, p: p}, cancel: cancel}
	r.trunc.position.Store(pos.Seq)
	go r.trunc.run(ctx)
	s.setReader(p, r)
	defer s.setReader(p, nil)

	messages, failed := make(chan input), make(chan error, 1)
	go func() { failed <- s.b.read(ctx, s.in, p, pos, messages) }()
	for {
		select {
		case err := <-failed:
			return err
		case in := <-messages:
			m, err := s.unpack(in)
			if err != nil {
				if err := s.b.bury(ctx, s.in, p, in, err); err != nil {
					return err
				}
			}
			select {
			case s.fetched <- fetched[M]{r, pos, in, m}:
				pos = in.pos
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

func (s *sink[M, PM]) unpack(in input) (*M, error) {
	payload, err := in.payload()
	if err != nil {
		return nil, err
	}
	m := new(M)
	if err := PM(m).UnmarshalVTUnsafe(payload); err != nil {
		return nil, err
	}
	return m, nil
}

func (s *sink[M, PM]) setReader(p int, r *sinkReader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r == nil {
		delete(s.readers, p)
	} else {
		s.readers[p] = r
	}
}

// reads tells whether r is what reads partition p now.
func (s *sink[M, PM]) reads(p int, r *sinkReader) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.readers[p] == r
}

// settle writes the open intent that has partition p again, if there is one, and returns the
// position from which to read.
func (s *sink[M, PM]) settle(ctx context.Context, p int) (Position, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	l, _, err := s.b.readLedger(ctx, s.in)
	if err != nil {
		return Position{}, err
	}
	i, open := l.opened(p)
	if !open {
		return l.Covered[p], nil
	}
	s.b.log.Info("repeating an unfinished batch", "stream", s.in.Name, "token", i.Token)
	messages, inputs, err := s.refetch(ctx, i)
	if err != nil {
		return Position{}, err
	}
	if err := s.complete(ctx, i, messages, inputs); err != nil {
		return Position{}, err
	}
	for _, sp := range i.Spans {
		if sp.Partition == p {
			return sp.To, nil
		}
	}
	return Position{}, fmt.Errorf("settle %s: no span of partition %d", i.Token, p)
}

// refetch reads the messages of an intent from the stream.
func (s *sink[M, PM]) refetch(ctx context.Context, i intent) (messages []*M, inputs []spanInput, err error) {
	for _, sp := range i.Spans {
		there, err := s.b.has(ctx, s.in, sp.To)
		if err != nil {
			return nil, nil, err
		}
		if !there {
			s.b.log.Error("messages of an unfinished batch are gone: the stream was made anew or lost its end",
				"stream", s.in.Name, "partition", sp.Partition, "after", sp.After.Seq, "to", sp.To.Seq)
			continue
		}
		if err := s.b.readSpan(ctx, s.in, sp, func(in input) {
			m, err := s.unpack(in)
			if err == nil { // else it was buried when it was read first
				messages = append(messages, m)
				inputs = append(inputs, spanInput{sp.Partition, in})
			}
		}); err != nil {
			return nil, nil, err
		}
	}
	return messages, inputs, nil
}

// spanInput is the input of a message of a batch, kept in case it has to be buried.
type spanInput struct {
	p  int
	in input
}

// complete writes the batch of an intent that is in the ledger, and finishes it there.
func (s *sink[M, PM]) complete(ctx context.Context, i intent, messages []*M, inputs []spanInput) error {
	var delay backoff
	for warned := false; len(messages) > 0; {
		err := s.safely(func() error { return s.write(ctx, i.Token, messages) })
		if err == nil {
			break
		}
		if parts := refusals(err, len(inputs)); parts != nil {
			if err := s.buryAll(ctx, inputs, parts); err == nil {
				break
			}
		} else if !warned && ctx.Err() == nil {
			warned = true
			s.b.log.Warn("batch could not be written, trying again", "stream", s.in.Name, "token", i.Token, "error", err)
		}
		if !delay.wait(ctx) {
			return ctx.Err()
		}
	}
	delay.reset()
	for {
		err := s.b.changeLedger(ctx, s.in, func(l *ledger) bool { l.finish(i.Token); return true })
		if err == nil {
			return nil
		}
		if !delay.wait(ctx) {
			return ctx.Err()
		}
	}
}

// refusals are the parts of a batch of n messages that err says can't be written, nil if
// it says no such thing.
func refusals(err error, n int) []Refusal {
	if parts := (refusedError{}); errors.As(err, &parts) {
		return parts
	}
	bad := permanentError{}
	if !errors.As(err, &bad) {
		return nil
	}
	parts := make([]Refusal, n)
	for i := range parts {
		parts[i] = Refusal{Message: i, Reason: bad.error}
	}
	return parts
}

func (s *sink[M, PM]) buryAll(ctx context.Context, inputs []spanInput, parts []Refusal) error {
	for _, part := range parts {
		in := inputs[part.Message]
		if err := s.b.bury(ctx, s.in, in.p, in.in.refused(part), part.Reason); err != nil {
			return err
		}
	}
	return nil
}

// safely turns a panic into a permanent error.
func (s *sink[M, PM]) safely(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.b.log.Error("panic", "stream", s.in.Name, "panic", r, "stack", string(debug.Stack()))
			err = Permanent(fmt.Errorf("panic: %v", r))
		}
	}()
	return f()
}
