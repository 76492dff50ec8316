// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// gathered is what waits of one partition for the next batch.
type gathered[M any] struct {
	reader   *sinkReader
	span     span
	messages []*M
	inputs   []spanInput // of the messages
}

// gather makes batches of what the readers fetch, and writes them, until ctx ends.
func (s *sink[M, PM]) gather(ctx context.Context) {
	waiting := map[int]*gathered[M]{}
	rows := 0
	due := time.NewTimer(idle)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-s.fetched:
			if len(waiting) == 0 {
				due.Reset(s.cfg.MaxWait)
			}
			s.add(waiting, f)
			if f.m != nil {
				rows += PM(f.m).Rows()
			}
			if rows < s.cfg.MaxRows {
				continue
			}
		case <-due.C:
		}
		s.commit(ctx, waiting)
		clear(waiting)
		rows = 0
	}
}

// add puts a message behind what waits of its partition. What another reading of the same
// partition has fetched comes again, and is dropped.
func (s *sink[M, PM]) add(waiting map[int]*gathered[M], f fetched[M]) {
	p := f.reader.trunc.p
	g := waiting[p]
	if g == nil || g.reader != f.reader {
		g = &gathered[M]{reader: f.reader, span: span{Partition: p, After: f.after}}
		waiting[p] = g
	}
	g.span.To = f.in.pos
	if f.m != nil {
		g.messages = append(g.messages, f.m)
		g.inputs = append(g.inputs, spanInput{p, f.in})
	}
}

// commit writes what waits as one batch, but for partitions that were lost meanwhile.
func (s *sink[M, PM]) commit(ctx context.Context, waiting map[int]*gathered[M]) {
	s.writing.Lock()
	defer s.writing.Unlock()
	var i intent
	var delay backoff
	for {
		maps.DeleteFunc(waiting, func(p int, g *gathered[M]) bool { return !s.reads(p, g.reader) })
		if len(waiting) == 0 {
			return
		}
		i = s.intentOf(waiting)
		var lost []int
		err := s.b.changeLedger(ctx, s.in, func(l *ledger) bool {
			lost = l.begin(i)
			return lost == nil
		})
		if err == nil && lost == nil {
			break
		}
		for _, p := range lost {
			waiting[p].reader.cancel() // to be opened again, from where the ledger says
			delete(waiting, p)
		}
		if err != nil && !delay.wait(ctx) {
			return
		}
	}
	var messages []*M
	var inputs []spanInput
	for _, sp := range i.Spans {
		messages = append(messages, waiting[sp.Partition].messages...)
		inputs = append(inputs, waiting[sp.Partition].inputs...)
	}
	if s.complete(ctx, i, messages, inputs) != nil {
		return // ctx has ended; the intent stays open
	}
	for _, g := range waiting {
		g.reader.trunc.position.Store(g.span.To.Seq)
	}
}

func (s *sink[M, PM]) intentOf(waiting map[int]*gathered[M]) intent {
	spans := make([]span, 0, len(waiting))
	for _, g := range waiting {
		spans = append(spans, g.span)
	}
	return newIntent(s.in.Name, s.b.nc.Opts.Name, spans)
}

// has tells whether the message at pos is in the stream.
func (b *Bus) has(ctx context.Context, s Stream, pos Position) (bool, error) {
	stream, err := b.js.Stream(ctx, s.Name)
	if err != nil {
		return false, err
	}
	msg, err := stream.GetMsg(ctx, pos.Seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	return err == nil && msg.Time.UnixNano() == pos.Time, err
}

// readSpan calls do for each message of a span.
func (b *Bus) readSpan(ctx context.Context, s Stream, sp span, do func(input)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages, failed := make(chan input), make(chan error, 1)
	go func() { failed <- b.read(ctx, s, sp.Partition, sp.After, messages) }()
	for {
		select {
		case err := <-failed:
			return err
		case in := <-messages:
			do(in)
			if in.pos.Seq >= sp.To.Seq {
				return nil
			}
		}
	}
}
