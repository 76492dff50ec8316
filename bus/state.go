// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// stateHistory is how many values of a key are kept: those that were put since the last
// append, and one before. A handler that puts a key more often between two appends may, after
// a crash, find a value that is newer than the position.
const stateHistory = 32

// tagSize is the length of the position before each value.
const tagSize = 16

// positionKey is the context's key of the position that state belongs to.
type positionKey struct{}

// at returns a context in which state belongs to pos.
func at(ctx context.Context, pos Position) context.Context {
	return context.WithValue(ctx, positionKey{}, pos)
}

// PositionOf returns the position of the input that Handle was called for, and the one from which a
// partition is opened, with their contexts.
func PositionOf(ctx context.Context) Position {
	pos, _ := ctx.Value(positionKey{}).(Position)
	return pos
}

// PutState writes a value of partition p, with the context that Handle was called with. It is
// there for whoever opens the partition next, if what this Handle returns was appended: state
// and output always stand at the same position. The key is made of letters, digits and -_=/ and
// dots.
//
// A bucket that is full keeps what it has, and the value goes no further than the handler: what
// exporters make us keep must not stop the partition. It is counted as an append that found no room.
func (b *Bus) PutState(ctx context.Context, bucket Bucket, p int, key string, value []byte) error {
	pos := PositionOf(ctx)
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	kv, err := b.bucket(ctx, bucket)
	if err != nil {
		return err
	}
	tagged := binary.LittleEndian.AppendUint64(make([]byte, 0, tagSize+len(value)), pos.Seq)
	tagged = binary.LittleEndian.AppendUint64(tagged, uint64(pos.Time)) //nolint:gosec // the same 64 bits
	_, err = kv.Put(ctx, strconv.Itoa(p)+"."+key, append(tagged, value...))
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == codeStreamFull {
		b.m.appends.WithLabelValues(string(bucket), full).Inc()
		return nil
	}
	if err != nil {
		return fmt.Errorf("put %s into %s: %w", key, bucket, err)
	}
	return nil
}

// LoadState calls yield for each value of partition p as it was at the position from which the
// partition is opened, with the context that open was called with.
func (b *Bus) LoadState(ctx context.Context, bucket Bucket, p int, yield func(key string, value []byte) error) error {
	kv, err := b.bucket(ctx, bucket)
	if err != nil {
		return err
	}
	prefix := strconv.Itoa(p) + "."
	watch, err := kv.Watch(ctx, prefix+">", jetstream.IncludeHistory(), jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("read bucket %s: %w", bucket, err)
	}
	defer func() { _ = watch.Stop() }()
	values := map[string][]byte{}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, open := <-watch.Updates():
			if !open {
				return fmt.Errorf("read bucket %s: the watch ended", bucket)
			}
			if e != nil {
				keep(ctx, values, strings.TrimPrefix(e.Key(), prefix), e.Value())
				continue
			}
			for key, value := range values { // all that was there has come
				if err := yield(key, value); err != nil {
					return err
				}
			}
			return nil
		}
	}
}

// keep keeps the last value of a key that is not from beyond the position, or the first one
// where all are. Values come in the order in which they were put.
func keep(ctx context.Context, values map[string][]byte, key string, tagged []byte) {
	if len(tagged) < tagSize {
		return
	}
	seq, ns := binary.LittleEndian.Uint64(tagged), int64(binary.LittleEndian.Uint64(tagged[8:])) //nolint:gosec // as put
	from, opening := ctx.Value(positionKey{}).(Position)
	// The time decides where the stream was made anew and its sequences begin again.
	old := !opening || seq <= from.Seq || ns <= from.Time
	if _, there := values[key]; old || !there {
		values[key] = tagged[tagSize:]
	}
}
