// SPDX-License-Identifier: Apache-2.0

package bus_test

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
)

// summer holds what it is given for a while and flushes the sum.
type summer struct {
	sum, n uint64
	since  time.Time
}

func (h *summer) Due() time.Time {
	if h.n == 0 {
		return time.Time{}
	}
	return h.since.Add(200 * time.Millisecond)
}

func (h *summer) Flush(_ context.Context, out *numbers) error {
	out.v = append(out.v, h.sum)
	h.sum, h.n = 0, 0
	return nil
}

func (h *summer) Handle(_ context.Context, in, _ *numbers) error {
	if h.n == 0 {
		h.since = time.Now()
	}
	for _, v := range in.v {
		h.sum += v
		h.n++
	}
	return nil
}

func TestHolderIsCoveredOnlyByAFlush(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	b := s.Connect(bus.Decode, s.Config(1))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_ = bus.Process(ctx, b, bus.Datagrams, bus.Flows, func(context.Context, int) (bus.Handler[numbers, numbers], error) {
			return &summer{}, nil
		})
	}()
	c.publish(0, 0, 100)
	c.until("all sums", func() bool {
		var total uint64
		for _, v := range c.outputs(0) {
			total += v
		}
		return total == 99*100/2
	})
	if n := len(c.outputs(0)); n > 50 {
		t.Errorf("%d outputs: it was not held", n)
	}
}

// small is a summer that is due when it holds ten numbers.
type small struct {
	summer
	most *atomic.Uint64
}

func (h *small) Handle(ctx context.Context, in, out *numbers) error {
	err := h.summer.Handle(ctx, in, out)
	h.most.Store(max(h.most.Load(), h.n))
	return err
}

func (h *small) Due() time.Time {
	if h.n >= 10 {
		return h.since
	}
	return h.summer.Due()
}

func (h *small) Flush(ctx context.Context, out *numbers) error {
	for range 2000 { // 16 KB that do not compress
		out.v = append(out.v, rand.Uint64()|1<<63)
	}
	return h.summer.Flush(ctx, out)
}

func TestHolderDoesNotGrowBehindAFullStream(t *testing.T) {
	t.Parallel()
	const n = 5000
	s := bustest.New(t)
	c := newClient(t, s)
	cfg := s.Config(1)
	cfg.MaxBytes = 16 << 20 // FLOWS has 15 % of it, the flushes come to 8 MB
	b, reader := s.Connect(bus.Decode, cfg), s.Connect(bus.Enrich, cfg)
	c.publish(0, 0, n)
	var most, total atomic.Uint64
	go func() {
		_ = bus.Process(t.Context(), b, bus.Datagrams, bus.Flows, func(context.Context, int) (bus.Handler[numbers, numbers], error) {
			return &small{most: &most}, nil
		})
	}()
	c.until("a full stream", func() bool {
		stream, err := c.js.Stream(t.Context(), "FLOWS")
		return err == nil && stream.CachedInfo().State.Bytes > 2<<20
	})
	go func() { // the reader, which truncates what it has covered
		_ = bus.Process(t.Context(), reader, bus.Flows, bus.Enriched, func(context.Context, int) (bus.Handler[numbers, numbers], error) {
			return handlerFunc(func(in, _ *numbers) error {
				total.Add(in.v[len(in.v)-1])
				return nil
			}), nil
		})
	}()
	c.until("all numbers behind the full stream", func() bool { return total.Load() == n*(n-1)/2 })
	if most.Load() > 10 {
		t.Errorf("it held %d numbers, and asked for a flush at 10", most.Load())
	}
}
