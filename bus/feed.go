// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Feed appends a message to a partition of a stream from beside its writer, which goes on behind it: a
// generator puts batches in with neither datagrams nor the stages before. It waits while the stream
// is full. A message whose answer was lost may be there though Feed returns an error.
func (b *Bus) Feed(ctx context.Context, s Stream, p int, m Message) error {
	for {
		last, pos, err := b.last(ctx, s, p)
		if err != nil {
			return err
		}
		a := appender{b: b, out: s, subject: s.partition(p), last: last}
		a.prepare(m, pos) // the writer's position: it has covered no more than before
		if err := a.send(); err != nil {
			return err
		}
		err = a.wait(ctx)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errFenced): // the writer was first
		case !a.retryAt.IsZero(): // full
			if !pause(ctx, time.Until(a.retryAt)) {
				return ctx.Err()
			}
		default:
			return fmt.Errorf("feed %s: %w", s.partition(p), err)
		}
	}
}
