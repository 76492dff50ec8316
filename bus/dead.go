// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Headers of a dead letter. Its payload is that of the message, or a part of it.
const (
	reasonHeader   = "Weir-Reason"
	stageHeader    = "Weir-Stage"
	streamHeader   = "Weir-Stream"
	sequenceHeader = "Weir-Sequence"
	partHeader     = "Weir-Part" // there if the payload is a part of the message
)

// maxReason bounds the reason's length: it becomes a header.
const maxReason = 1000

// refused is the part of a message that a Sink's write refused, as an input to bury.
func (in input) refused(part Refusal) input {
	if part.Rows == nil {
		return in
	}
	in.data, in.s2 = part.Rows.AppendVT(nil), false
	in.part = "-" + strconv.Itoa(part.First)
	return in
}

// bury puts a message, or a part of it, into the DEAD stream, once.
func (b *Bus) bury(ctx context.Context, s Stream, p int, in input, reason error) error {
	text := reason.Error()
	msg := nats.NewMsg("dead." + b.stage + "." + strconv.Itoa(p))
	msg.Data = in.data
	msg.Header.Set(reasonHeader, strconv.Quote(text[:min(len(text), maxReason)]))
	msg.Header.Set(stageHeader, b.stage)
	msg.Header.Set(streamHeader, s.Name)
	msg.Header.Set(sequenceHeader, strconv.FormatUint(in.pos.Seq, 10))
	if in.s2 {
		msg.Header.Set(encodingHeader, encodingS2)
	}
	if in.part != "" {
		msg.Header.Set(partHeader, in.part)
	}
	id := fmt.Sprintf("%s-%s-%d-%d%s", b.stage, s.Name, in.pos.Seq, in.pos.Time, in.part)
	if _, err := b.js.PublishMsg(ctx, msg, jetstream.WithMsgID(id)); err != nil {
		return fmt.Errorf("bury message %d of %s: %w", in.pos.Seq, s.Name, err)
	}
	b.m.deadLetters.WithLabelValues(s.Name).Inc()
	b.log.Error("message could not be processed and was put into the DEAD stream",
		"stream", s.Name, "partition", p, "sequence", in.pos.Seq, "reason", reason)
	return nil
}
