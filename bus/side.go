// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// side is a Side of a partition that is open. It is never behind the output, and ahead of it after
// a crash between the two.
type side struct {
	Message
	app   appender
	ahead Position // the rows of inputs up to here were there when the partition was opened
	keep  func() Position
	keeps Position // what keep returned for the round under way
	trunc logTruncator
}

// sides prepares the sides of a handler, if it has some.
func (b *Bus) sides(ctx context.Context, handler any, p int) ([]*side, error) {
	h, ok := handler.(Sider)
	if !ok {
		return nil, nil
	}
	var all []*side
	for _, s := range h.Sides() {
		last, pos, err := b.last(ctx, s.Stream, p)
		if err != nil {
			return nil, err
		}
		all = append(all, &side{
			Message: s.Message, ahead: pos, keep: s.Keep,
			app:   appender{b: b, out: s.Stream, subject: s.Stream.partition(p), last: last, covers: pos},
			trunc: logTruncator{b: b, s: s.Stream, p: p},
		})
	}
	return all, nil
}

// handled drops the rows of an input that are stored already. Inputs come in order, so there are
// no others in the message. Of a stream that was made anew the times are later.
func (s *side) handled(pos Position) {
	if pos.Seq <= s.ahead.Seq && pos.Time <= s.ahead.Time {
		s.Reset()
	}
}

// prepare makes the message of a round, if there are rows.
func (s *side) prepare(pos Position) {
	if s.keep != nil {
		s.keeps = s.keep()
		if s.keeps == (Position{}) {
			s.keeps = pos
		}
	}
	if s.Rows() != 0 {
		s.app.prepare(s.Message, pos)
		s.Reset()
	}
}

// finished tells the truncator that the round is stored.
func (s *side) finished() {
	if s.keep != nil {
		s.trunc.state.Store(&logState{s.keeps, s.app.last})
	}
}

// logTruncator deletes what is no longer needed of a partition of a log.
type logTruncator struct {
	b     *Bus
	s     Stream
	p     int
	state atomic.Pointer[logState]
	next  uint64 // below is nothing
}

// logState is what the last finished round says of a log.
type logState struct {
	keep Position // the rows of older inputs are not needed
	last uint64   // sequence of the last message, 0 for none
}

// perPass bounds the messages that are looked at in one go.
const perPass = 256

func (t *logTruncator) run(ctx context.Context) {
	tick := time.NewTicker(truncateEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		try, cancel := context.WithTimeout(ctx, publishTimeout)
		if err := t.once(try); err != nil && ctx.Err() == nil {
			t.b.log.Debug("truncate", "stream", t.s.Name, "partition", t.p, "error", err)
		}
		cancel()
	}
}

// once deletes the messages of older inputs. The last message stays: it is the anchor.
func (t *logTruncator) once(ctx context.Context) error {
	state := t.state.Load()
	if state == nil || t.next >= state.last {
		return nil
	}
	stream, err := t.b.js.Stream(ctx, t.s.Name)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", t.s.Name, err)
	}
	first, err := t.needed(ctx, stream, state.keep)
	if err != nil || first == t.next {
		return err
	}
	if err := stream.Purge(ctx, jetstream.WithPurgeSubject(t.s.partition(t.p)), jetstream.WithPurgeSequence(first)); err != nil {
		return fmt.Errorf("purge %s: %w", t.s.partition(t.p), err)
	}
	t.next = first
	return nil
}

// needed returns the first message that must stay, as far as it looks.
func (t *logTruncator) needed(ctx context.Context, stream jetstream.Stream, keep Position) (uint64, error) {
	first := t.next
	for range perPass {
		msg, err := stream.GetMsg(ctx, first+1, jetstream.WithGetMsgSubject(t.s.partition(t.p)))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", t.s.partition(t.p), err)
		}
		first = msg.Sequence
		pos, err := parsePosition(msg.Header.Get(positionHeader))
		if err != nil || pos.Time >= keep.Time {
			return first, err
		}
	}
	return first, nil
}

// ReadLog calls yield for each message of partition p of a log. It is for the time when a partition
// is opened: with rows of inputs behind the position that it is opened from, too.
func ReadLog[M any, PM message[M]](ctx context.Context, b *Bus, s Stream, p int, yield func(*M) error) error {
	last, _, err := b.last(ctx, s, p)
	if err != nil || last == 0 {
		return err
	}
	var failed error
	err = b.readSpan(ctx, s, span{Partition: p, To: Position{Seq: last}}, func(in input) {
		payload, err := in.payload()
		m := PM(new(M))
		if err == nil {
			err = m.UnmarshalVTUnsafe(payload)
		}
		if err == nil {
			err = yield((*M)(m))
		}
		if err != nil && failed == nil {
			failed = fmt.Errorf("read message %d of %s: %w", in.pos.Seq, s.partition(p), err)
		}
	})
	return errors.Join(err, failed)
}
