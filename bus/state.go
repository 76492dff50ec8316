// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// PutState writes a value of partition p. It is there for whoever opens the partition next,
// if it was put before Handle returned. The key is made of letters, digits and -_=/ and dots.
func (b *Bus) PutState(ctx context.Context, bucket Bucket, p int, key string, value []byte) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	kv, err := b.bucket(ctx, bucket)
	if err != nil {
		return err
	}
	if _, err := kv.Put(ctx, strconv.Itoa(p)+"."+key, value); err != nil {
		return fmt.Errorf("put %s into %s: %w", key, bucket, err)
	}
	return nil
}

// LoadState calls yield for each value of partition p.
func (b *Bus) LoadState(ctx context.Context, bucket Bucket, p int, yield func(key string, value []byte) error) error {
	kv, err := b.bucket(ctx, bucket)
	if err != nil {
		return err
	}
	prefix := strconv.Itoa(p) + "."
	watch, err := kv.Watch(ctx, prefix+">", jetstream.IgnoreDeletes())
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
			if err := yield(strings.TrimPrefix(e.Key(), prefix), e.Value()); err != nil {
				return err
			}
		}
	}
}
