// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Error codes of the JetStream API (nats-server, errors.json) beyond those of package jetstream.
const (
	codeWrongLastSequenceInFlight jetstream.ErrorCode = 10164 // in a cluster, while another append is under way
	codeStreamFull                jetstream.ErrorCode = 10077
)

var (
	errFenced   = errors.New("another worker appended, or an answer was lost")
	errTooLarge = errors.New("output is larger than the server's max_payload")
)

// fullPause is how long a writer waits before it tries a full stream again.
const fullPause = 200 * time.Millisecond

// appender appends to one partition of an output stream, one message at a time, each only if
// it follows the last one that this appender knows of.
type appender struct {
	b       *Bus
	out     Stream
	subject string
	last    uint64 // sequence of the last message of the subject

	raw, packed []byte // reused: a message is under way until its answer came
	msg         *nats.Msg
	covers      Position // of msg
	answer      jetstream.PubAckFuture
	retryAt     time.Time // after the stream was full
}

// pending tells whether a message is not stored yet.
func (a *appender) pending() bool { return a.msg != nil }

// prepare makes the message that covers the input up to pos; send starts it on its way.
func (a *appender) prepare(m Message, pos Position) {
	a.msg, a.covers = nats.NewMsg(a.subject), pos
	a.msg.Header.Set(positionHeader, pos.String())
	a.raw = m.AppendVT(a.raw[:0])
	a.msg.Data = a.raw
	if a.out.s2 {
		if n := s2.MaxEncodedLen(len(a.raw)); cap(a.packed) < n {
			a.packed = make([]byte, n)
		}
		a.msg.Data = s2.Encode(a.packed[:cap(a.packed)], a.raw)
		a.msg.Header.Set(encodingHeader, encodingS2)
	}
}

// headerRoom is more than the headers of an output message take, octets.
const headerRoom = 512

// fit returns an error if the server does not take a message as large as the one prepared.
func (a *appender) fit() error {
	if a.msg == nil || int64(len(a.msg.Data)+headerRoom) <= a.b.nc.MaxPayload() {
		return nil
	}
	return fmt.Errorf("append %d octets to %s: %w", len(a.msg.Data), a.subject, errTooLarge)
}

// send publishes the prepared message, or does so again.
func (a *appender) send() error {
	answer, err := a.b.js.PublishMsgAsync(a.msg,
		jetstream.WithExpectStream(a.out.Name), jetstream.WithExpectLastSequencePerSubject(a.last))
	if err != nil {
		a.count(failed)
		return fmt.Errorf("append to %s: %w", a.subject, err)
	}
	a.answer = answer
	return nil
}

// stored and refused are the channels of the answer, nil while none is due. There may be no
// appender.
func (a *appender) stored() <-chan *jetstream.PubAck {
	if a == nil || a.answer == nil {
		return nil
	}
	return a.answer.Ok()
}

func (a *appender) refused() <-chan error {
	if a == nil || a.answer == nil {
		return nil
	}
	return a.answer.Err()
}

// done takes a good answer in.
func (a *appender) done(ack *jetstream.PubAck) {
	a.last = ack.Sequence
	a.count(appended)
	a.b.m.bytes.WithLabelValues(a.out.Name).Add(float64(len(a.msg.Data)))
	a.msg, a.answer = nil, nil
}

// failed takes a bad answer in. It returns nil where the message is to be sent again at retryAt.
func (a *appender) failed(err error) error {
	a.answer = nil
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		a.count(failed) // no answer in time: only the stream itself can tell whether it was stored
		return fmt.Errorf("append to %s: %w", a.subject, err)
	}
	switch api.ErrorCode {
	case codeStreamFull:
		a.count(full)
		a.retryAt = time.Now().Add(fullPause)
		return nil
	case jetstream.JSErrCodeStreamWrongLastSequence, codeWrongLastSequenceInFlight:
		a.count(fenced)
		return fmt.Errorf("append to %s: %w", a.subject, errFenced)
	default:
		a.count(failed)
		return fmt.Errorf("append to %s: %w", a.subject, err)
	}
}

// wait waits for the answer of a message under way.
func (a *appender) wait(ctx context.Context) error {
	select {
	case ack := <-a.stored():
		a.done(ack)
		return nil
	case err := <-a.refused():
		return cmp.Or(a.failed(err), err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *appender) count(outcome string) {
	a.b.m.appends.WithLabelValues(a.out.Name, outcome).Inc()
}
