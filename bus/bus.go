// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
)

// Config says where JetStream is and how large its streams are.
type Config struct {
	// URL of the NATS server, or several, separated by commas.
	URL string `yaml:"url" usage:"NATS server to connect to"`
	// User and its password, or a file that holds the password and is read at each connect.
	User         string `yaml:"user" usage:"user of the NATS server; empty where it wants none"`
	Password     string `yaml:"password" secret:"true" usage:"password of the user"`
	PasswordFile string `yaml:"password_file" usage:"file that holds the password, read at each connect"`
	// CAFile turns TLS on and says whose certificates to trust.
	CAFile string `yaml:"ca_file" usage:"PEM file of the authorities that the NATS server's certificate is checked with; a tls:// url without it trusts those of the system"`
	// Partitions of every stream: how many workers of a stage can share the load.
	Partitions int `yaml:"partitions" usage:"partitions of every stream, fixed when the streams are made"`
	// Replicas of every stream and bucket.
	Replicas int `yaml:"replicas" usage:"copies of every stream: 1, or 3 in a cluster"`
	// MaxBytes bounds the disk that all streams together use, bytes.
	MaxBytes int64 `yaml:"max_bytes" usage:"disk that all streams together may use, bytes"`
}

// DefaultConfig returns the settings that Config has where none are given.
func DefaultConfig() Config {
	return Config{URL: nats.DefaultURL, Partitions: 16, Replicas: 1, MaxBytes: 16 << 30}
}

// Validate returns all problems at once.
func (c Config) Validate() error {
	var errs []error
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" {
		errs = append(errs, fmt.Errorf("url: is %q, want e.g. nats://127.0.0.1:4222", c.URL))
	}
	errs = append(errs, c.validateUser())
	if c.Partitions < 1 || c.Partitions > 1024 {
		errs = append(errs, fmt.Errorf("partitions: is %d, want 1 to 1024, e.g. 16", c.Partitions))
	}
	if c.Replicas < 1 || c.Replicas > 5 {
		errs = append(errs, fmt.Errorf("replicas: is %d, want 1, or 3 in a cluster", c.Replicas))
	}
	if c.MaxBytes < minBytes {
		errs = append(errs, fmt.Errorf("max_bytes: is %d, want at least %d (16 MiB), e.g. 17179869184 (16 GiB)", c.MaxBytes, minBytes))
	}
	return errors.Join(errs...)
}

const (
	minBytes       = 16 << 20
	publishTimeout = 3 * time.Second
	pingInterval   = 5 * time.Second // two that are not answered end a connection
	// maxInFlight bounds the publishes of one process that wait for an answer.
	maxInFlight = 1024
)

// Bus is a stage's connection to JetStream. It is safe for concurrent use.
type Bus struct {
	cfg   Config
	stage string
	nc    *nats.Conn
	js    jetstream.JetStream
	link  *link
	log   *slog.Logger
	m     *metrics

	refuse atomic.Bool // see Refuse

	mu   sync.Mutex
	kvs  map[Bucket]jetstream.KeyValue // looked up once
	lags map[string]*lagWatch          // by subject
}

// Connect connects stage to JetStream. It does not wait for the server: what is called on
// a Bus while the server is away fails or is tried again, as its contract says.
func Connect(_ context.Context, cfg Config, stage string, log *slog.Logger, reg prometheus.Registerer, opts ...nats.Option) (*Bus, error) {
	link := newLink()
	opts = append([]nats.Option{
		nats.Name("weir-" + stage),
		nats.CustomInboxPrefix("_INBOX_" + stage),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
		// A server that is gone without a word shows in some seconds, not in minutes.
		nats.PingInterval(pingInterval),
		nats.ReconnectBufSize(-1), // fail at once while away: our own retries know what is stale
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("NATS connection lost, trying again", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			log.Info("NATS connected", "url", nc.ConnectedUrlRedacted())
			link.restored()
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("NATS reports an error", "error", err)
		}),
	}, opts...)
	opts = append(cfg.login(), opts...)
	nc, err := nats.Connect(cfg.URL, opts...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS at %s: %w", cfg.URL, err)
	}
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(maxInFlight), jetstream.WithPublishAsyncTimeout(publishTimeout))
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("open JetStream: %w", err)
	}
	return &Bus{cfg: cfg, stage: stage, nc: nc, js: js, link: link, log: log, m: newMetrics(reg), kvs: map[Bucket]jetstream.KeyValue{}, lags: map[string]*lagWatch{}}, nil
}

// Close ends the connection.
func (b *Bus) Close() { b.nc.Close() }

// Partitions returns the number of partitions of every stream.
func (b *Bus) Partitions() int { return b.cfg.Partitions }

// Ready returns why the stage can't work now, nil when it can.
func (b *Bus) Ready() error {
	if !b.nc.IsConnected() {
		return fmt.Errorf("NATS at %s: %w", b.cfg.URL, ErrDisconnected)
	}
	return nil
}

// bucket looks a bucket up.
func (b *Bus) bucket(ctx context.Context, name Bucket) (jetstream.KeyValue, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if kv := b.kvs[name]; kv != nil {
		return kv, nil
	}
	kv, err := b.js.KeyValue(ctx, string(name))
	if err != nil {
		return nil, fmt.Errorf("look up bucket %s: %w", name, err)
	}
	b.kvs[name] = kv
	return kv, nil
}

// pause waits, and reports whether ctx still goes on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// backoff is a delay that doubles.
type backoff struct{ next time.Duration }

const (
	firstDelay = 100 * time.Millisecond
	maxDelay   = 5 * time.Second
)

func (d *backoff) reset() { d.next = 0 }

// step returns the next delay.
func (d *backoff) step() time.Duration {
	d.next = min(max(2*d.next, firstDelay), maxDelay)
	return d.next
}

func (d *backoff) wait(ctx context.Context) bool { return pause(ctx, d.step()) }
