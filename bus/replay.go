// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Headers of a dead letter that was replayed.
const (
	// letterHeader says which one it was.
	letterHeader = "Weir-Letter"
	// forHeader names the one stage that it is for: the others have had it.
	forHeader = "Weir-For"
)

// ErrDoubt is returned by Replay where a replay was cut short so long ago that the stream does not
// tell any more whether the message was stored.
var ErrDoubt = errors.New("a replay of it was cut short, and the stream does not tell any more whether it was stored")

// Replay puts a dead letter back to where its stage reads it, behind what is there, and deletes the
// letter. A replay that was cut short can be repeated: the message is there once.
//
// The message is appended under the same condition as those of the stream's writer, and with the
// position of the last of them: the writer sees that somebody has appended, reads the end of the
// stream again, and goes on from where it was. Other stages that read the stream pass over it.
func (b *Bus) Replay(ctx context.Context, seq uint64) error {
	l, err := b.Letter(ctx, seq)
	if err != nil {
		return err
	}
	s, ok := streamNamed(l.Stream)
	if !ok {
		return fmt.Errorf("replay dead letter %d: there is no stream %q", seq, l.Stream)
	}
	r := replay{b: b, l: l, subject: s.partition(l.Partition)}
	r.id = strconv.FormatUint(l.Sequence, 10) + "-" + strconv.FormatInt(l.Time.UnixNano(), 10)
	if r.stream, err = b.js.Stream(ctx, s.Name); err == nil {
		r.notes, err = b.bucket(ctx, intents)
	}
	if err == nil {
		err = r.run(ctx)
	}
	if err != nil {
		return fmt.Errorf("replay dead letter %d: %w", seq, err)
	}
	if err := b.Drop(ctx, seq); err != nil {
		return err
	}
	return r.notes.Purge(ctx, r.note())
}

// replay appends one dead letter. Before it tries, it notes the sequence that its message is to
// follow: the message behind that one is the letter's, or it was not stored.
type replay struct {
	b       *Bus
	l       *Letter
	subject string
	id      string
	stream  jetstream.Stream
	notes   jetstream.KeyValue
}

func (r replay) note() string { return "dead." + r.id }

func (r replay) run(ctx context.Context) error {
	for {
		after, revision, err := r.noted(ctx)
		if err != nil {
			return err
		}
		if revision > 0 {
			if stored, err := r.stored(ctx, after); stored || err != nil {
				return err
			}
		}
		last, err := r.stream.GetLastMsgForSubject(ctx, r.subject)
		if err != nil {
			return fmt.Errorf("read the end of %s: %w", r.subject, err)
		}
		if _, err := r.notes.Update(ctx, r.note(), []byte(strconv.FormatUint(last.Sequence, 10)), revision); err != nil {
			return fmt.Errorf("note the replay: %w", err)
		}
		err = r.append(ctx, last)
		if err == nil || !conflict(err) {
			return err
		}
	}
}

// noted returns what an earlier try has noted; the revision is 0 where there was none.
func (r replay) noted(ctx context.Context) (after, revision uint64, err error) {
	e, err := r.notes.Get(ctx, r.note())
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("read the note of the replay: %w", err)
	}
	after, err = strconv.ParseUint(string(e.Value()), 10, 64)
	return after, e.Revision(), err
}

// stored tells whether the message behind the sequence after is the letter's.
func (r replay) stored(ctx context.Context, after uint64) (bool, error) {
	next, err := r.stream.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject(r.subject)) // or one behind that
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the replay in %s: %w", r.subject, err)
	}
	if next.Header.Get(letterHeader) == r.id {
		return true, nil
	}
	// Truncation deletes from the front: while the one before is there, nothing behind it is gone.
	_, err = r.stream.GetMsg(ctx, after)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, ErrDoubt
	}
	return false, err
}

// append stores the letter's message if it follows last.
func (r replay) append(ctx context.Context, last *jetstream.RawStreamMsg) error {
	msg := nats.NewMsg(r.subject)
	msg.Data = r.l.data
	msg.Header.Set(letterHeader, r.id)
	msg.Header.Set(forHeader, r.l.Stage)
	if pos := last.Header.Get(positionHeader); pos != "" {
		msg.Header.Set(positionHeader, pos)
	}
	if r.l.s2 {
		msg.Header.Set(encodingHeader, encodingS2)
	}
	_, err := r.b.js.PublishMsg(ctx, msg, jetstream.WithExpectStream(r.l.Stream), jetstream.WithExpectLastSequencePerSubject(last.Sequence))
	return err
}

// conflict tells whether an append was refused because another one came first.
func conflict(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) &&
		(api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == codeWrongLastSequenceInFlight)
}

func streamNamed(name string) (Stream, bool) {
	for _, s := range streams() {
		if s.Name == name {
			return s, true
		}
	}
	return Stream{}, false
}
