// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

const (
	// maxOutput is the size at which a message is large enough: what waits meanwhile is read
	// once it is stored. One input message may make it larger.
	maxOutput = 256 << 10
	// finishTime bounds how long a worker that loses a partition goes on to append what it has.
	finishTime = time.Second
)

// Process runs a stage until ctx ends: for each partition that falls to this worker it opens a
// Handler and feeds it. It returns nil when ctx ends, and ErrPartitions if the streams do not
// fit the configuration; everything else is tried again.
func Process[In, Out any, PI message[In], PO message[Out]](ctx context.Context, b *Bus, in, out Stream,
	open func(ctx context.Context, p int) (Handler[In, Out], error),
) error {
	return b.work(ctx, in, func(ctx context.Context, p int) {
		w := &worker[In, Out, PI, PO]{b: b, in: in, out: out, p: p, open: open, dead: map[uint64]bool{}}
		w.run(ctx)
	})
}

// worker processes one partition.
type worker[In, Out any, PI message[In], PO message[Out]] struct {
	b       *Bus
	in, out Stream
	p       int
	open    func(ctx context.Context, p int) (Handler[In, Out], error)
	dead    map[uint64]bool // input sequences that are in the DEAD stream
	single  bool            // one input an output, since joined ones became too large
}

// poison is the error of a message that can't be processed.
type poison struct {
	in     input
	reason error
}

func (e *poison) Error() string { return e.reason.Error() }

// run opens the partition, again after every error, until ctx ends.
func (w *worker[In, Out, PI, PO]) run(ctx context.Context) {
	var delay backoff
	for ctx.Err() == nil {
		start := time.Now()
		err := w.once(ctx)
		if ctx.Err() != nil {
			return
		}
		w.b.m.restarts.WithLabelValues(w.in.Name).Inc()
		if bad := (*poison)(nil); errors.As(err, &bad) {
			if err = w.b.bury(ctx, w.in, w.p, bad.in, bad.reason); err == nil {
				w.dead[bad.in.pos.Seq] = true
				continue
			}
		}
		if !errors.Is(err, errFenced) {
			w.b.log.Warn("partition is opened again", "stream", w.in.Name, "partition", w.p, "error", err)
		}
		if time.Since(start) > maxDelay {
			delay.reset()
		}
		w.b.wait(ctx, &delay)
	}
}

// once processes the partition from the position in the output, until ctx ends or an error.
func (w *worker[In, Out, PI, PO]) once(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	last, pos, err := w.b.last(ctx, w.out, w.p)
	if err != nil {
		return err
	}
	h, err := w.open(at(ctx, pos), w.p)
	if err != nil {
		return fmt.Errorf("open partition %d: %w", w.p, err)
	}
	holder, _ := h.(Holder[Out])
	sides, err := w.b.sides(ctx, h, w.p)
	if err != nil {
		return err
	}
	l := &loop[In, Out, PI, PO]{
		worker: w, handler: h, holder: holder, in: new(In), out: new(Out), latest: input{pos: pos},
		app:   appender{b: w.b, out: w.out, subject: w.out.partition(w.p), last: last, covers: pos},
		sides: sides, trunc: truncator{b: w.b, s: w.in, p: w.p},
	}
	l.trunc.position.Store(pos.Seq)
	go l.trunc.run(ctx)
	for _, s := range sides {
		if s.keep != nil {
			go s.trunc.run(ctx)
		}
	}
	messages, failed := make(chan input), make(chan error, 1)
	go func() { failed <- w.b.read(ctx, w.in, w.p, pos, messages) }()
	return l.run(ctx, messages, failed)
}

// loop is the state between an open and the next: handle what comes, append what was made of
// it in rounds, one message under way at a time: those of the sides first, then the output.
type loop[In, Out any, PI message[In], PO message[Out]] struct {
	*worker[In, Out, PI, PO]
	handler Handler[In, Out]
	holder  Holder[Out] // nil if handler is none
	in      PI
	out     PO
	latest  input // handled up to here
	inputs  int   // handled since the last round began
	round   input // the last one of the round under way
	app     appender
	sides   []*side
	trunc   truncator
}

func (l *loop[In, Out, PI, PO]) run(ctx context.Context, messages <-chan input, failed <-chan error) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		wake, err := l.advance(ctx)
		if err != nil {
			return err
		}
		timer.Reset(time.Until(wake))
		more := messages
		if l.size() >= maxOutput || (l.single && l.inputs > 0) || l.overdue() {
			more = nil
		}
		current := l.current()
		select {
		case <-ctx.Done():
			return l.finish()
		case err := <-failed:
			return err
		case in := <-more:
			err = l.handle(ctx, in)
		case ack := <-current.stored():
			current.done(ack)
			l.truncate()
		case err = <-current.refused():
			err = current.failed(err)
		case <-timer.C:
		}
		if err != nil {
			return err
		}
	}
}

// overdue tells that what is held should be flushed, and waits for an append under way: while
// the stream is full, that may be long, and a holder must not grow meanwhile.
func (l *loop[In, Out, PI, PO]) overdue() bool {
	if l.holder == nil {
		return false
	}
	due := l.holder.Due()
	return !due.IsZero() && !due.After(time.Now())
}

// idle is a wake-up that never matters.
const idle = time.Hour

// advance starts the next append if it is time for one, and returns when to look again.
func (l *loop[In, Out, PI, PO]) advance(ctx context.Context) (time.Time, error) {
	now := time.Now()
	if l.current() == nil {
		if l.holder != nil {
			if due := l.holder.Due(); due.After(now) {
				return due, nil
			}
		}
		if l.latest.pos == l.app.covers && !l.overdue() {
			return now.Add(idle), nil
		}
		if err := l.collect(ctx); err != nil {
			return now, err
		}
	}
	current := l.current()
	if current.answer != nil {
		return now.Add(idle), nil
	}
	if current.retryAt.After(now) {
		return current.retryAt, nil
	}
	return now.Add(idle), current.send()
}

// current returns the appender whose turn it is in the round under way, nil between two rounds.
func (l *loop[In, Out, PI, PO]) current() *appender {
	for _, s := range l.sides {
		if s.app.pending() {
			return &s.app
		}
	}
	if l.app.pending() {
		return &l.app
	}
	return nil
}

// size returns how large the messages of the next round are.
func (l *loop[In, Out, PI, PO]) size() int {
	n := l.out.SizeVT()
	for _, s := range l.sides {
		n += s.SizeVT()
	}
	return n
}

// truncate lets go of what a finished round no longer needs.
func (l *loop[In, Out, PI, PO]) truncate() {
	if l.current() != nil {
		return
	}
	l.trunc.position.Store(l.app.covers.Seq)
	for _, s := range l.sides {
		s.finished()
	}
}

// collect makes the messages of all that was handled.
func (l *loop[In, Out, PI, PO]) collect(ctx context.Context) error {
	if l.holder != nil {
		if err := l.safely(func() error { return l.holder.Flush(ctx, l.out) }); err != nil {
			return fmt.Errorf("flush partition %d: %w", l.p, err)
		}
	}
	for _, s := range l.sides {
		s.prepare(l.latest.pos)
	}
	l.app.prepare(l.out, l.latest.pos)
	l.out.Reset()
	l.round, l.inputs = l.latest, 0
	return l.fit()
}

// fit finds out before the first message of a round is sent whether all of them can be. A round
// that is too large is made again from fewer inputs, and if it is of one alone, that one can't be
// processed.
func (l *loop[In, Out, PI, PO]) fit() error {
	err := l.app.fit()
	for _, s := range l.sides {
		err = cmp.Or(err, s.app.fit())
	}
	if err == nil {
		return nil
	}
	if l.single && l.holder == nil {
		return &poison{l.round, err}
	}
	l.single = true
	return err
}

// handle gives one message to the handler.
func (l *loop[In, Out, PI, PO]) handle(ctx context.Context, in input) error {
	if !l.dead[in.pos.Seq] {
		err := l.safely(func() error {
			payload, err := in.payload()
			if err == nil {
				err = l.in.UnmarshalVTUnsafe(payload)
			}
			if err != nil {
				return Permanent(err)
			}
			return l.handler.Handle(at(ctx, in.pos), l.in, l.out)
		})
		if bad := (permanentError{}); errors.As(err, &bad) {
			return &poison{in, bad.error}
		}
		if err != nil {
			return fmt.Errorf("process message %d of %s: %w", in.pos.Seq, l.worker.in.partition(l.p), err)
		}
		for _, s := range l.sides {
			s.handled(in.pos)
		}
	}
	l.latest = in
	l.inputs++
	return nil
}

// safely turns a panic into a permanent error: the one recover of the pipeline.
func (l *loop[In, Out, PI, PO]) safely(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			l.b.log.Error("panic", "stream", l.worker.in.Name, "partition", l.p, "panic", r, "stack", string(debug.Stack()))
			err = Permanent(fmt.Errorf("panic: %v", r))
		}
	}()
	return f()
}

// finish appends what is in hand, so that the next worker need not do it again. Correctness
// does not depend on it.
func (l *loop[In, Out, PI, PO]) finish() error {
	ctx, cancel := context.WithTimeout(context.Background(), finishTime)
	defer cancel()
	if err := l.settle(ctx); err != nil || l.current() != nil || l.latest.pos == l.app.covers {
		return err
	}
	if err := l.collect(ctx); err != nil {
		return err
	}
	return l.settle(ctx)
}

// settle finishes the round under way, unless a stream is full.
func (l *loop[In, Out, PI, PO]) settle(ctx context.Context) error {
	for a := l.current(); a != nil && !a.retryAt.After(time.Now()); a = l.current() {
		if a.answer == nil {
			if err := a.send(); err != nil {
				return err
			}
		}
		if err := a.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}
