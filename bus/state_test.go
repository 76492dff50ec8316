// SPDX-License-Identifier: Apache-2.0

package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
)

func TestState(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	b := s.Connect(bus.Decode, s.Config(2))
	for key, value := range map[string]string{"a": "1", "b": "2"} {
		if err := b.PutState(t.Context(), bus.Templates, 1, key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.PutState(t.Context(), bus.Templates, 0, "a", []byte("other partition")); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	if err := b.LoadState(t.Context(), bus.Templates, 1, func(k string, v []byte) error { got[k] = string(v); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got["a"] != "1" || got["b"] != "2" {
		t.Errorf("got %v", got)
	}
}

// remembers is a handler whose state is the number that it handled last.
type remembers struct {
	b      *bus.Bus
	last   uint64
	failed *atomic.Bool
	ahead  *atomic.Uint64 // a state that was found ahead of the position
}

var errOnce = errors.New("not now")

func (h *remembers) Handle(ctx context.Context, in, out *numbers) error {
	v := in.v[0]
	if h.last >= v {
		h.ahead.Store(h.last)
	}
	h.last = v
	if err := h.b.PutState(ctx, bus.Templates, 0, "last", []byte(strconv.FormatUint(v, 10))); err != nil {
		return err
	}
	if v == 7 && !h.failed.Swap(true) {
		return errOnce // its state is put, its output never appended
	}
	return pass(in, out)
}

func TestStateIsThatOfThePosition(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	b := s.Connect(bus.Decode, s.Config(1))
	var failed atomic.Bool
	var ahead, loaded atomic.Uint64
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_ = bus.Process(ctx, b, bus.Datagrams, bus.Flows, func(ctx context.Context, _ int) (bus.Handler[numbers, numbers], error) {
			h := &remembers{b: b, failed: &failed, ahead: &ahead}
			return h, b.LoadState(ctx, bus.Templates, 0, func(_ string, value []byte) (err error) {
				h.last, err = strconv.ParseUint(string(value), 10, 64)
				loaded.Store(h.last)
				return err
			})
		})
	}()
	c.publish(0, 1, 20)
	c.until("all outputs", func() bool { return len(c.outputs(0)) >= 19 })
	if !failed.Load() || ahead.Load() != 0 {
		t.Errorf("state of %d was found behind it", ahead.Load())
	}
	if last := loaded.Load(); last == 0 || last >= 7 {
		t.Errorf("state %d was loaded after the failure of 7", last)
	}
}

// What exporters make decode keep is bounded, and must not stop the partition.
func TestFullBucketDoesNotStopThePartition(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	cfg := s.Config(1)
	cfg.MaxBytes = 16 << 20 // a bucket has an eighth of it
	b := s.Connect(bus.Decode, cfg)
	for i := range 40 {
		if err := b.PutState(t.Context(), bus.Templates, 0, fmt.Sprintf("key%d", i), make([]byte, 100_000)); err != nil {
			t.Fatalf("value %d: %v", i, err)
		}
	}
	kept := 0
	err := b.LoadState(t.Context(), bus.Templates, 0, func(string, []byte) error { kept++; return nil })
	if err != nil || kept == 0 || kept == 40 {
		t.Errorf("%d values are kept: %v", kept, err)
	}
}
