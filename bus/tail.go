// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Tailed says where a message that Tail has read stands.
type Tailed struct {
	Partition int
	Stored    time.Time
	// Gap tells that messages of this partition came before it that were not read: they had
	// been truncated by the time.
	Gap bool
}

// Tail calls do for each message of an output stream that is there now or comes later, those of
// a partition in order, until ctx ends or do fails. It is not one of the stream's readers:
// truncation does not wait for it.
func Tail[M any, PM message[M]](ctx context.Context, b *Bus, s Stream, do func(Tailed, *M) error) error {
	stream, err := b.js.Stream(ctx, s.Name)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", s.Name, err)
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{InactiveThreshold: inactive})
	if err != nil {
		return fmt.Errorf("read %s: %w", s.Name, err)
	}
	it, err := consumer.Messages(jetstream.PullMaxMessages(readAhead), jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return fmt.Errorf("read %s: %w", s.Name, err)
	}
	defer it.Stop()
	defer context.AfterFunc(ctx, it.Stop)()
	last := map[int]uint64{}
	for {
		msg, err := it.Next()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", s.Name, err)
		}
		t, seq, err := tailed(s, msg, last)
		if err != nil {
			return err
		}
		in := input{data: msg.Data(), s2: header(msg.Headers(), encodingHeader) == encodingS2}
		payload, err := in.payload()
		m := PM(new(M))
		if err == nil {
			err = m.UnmarshalVTUnsafe(payload)
		}
		if err != nil {
			return fmt.Errorf("read message %d of %s: %w", seq, s.Name, err)
		}
		if err := do(t, (*M)(m)); err != nil {
			return err
		}
	}
}

// tailed looks at the headers of a message. It names the message before it, since it was
// stored only if it followed that one.
func tailed(s Stream, msg jetstream.Msg, last map[int]uint64) (t Tailed, seq uint64, err error) {
	md, err := msg.Metadata()
	if err != nil {
		return t, 0, fmt.Errorf("read %s: %w", s.Name, err)
	}
	seq = md.Sequence.Stream
	if t.Partition, err = strconv.Atoi(strings.TrimPrefix(msg.Subject(), s.subject+".")); err != nil {
		return t, seq, fmt.Errorf("read message %d of %s: subject %s has no partition", seq, s.Name, msg.Subject())
	}
	before, _ := strconv.ParseUint(header(msg.Headers(), jetstream.ExpectedLastSubjSeqHeader), 10, 64)
	t.Stored, t.Gap = md.Timestamp, before != last[t.Partition]
	last[t.Partition] = seq
	return t, seq, nil
}
