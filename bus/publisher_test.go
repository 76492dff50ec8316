// SPDX-License-Identifier: Apache-2.0

package bus_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
)

func TestServerThatTakesSmallMessagesIsRefused(t *testing.T) {
	t.Parallel()
	s := bustest.NewLimited(t, 1<<20)
	b, err := bus.Connect(t.Context(), s.Config(1), bus.Decode, discard(), registry())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Ensure(t.Context()); !errors.Is(err, bus.ErrMaxPayload) {
		t.Errorf("Ensure: %v", err)
	}
}

func TestPublisherSaysThatNobodyEverAnswered(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	b := s.Connect(bus.Ingest, s.Config(1))
	s.Stop()
	p := b.NewPublisher(bus.Datagrams, 8)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = p.Run(ctx) }()
	if err := p.Publish(0, &numbers{[]uint64{1}}, func() {}); err != nil {
		t.Fatal(err)
	}
	if err := p.Publish(0, &numbers{[]uint64{2}}, func() {}); !errors.Is(err, bus.ErrDisconnected) {
		t.Errorf("Publish: %v", err)
	}
}

func TestPublisher(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	b := s.Connect(bus.Ingest, s.Config(1))
	start(t, s.Connect(bus.Decode, s.Config(1)), pass)
	p := b.NewPublisher(bus.Datagrams, 400*8)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = p.Run(ctx) }()
	var stored atomic.Int32
	publish := func(v uint64) error {
		return p.Publish(0, &numbers{[]uint64{v}}, func() { stored.Add(1) })
	}
	for v := range uint64(200) {
		if err := publish(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	for v := uint64(200); v < 600; v++ { // what fits is kept
		if err := publish(v); err != nil {
			t.Fatal(err)
		}
	}
	c.until("a refusal that says why", func() bool { return errors.Is(publish(600), bus.ErrDisconnected) })
	s.Start()
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := stored.Load(); n != 600 {
		t.Errorf("%d answers of 600 messages", n)
	}
	c.expect(0, 600)
}

func TestRefusingLooksLikeAFullStreamAndLosesNothing(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	b := s.Connect(bus.Ingest, s.Config(1))
	start(t, s.Connect(bus.Decode, s.Config(1)), pass)
	p := b.NewPublisher(bus.Datagrams, 4*8)
	b.Refuse(true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = p.Run(ctx) }()
	for v := range uint64(4) { // what fits waits
		if err := p.Publish(0, &numbers{[]uint64{v}}, func() {}); err != nil {
			t.Fatal(err)
		}
	}
	c.until("a refusal that says why", func() bool {
		return errors.Is(p.Publish(0, &numbers{[]uint64{4}}, func() {}), bus.ErrStreamFull)
	})
	b.Refuse(false)
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.expect(0, 4)
}
