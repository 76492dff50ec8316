// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Letter is a dead letter.
type Letter struct {
	Sequence  uint64    `json:"sequence"` // in DEAD
	Time      time.Time `json:"time"`
	Stage     string    `json:"stage"`
	Reason    string    `json:"reason"`
	Stream    string    `json:"stream"` // that it came from, and its sequence there
	Source    uint64    `json:"source_sequence"`
	Partition int       `json:"partition"`
	Bytes     int       `json:"bytes"`
	// Part tells that it is a part of the message of Source.
	Part bool `json:"part,omitempty"`

	data []byte
	s2   bool
}

// ErrNoLetter is returned for a dead letter that is not there.
var ErrNoLetter = errors.New("no such dead letter")

// Payload returns the letter's message as it was before it was compressed.
func (l *Letter) Payload() ([]byte, error) {
	in := input{data: l.data, s2: l.s2}
	return in.payload()
}

// Letters calls yield for each dead letter that is there, in order, until it fails.
func (b *Bus) Letters(ctx context.Context, yield func(*Letter) error) error {
	stream, err := b.js.Stream(ctx, deadName)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", deadName, err)
	}
	for seq, last := stream.CachedInfo().State.FirstSeq, stream.CachedInfo().State.LastSeq; seq <= last; {
		msg, err := stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject("dead.>")) // or the next one
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read dead letter %d: %w", seq, err)
		}
		l, err := letterOf(msg)
		if err != nil {
			return err
		}
		if err := yield(l); err != nil {
			return err
		}
		seq = l.Sequence + 1
	}
	return nil
}

// Letter returns a dead letter, or ErrNoLetter.
func (b *Bus) Letter(ctx context.Context, seq uint64) (*Letter, error) {
	stream, err := b.js.Stream(ctx, deadName)
	if err != nil {
		return nil, fmt.Errorf("look up stream %s: %w", deadName, err)
	}
	msg, err := stream.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, fmt.Errorf("dead letter %d: %w", seq, ErrNoLetter)
	}
	if err != nil {
		return nil, fmt.Errorf("read dead letter %d: %w", seq, err)
	}
	return letterOf(msg)
}

func letterOf(msg *jetstream.RawStreamMsg) (*Letter, error) {
	h := msg.Header
	l := &Letter{
		Sequence: msg.Sequence, Time: msg.Time, Stage: h.Get(stageHeader), Stream: h.Get(streamHeader),
		Part: h.Get(partHeader) != "", Bytes: len(msg.Data), data: msg.Data, s2: h.Get(encodingHeader) == encodingS2,
	}
	var err error
	if l.Reason, err = strconv.Unquote(h.Get(reasonHeader)); err != nil {
		l.Reason = h.Get(reasonHeader)
	}
	if l.Source, err = strconv.ParseUint(h.Get(sequenceHeader), 10, 64); err != nil {
		return nil, fmt.Errorf("dead letter %d: its header %s is %q", l.Sequence, sequenceHeader, h.Get(sequenceHeader))
	}
	_, p, _ := strings.Cut(strings.TrimPrefix(msg.Subject, "dead."), ".")
	if l.Partition, err = strconv.Atoi(p); err != nil {
		return nil, fmt.Errorf("dead letter %d: its subject is %s", l.Sequence, msg.Subject)
	}
	return l, nil
}

// Drop deletes a dead letter for good.
func (b *Bus) Drop(ctx context.Context, seq uint64) error {
	stream, err := b.js.Stream(ctx, deadName)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", deadName, err)
	}
	err = stream.SecureDeleteMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("dead letter %d: %w", seq, ErrNoLetter)
	}
	if err != nil {
		return fmt.Errorf("delete dead letter %d: %w", seq, err)
	}
	return nil
}
