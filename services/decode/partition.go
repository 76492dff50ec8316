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
	"github.com/weirflow/weir/services/decode/internal/template"
)

// partition is the decoder of a partition and what it leaves for the next one.
type partition struct {
	s   *Service
	p   int
	dec *decoder
}

// Handle implements bus.Handler. What exporters told is written before the flows are
// appended, so that whoever goes on from the position knows it.
func (h *partition) Handle(ctx context.Context, in *flow.Datagrams, out *flow.Batch) error {
	h.dec.decode(in, out)
	h.s.m.take(h.dec)
	return h.save(ctx)
}

// save writes the state of the exporters that told something new.
func (h *partition) save(ctx context.Context) error {
	for a, x := range h.dec.changed {
		if err := h.s.bus.PutState(ctx, bus.Templates, h.p, keyOf(a), x.Append(nil)); err != nil {
			return err
		}
		h.s.m.stateWrites.Inc()
		delete(h.dec.changed, a)
	}
	return nil
}

// load reads the state of all exporters of the partition. One that can't be read is as one
// that is new: it sends its templates again.
func (h *partition) load(ctx context.Context) error {
	return h.s.bus.LoadState(ctx, bus.Templates, h.p, func(key string, value []byte) error {
		if err := h.restore(key, value); err != nil {
			h.s.log.Warn("state of an exporter is left out", "partition", h.p, "key", key, "error", err)
		}
		return nil
	})
}

func (h *partition) restore(key string, value []byte) error {
	a, err := exporterOf(key)
	if err != nil {
		return err
	}
	x, err := template.Load(value, h.dec.limits())
	if err != nil {
		return fmt.Errorf("exporter %s: %w", a, err)
	}
	h.dec.exporters[a] = x
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
