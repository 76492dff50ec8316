// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
)

var errTODO = errors.New("not written yet")

type Config struct {
	URL        string `yaml:"url" usage:"NATS server to connect to"`
	Partitions int    `yaml:"partitions" usage:"partitions of every stream, fixed when the streams are made"`
	Replicas   int    `yaml:"replicas" usage:"copies of every stream: 1, or 3 in a cluster"`
	MaxBytes   int64  `yaml:"max_bytes" usage:"disk that all streams together may use, bytes"`
}

func DefaultConfig() Config {
	return Config{URL: "nats://127.0.0.1:4222", Partitions: 16, Replicas: 1, MaxBytes: 16 << 30}
}

func (c Config) Validate() error { return nil }

type Bus struct{}

// Connect connects stage to JetStream; it keeps trying while the server is away.
func Connect(ctx context.Context, cfg Config, stage string, log *slog.Logger, reg prometheus.Registerer, opts ...nats.Option) (*Bus, error) {
	return nil, errTODO
}

func (b *Bus) Close() {}

// Ensure makes the streams and buckets.
func (b *Bus) Ensure(ctx context.Context) error { return errTODO }

func (b *Bus) Partitions() int { return 16 }

// PutState writes a value of partition p. It is there for whoever opens the partition next,
// if it was put before Handle returned.
func (b *Bus) PutState(ctx context.Context, bucket Bucket, p int, key string, value []byte) error {
	return errTODO
}

// LoadState calls yield for each value of partition p.
func (b *Bus) LoadState(ctx context.Context, bucket Bucket, p int, yield func(key string, value []byte) error) error {
	return errTODO
}

// Process runs a stage until ctx ends: for each partition that falls to this worker it
// opens a Handler and feeds it.
func Process[In, Out any, PI message[In], PO message[Out]](ctx context.Context, b *Bus, in, out Stream,
	open func(ctx context.Context, p int) (Handler[In, Out], error),
) error {
	return errTODO
}

// SinkConfig bounds the batches of a Sink.
type SinkConfig struct {
	MaxRows int           // a batch is written when it has as many rows,
	MaxWait time.Duration // or when its first message has waited this long
}

// Sink reads the partitions that fall to this worker and calls write with joint batches,
// in the order of partition and sequence. A batch is written again, with the same messages and
// token, until write returns nil, also by another worker after a crash: write must make that
// harmless, with the token. Permanent(err) puts the batch into the DEAD stream.
func Sink[M any, PM message[M]](ctx context.Context, b *Bus, in Stream, cfg SinkConfig,
	write func(ctx context.Context, token string, batch []*M) error,
) error {
	return errTODO
}

// Publisher appends the messages of a stage that has no input stream.
type Publisher struct{}

// NewPublisher returns a Publisher to s that holds at most maxBytes until they are stored.
func (b *Bus) NewPublisher(s Stream, maxBytes int64) *Publisher { return &Publisher{} }

// Publish hands m's wire form over; m may be reused at once. It never blocks. stored is called, from
// another goroutine, once JetStream has stored it. The error is ErrStreamFull, ErrDisconnected or
// ErrBacklog: nothing was taken.
func (p *Publisher) Publish(partition int, m Message, stored func()) error { return errTODO }

// Flush waits until everything is stored.
func (p *Publisher) Flush(ctx context.Context) error { return errTODO }
