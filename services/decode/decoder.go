// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/datagram"
	"github.com/weirflow/weir/services/decode/internal/held"
)

// decoder decodes a partition, and leaves what its exporters told to whoever decodes it next.
type decoder struct {
	s    *Service
	p    int
	core *datagram.Decoder
	// counters is what goes to COUNTERS.
	counters flow.Counters
	// held is what goes to HELD.
	held   *held.Log
	gauges heldGauges
}

// newDecoder returns a decoder of partition p that knows no exporter.
func newDecoder(s *Service, p int, core *datagram.Decoder) *decoder {
	d := &decoder{s: s, p: p, core: core, gauges: s.m.heldOf(p)}
	core.Collect(&d.counters)
	d.held = core.Hold(s.heldLimits())
	return d
}

// Sides implements bus.Sider.
func (d *decoder) Sides() []bus.Side {
	return []bus.Side{
		{Stream: bus.Held, Message: d.held, Keep: d.oldestHeld},
		{Stream: bus.Counters, Message: &d.counters},
	}
}

// Handle implements bus.Handler. What exporters told is written before the flows are
// appended, so that whoever goes on from the position knows it.
func (d *decoder) Handle(ctx context.Context, in *flow.Datagrams, out *flow.Batch) error {
	d.core.Begin(inputAt(bus.PositionOf(ctx)))
	d.core.Decode(in, out)
	d.s.m.add(d.core.Take())
	d.gauges.set(d.core.Held())
	return d.core.Save(func(exporter netip.Addr, state []byte) error {
		d.s.m.stateWrites.Inc()
		return d.s.bus.PutState(ctx, bus.Templates, d.p, keyOf(exporter), state)
	})
}

// load reads the state of all exporters of the partition. One that can't be read is as one
// that is new: it sends its templates again.
func (d *decoder) load(ctx context.Context) error {
	return d.s.bus.LoadState(ctx, bus.Templates, d.p, func(key string, state []byte) error {
		if err := d.restore(key, state); err != nil {
			d.s.log.Warn("state of an exporter is left out", "partition", d.p, "key", key, "error", err)
		}
		return nil
	})
}

func (d *decoder) restore(key string, state []byte) error {
	exporter, err := exporterOf(key)
	if err != nil {
		return err
	}
	if err := d.core.Restore(exporter, state); err != nil {
		return fmt.Errorf("exporter %s: %w", exporter, err)
	}
	return nil
}

// keyOf returns the key of an exporter: keys of a bucket can't have colons.
func keyOf(exporter netip.Addr) string {
	a := exporter.As16()
	return hex.EncodeToString(a[:])
}

var errKey = errors.New("not an exporter's key")

func exporterOf(key string) (netip.Addr, error) {
	b, err := hex.DecodeString(key)
	if err != nil || len(b) != 16 {
		return netip.Addr{}, errKey
	}
	return netip.AddrFrom16([16]byte(b)).Unmap(), nil
}
