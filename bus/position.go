// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Headers.
const (
	// positionHeader of an output message: sequence and time (Unix ns) of the last input
	// message that the outputs up to this one cover.
	positionHeader = "Weir-Position"
	// encodingHeader says how a payload is compressed: s2, or absent.
	encodingHeader = "Weir-Encoding"
	encodingS2     = "s2"
)

// Position is how far a stage has covered a partition of its input.
type Position struct {
	Seq  uint64 `json:"seq"`  // last input sequence covered, 0 for none
	Time int64  `json:"time"` // when that message was stored, Unix ns
}

func (p Position) String() string {
	return strconv.FormatUint(p.Seq, 10) + " " + strconv.FormatInt(p.Time, 10)
}

func parsePosition(s string) (Position, error) {
	seq, ns, ok := strings.Cut(s, " ")
	var p Position
	var err1, err2 error
	p.Seq, err1 = strconv.ParseUint(seq, 10, 64)
	p.Time, err2 = strconv.ParseInt(ns, 10, 64)
	if !ok || err1 != nil || err2 != nil {
		return p, fmt.Errorf("parse position %q: want a sequence and a time", s)
	}
	return p, nil
}

// last reads the end of a partition of an output stream: its last sequence, and the position
// that stands there. A partition without messages has both at zero.
func (b *Bus) last(ctx context.Context, out Stream, p int) (seq uint64, pos Position, err error) {
	stream, err := b.js.Stream(ctx, out.Name)
	if err != nil {
		return 0, pos, fmt.Errorf("look up stream %s: %w", out.Name, err)
	}
	msg, err := stream.GetLastMsgForSubject(ctx, out.partition(p))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, pos, nil
	}
	if err != nil {
		return 0, pos, fmt.Errorf("read the end of %s: %w", out.partition(p), err)
	}
	pos, err = parsePosition(msg.Header.Get(positionHeader))
	return msg.Sequence, pos, err
}

// input is a message of the input stream.
type input struct {
	pos  Position
	data []byte // as stored; see payload
	s2   bool
	part string // of a part of a message, what tells it from the others
}

func (in *input) payload() ([]byte, error) {
	if !in.s2 {
		return in.data, nil
	}
	p, err := s2.Decode(nil, in.data)
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	return p, nil
}

const (
	// readAhead is how many messages of a partition the client asks for at once.
	readAhead = 16
	// A server that is gone while our own connection stands shows by missing heartbeats.
	pullHeartbeat = time.Second
	pullExpiry    = 5 * time.Second
	inactive      = 10 * time.Second
)

// read sends the messages of partition p behind pos to messages until ctx ends or it fails.
func (b *Bus) read(ctx context.Context, s Stream, p int, pos Position, messages chan<- input) error {
	stream, err := b.js.Stream(ctx, s.Name)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", s.Name, err)
	}
	cfg, err := b.startAt(ctx, stream, s, p, pos)
	if err != nil {
		return err
	}
	consumer, err := stream.OrderedConsumer(ctx, cfg)
	if err != nil {
		return fmt.Errorf("read %s: %w", s.partition(p), err)
	}
	// Next is called without a limit: nats.go restarts its watch for missing heartbeats with each call.
	it, err := consumer.Messages(jetstream.PullMaxMessages(readAhead), jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return fmt.Errorf("read %s: %w", s.partition(p), err)
	}
	defer it.Stop()
	defer context.AfterFunc(ctx, it.Stop)()
	// nats.go would go on by itself, in some seconds.
	defer context.AfterFunc(b.link.again(), it.Stop)()
	read, lag := b.m.read.WithLabelValues(s.Name), b.watchOf(s, p)
	lag.reads(consumer)
	defer lag.reads(nil)
	for {
		msg, err := it.Next()
		if err != nil {
			return fmt.Errorf("read %s: %w", s.partition(p), err)
		}
		md, err := msg.Metadata()
		if err != nil {
			return fmt.Errorf("read %s: %w", s.partition(p), err)
		}
		select {
		case messages <- newInput(b.stage, md, msg):
			read.Inc()
			lag.takes(md)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// newInput returns a message as input of a stage. One that was replayed for another stage is empty.
func newInput(stage string, md *jetstream.MsgMetadata, msg jetstream.Msg) input {
	in := input{pos: Position{Seq: md.Sequence.Stream, Time: md.Timestamp.UnixNano()}}
	if only := header(msg.Headers(), forHeader); only == "" || only == stage {
		in.data, in.s2 = msg.Data(), header(msg.Headers(), encodingHeader) == encodingS2
	}
	return in
}

func header(h nats.Header, key string) string {
	if h == nil {
		return ""
	}
	return h.Get(key)
}

// startAt returns a consumer that begins behind pos. The message at pos is always there, since
// truncation keeps it. If it is not, or is another one, the stream was made anew or lost its
// end: then everything stored after pos's time is new, whatever its sequence.
func (b *Bus) startAt(ctx context.Context, stream jetstream.Stream, s Stream, p int, pos Position) (jetstream.OrderedConsumerConfig, error) {
	cfg := jetstream.OrderedConsumerConfig{
		FilterSubjects:    []string{s.partition(p)},
		DeliverPolicy:     jetstream.DeliverAllPolicy,
		InactiveThreshold: inactive,
	}
	if pos.Seq == 0 {
		return cfg, nil
	}
	msg, err := stream.GetMsg(ctx, pos.Seq)
	switch {
	case err == nil && msg.Time.UnixNano() == pos.Time:
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, pos.Seq+1
	case err == nil || errors.Is(err, jetstream.ErrMsgNotFound):
		b.log.Warn("input stream was rewound, going on by time", "stream", s.Name, "partition", p, "position", pos.Seq)
		start := time.Unix(0, pos.Time+1)
		cfg.DeliverPolicy, cfg.OptStartTime = jetstream.DeliverByStartTimePolicy, &start
	default:
		return cfg, fmt.Errorf("check position %d of %s: %w", pos.Seq, s.partition(p), err)
	}
	return cfg, nil
}
