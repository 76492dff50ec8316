// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"context"
	"fmt"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/services/decode/internal/held"
)

// logPart is how much of its partition of HELD a log may take: beside what is held there are sets
// that were released, those of the append under way, and what is not truncated yet.
const logPart = 4

// heldLimits are the limits of a partition.
func (s *Service) heldLimits() held.Limits {
	return held.Limits{
		AgeNs:          s.cfg.MaxHeldAge.Nanoseconds(),
		ExporterSets:   s.cfg.MaxHeldSets,
		ExporterOctets: s.cfg.MaxHeldExporterBytes,
		Octets:         min(s.cfg.MaxHeldBytes, int(s.bus.PartitionBytes(bus.Held)/logPart)),
	}
}

// loadHeld reads the data sets back that waited for their template at the position from which the
// partition is opened.
func (d *decoder) loadHeld(ctx context.Context) error {
	pos := bus.PositionOf(ctx)
	// The time decides where the stream was made anew and its sequences begin again.
	covered := func(in held.Input) bool { return in.Sequence <= pos.Seq || in.TimeNs <= pos.Time }
	err := bus.ReadLog(ctx, d.s.bus, bus.Held, d.p, func(l *held.Log) error {
		return d.core.Held().Load(l, covered)
	})
	if err != nil {
		return fmt.Errorf("load held data: %w", err)
	}
	d.core.Resume(inputAt(pos))
	d.gauges.set(d.core.Held())
	return nil
}

func inputAt(pos bus.Position) held.Input { return held.Input{Sequence: pos.Seq, TimeNs: pos.Time} }

// oldestHeld is the position of the oldest set that is held.
func (d *decoder) oldestHeld() bus.Position {
	oldest := d.core.Held().Oldest()
	if oldest == nil {
		return bus.Position{}
	}
	return bus.Position{Seq: oldest.Sequence, Time: oldest.TimeNs}
}
