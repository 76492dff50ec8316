// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const truncateEvery = time.Second

// truncator deletes what all stages have covered of one partition of a stream. It runs by its
// own timer, also when no messages come: a full stream sends no more.
type truncator struct {
	b        *Bus
	s        Stream
	p        int
	position atomic.Uint64 // last sequence that this stage has covered
	told     uint64        // what others can read of position
	done     uint64        // purged up to here
}

func (t *truncator) run(ctx context.Context) {
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

func (t *truncator) once(ctx context.Context) error {
	pos := t.position.Load()
	if pos == 0 || (pos == t.told && pos == t.done) {
		return nil
	}
	kv, err := t.b.bucket(ctx, positions)
	if err != nil {
		return err
	}
	if pos != t.told {
		if _, err := kv.Put(ctx, positionKeyOf(t.s, t.b.stage, t.p), []byte(strconv.FormatUint(pos, 10))); err != nil {
			return fmt.Errorf("tell position: %w", err)
		}
		t.told = pos
	}
	covered, err := t.covered(ctx, pos)
	if err != nil || covered <= t.done {
		return err
	}
	return t.purge(ctx, covered)
}

// covered returns the sequence that every reader of the stream has covered.
func (t *truncator) covered(ctx context.Context, pos uint64) (uint64, error) {
	for _, stage := range t.s.readers {
		if stage == t.b.stage {
			continue
		}
		other, err := t.b.told(ctx, t.s, stage, t.p)
		if err != nil {
			return 0, err
		}
		pos = min(pos, other)
	}
	return pos, nil
}

// purge deletes below covered, which itself stays: it is what the position is checked
// against, and the last message of a subject is the anchor of its writer.
func (t *truncator) purge(ctx context.Context, covered uint64) error {
	stream, err := t.b.js.Stream(ctx, t.s.Name)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", t.s.Name, err)
	}
	if t.s.replay {
		if info := stream.CachedInfo(); info.State.Bytes < uint64(info.Config.MaxBytes)/2 { //nolint:gosec // positive
			return nil
		}
		first := max(t.done, stream.CachedInfo().State.FirstSeq)
		covered = first + (covered-min(first, covered))/2
	}
	if err := stream.Purge(ctx, jetstream.WithPurgeSubject(t.s.partition(t.p)), jetstream.WithPurgeSequence(covered)); err != nil {
		return fmt.Errorf("purge %s: %w", t.s.partition(t.p), err)
	}
	t.done = covered
	return nil
}

// positionKeyOf is the key of POSITIONS of a stage that reads a partition.
func positionKeyOf(s Stream, stage string, p int) string {
	return s.Name + "." + stage + "." + strconv.Itoa(p)
}
