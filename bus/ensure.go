// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// MaxPayload is what the NATS server must take in one message, octets: what one batch of
// datagrams of the least records, or one flush of sums, may come to.
const MaxPayload = 8 << 20

const (
	// partitionsKey of a stream's metadata records the partition count it was made with.
	partitionsKey = "weir_partitions"
	bucketBytes   = 256 << 20
	deadAge       = 7 * 24 * time.Hour
	deadWindow    = time.Hour
	// ingestWindow is how long a publish of ingest that was not answered can be repeated.
	ingestWindow = 2 * time.Minute
	// positionWindow is JetStream's least: appends by position need no window.
	positionWindow = 100 * time.Millisecond
)

// StoreBytes is the disk that JetStream must be allowed to use for c: the streams and the
// buckets.
func (c Config) StoreBytes() int64 { return c.MaxBytes + int64(len(buckets()))*c.bucketBytes() }

func (c Config) bucketBytes() int64 { return min(bucketBytes, c.MaxBytes/8) }

// Ensure makes the streams and buckets, and brings the limits of those that are there up to
// date. It returns ErrPartitions, and changes nothing, where a stream was made with another
// number of partitions.
func (b *Bus) Ensure(ctx context.Context) error {
	if err := b.check(ctx); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	for _, s := range streams() {
		if _, err := b.js.CreateOrUpdateStream(ctx, b.streamConfig(s)); err != nil {
			return fmt.Errorf("make stream %s: %w", s.Name, err)
		}
	}
	if _, err := b.js.CreateOrUpdateStream(ctx, b.deadConfig()); err != nil {
		return fmt.Errorf("make stream %s: %w", deadName, err)
	}
	for _, bucket := range buckets() {
		_, err := b.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: string(bucket), Storage: jetstream.FileStorage, Replicas: b.cfg.Replicas, MaxBytes: b.cfg.bucketBytes(),
			History: bucket.history(),
		})
		if err != nil {
			return fmt.Errorf("make bucket %s: %w", bucket, err)
		}
	}
	return nil
}

// PartitionBytes returns how much of a stream each partition has when all have as much.
func (b *Bus) PartitionBytes(s Stream) int64 { return b.cfg.streamBytes(s) / int64(b.cfg.Partitions) }

func (c Config) streamBytes(s Stream) int64 { return c.MaxBytes * int64(s.share) / 100 }

func (b *Bus) streamConfig(s Stream) jetstream.StreamConfig {
	window := positionWindow
	if s.Name == Datagrams.Name {
		window = ingestWindow
	}
	return jetstream.StreamConfig{
		Name:       s.Name,
		Subjects:   []string{s.subject + ".*"},
		Storage:    jetstream.FileStorage,
		Retention:  jetstream.LimitsPolicy,
		Discard:    jetstream.DiscardNew, // a full stream makes its writer wait: nothing accepted is deleted unread
		MaxBytes:   b.cfg.streamBytes(s),
		Replicas:   b.cfg.Replicas,
		Duplicates: window,
		DenyDelete: true,
		Metadata:   map[string]string{partitionsKey: strconv.Itoa(b.cfg.Partitions)},
	}
}

func (b *Bus) deadConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:       deadName,
		Subjects:   []string{"dead.>"},
		Storage:    jetstream.FileStorage,
		Discard:    jetstream.DiscardOld,
		MaxBytes:   b.cfg.MaxBytes * deadShare / 100,
		MaxAge:     deadAge,
		Replicas:   b.cfg.Replicas,
		Duplicates: deadWindow,
	}
}

// check compares the server and its streams with what we need.
func (b *Bus) check(ctx context.Context) error {
	if n := b.nc.MaxPayload(); b.nc.IsConnected() && n < MaxPayload {
		return fmt.Errorf("%w: it is %d octets, want at least %d (max_payload: 8MB in the server's configuration)", ErrMaxPayload, n, MaxPayload)
	}
	for _, s := range streams() {
		stream, err := b.js.Stream(ctx, s.Name)
		if err != nil {
			return fmt.Errorf("look up stream %s: %w", s.Name, err)
		}
		made := stream.CachedInfo().Config.Metadata[partitionsKey]
		if made != strconv.Itoa(b.cfg.Partitions) {
			return fmt.Errorf("%w: stream %s was made with %s partitions and the setting is %d: set partitions to %[3]s, or empty the streams and delete them",
				ErrPartitions, s.Name, made, b.cfg.Partitions)
		}
	}
	return nil
}

// await returns when the streams are there as check wants them. It returns ErrPartitions or
// ErrMaxPayload if they never will be, and nil if ctx ends.
func (b *Bus) await(ctx context.Context) error {
	var delay backoff
	for warned := false; ; {
		try, cancel := context.WithTimeout(ctx, publishTimeout)
		err := b.check(try)
		cancel()
		if err == nil || errors.Is(err, ErrPartitions) || errors.Is(err, ErrMaxPayload) {
			return err
		}
		if ctx.Err() == nil && !warned {
			warned = true
			b.log.Warn("streams are not there yet, waiting", "error", err)
		}
		if !delay.wait(ctx) {
			return nil
		}
	}
}
