// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// State is a value that a handler has put.
type State struct {
	Partition int
	Key       string
	Position  Position // of the input that it belongs to
	Written   time.Time
	Value     []byte
}

// States calls yield for each key's last value, or for all that are kept of each, those of a key in
// order, until it fails.
func (b *Bus) States(ctx context.Context, bucket Bucket, history bool, yield func(State) error) error {
	kv, err := b.bucket(ctx, bucket)
	if err != nil {
		return err
	}
	opts := []jetstream.WatchOpt{jetstream.IgnoreDeletes()}
	if history {
		opts = append(opts, jetstream.IncludeHistory())
	}
	watch, err := kv.WatchAll(ctx, opts...)
	if err != nil {
		return fmt.Errorf("read bucket %s: %w", bucket, err)
	}
	defer func() { _ = watch.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, open := <-watch.Updates():
			if !open {
				return fmt.Errorf("read bucket %s: the watch ended", bucket)
			}
			if e == nil { // all that was there has come
				return nil
			}
			s, err := stateOf(e)
			if err != nil {
				return fmt.Errorf("read bucket %s: %w", bucket, err)
			}
			if err := yield(s); err != nil {
				return err
			}
		}
	}
}

func stateOf(e jetstream.KeyValueEntry) (State, error) {
	p, key, _ := strings.Cut(e.Key(), ".")
	partition, err := strconv.Atoi(p)
	if err != nil || len(e.Value()) < tagSize {
		return State{}, fmt.Errorf("key %s: not a state of a partition", e.Key())
	}
	tag := e.Value()[:tagSize]
	pos := Position{Seq: binary.LittleEndian.Uint64(tag), Time: int64(binary.LittleEndian.Uint64(tag[8:]))} //nolint:gosec // as put
	return State{Partition: partition, Key: key, Position: pos, Written: e.Created(), Value: e.Value()[tagSize:]}, nil
}

// StateHistory is how many values of a key are kept: where there are as many, older ones are gone.
const StateHistory = stateHistory
