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

// Kept calls do for each message of a stream that was stored at since or later and is there now,
// those of a partition in order, until ctx ends or do fails. It is not one of the stream's readers:
// truncation does not wait for it. A dead letter that was replayed comes where it came first. Gone tells that the stream does not go back as far as since.
func Kept[M any, PM message[M]](ctx context.Context, b *Bus, s Stream, since time.Time, do func(p int, m *M) error) (gone bool, err error) {
	stream, err := b.js.Stream(ctx, s.Name)
	if err != nil {
		return false, fmt.Errorf("look up stream %s: %w", s.Name, err)
	}
	state := stream.CachedInfo().State
	gone = state.FirstSeq > 1 && state.FirstTime.After(since)
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		InactiveThreshold: inactive, DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since,
	})
	if err != nil {
		return gone, fmt.Errorf("read %s: %w", s.Name, err)
	}
	if consumer.CachedInfo().NumPending == 0 {
		return gone, nil
	}
	it, err := consumer.Messages(jetstream.PullMaxMessages(readAhead), jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return gone, fmt.Errorf("read %s: %w", s.Name, err)
	}
	defer it.Stop()
	defer context.AfterFunc(ctx, it.Stop)()
	for seq := uint64(0); seq < state.LastSeq; {
		msg, err := it.Next()
		if ctx.Err() != nil {
			return gone, ctx.Err()
		}
		if err != nil {
			return gone, fmt.Errorf("read %s: %w", s.Name, err)
		}
		md, err := msg.Metadata()
		if err != nil {
			return gone, fmt.Errorf("read %s: %w", s.Name, err)
		}
		seq = md.Sequence.Stream
		if header(msg.Headers(), letterHeader) != "" {
			continue
		}
		p, m, err := unpackAs[M, PM](s, msg)
		if err != nil { // the stage that reads it has buried it
			b.log.Warn("message is left out", "stream", s.Name, "sequence", seq, "error", err)
			continue
		}
		if err := do(p, m); err != nil {
			return gone, err
		}
	}
	return gone, nil
}

// unpackAs returns the partition of a message and what is in it.
func unpackAs[M any, PM message[M]](s Stream, msg jetstream.Msg) (int, *M, error) {
	p, err := strconv.Atoi(strings.TrimPrefix(msg.Subject(), s.subject+"."))
	if err != nil {
		return 0, nil, fmt.Errorf("subject %s has no partition", msg.Subject())
	}
	in := input{data: msg.Data(), s2: header(msg.Headers(), encodingHeader) == encodingS2}
	payload, err := in.payload()
	if err != nil {
		return p, nil, err
	}
	m := new(M)
	return p, m, PM(m).UnmarshalVTUnsafe(payload)
}
