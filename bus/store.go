// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Store puts one message into a partition of a stream that carries no positions. After an error it
// may be there or not.
func (b *Bus) Store(ctx context.Context, s Stream, p int, m Message) error {
	msg := nats.NewMsg(s.partition(p))
	msg.Data = m.AppendVT(nil)
	if _, err := b.js.PublishMsg(ctx, msg, jetstream.WithExpectStream(s.Name)); err != nil {
		return fmt.Errorf("store a message in %s: %w", s.partition(p), err)
	}
	return nil
}
