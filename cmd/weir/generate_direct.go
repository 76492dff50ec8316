// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode"
	"github.com/weirflow/weir/test/traffic"
)

const (
	// directBytes of datagrams of a partition make a message.
	directBytes = 128 << 10
	// directWait is how long datagrams wait for others.
	directWait = 200 * time.Millisecond
)

// runDirect decodes the datagrams here and appends the flows to the stream FLOWS.
func (g *generator) runDirect(cmd *cobra.Command) error {
	o := newOptions()
	o.file = g.config
	if err := o.load(); err != nil {
		return err
	}
	return o.withBus(cmd.Context(), func(ctx context.Context, b *bus.Bus, _ *slog.Logger) error {
		f, err := newFeeder(context.WithoutCancel(ctx), b, o.NATS.Partitions, o.Decode)
		if err != nil {
			return err
		}
		g.Deliver = f.add
		load, err := traffic.NewLoad(g.LoadConfig)
		if err != nil {
			return misuse("%v", err)
		}
		defer load.Close()
		return generate(ctx, load, g.Sampling, f.flush, cmd.OutOrStdout())
	})
}

// feeder appends flows to FLOWS, each exporter's to its partition.
type feeder struct {
	ctx        context.Context
	bus        *bus.Bus
	partitions []flow.Datagrams // that wait
	decode     func(in *flow.Datagrams, out *flow.Batch)
	flushed    time.Time
	out        flow.Batch
}

func newFeeder(ctx context.Context, b *bus.Bus, partitions int, cfg decode.Config) (*feeder, error) {
	decoders, err := cfg.Decoders()
	if err != nil {
		return nil, err
	}
	return &feeder{
		ctx: ctx, bus: b, partitions: make([]flow.Datagrams, partitions), decode: decoders().Decode, flushed: time.Now(),
	}, nil
}

// add takes a datagram.
func (f *feeder) add(exporter netip.Addr, payload []byte) error {
	now := time.Now()
	p := bus.Partition(exporter, len(f.partitions))
	f.partitions[p].Append(&flow.Datagram{
		Exporter: exporter, Source: netip.AddrPortFrom(exporter, 0), ReceivedNs: uint64(now.UnixNano()), Payload: payload, //nolint:gosec // after 1970
	})
	switch {
	case now.Sub(f.flushed) >= directWait:
		return f.flush()
	case f.partitions[p].PayloadBytes() >= directBytes:
		return f.send(p)
	}
	return nil
}

// flush sends all that waits.
func (f *feeder) flush() error {
	f.flushed = time.Now()
	for p := range f.partitions {
		if err := f.send(p); err != nil {
			return err
		}
	}
	return nil
}

func (f *feeder) send(p int) error {
	in := &f.partitions[p]
	if in.Rows() == 0 {
		return nil
	}
	f.out.Reset()
	f.decode(in, &f.out)
	in.Reset()
	return f.bus.Feed(f.ctx, bus.Flows, p, &f.out)
}
