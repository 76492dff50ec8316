// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"context"
	"time"
)

// Pace waits for the time of packets. The first is due at once.
type Pace struct {
	Speed float64 // 1: as captured, 2: twice as fast; 0: no waiting

	first   int64 // time of the first packet
	started time.Time
}

// Wait returns when a packet of time at is due, or false when ctx ended before.
func (p *Pace) Wait(ctx context.Context, at int64) bool {
	if p.Speed == 0 {
		return true
	}
	if p.started.IsZero() {
		p.first, p.started = at, time.Now()
	}
	due := time.Until(p.started.Add(time.Duration(float64(at-p.first) / p.Speed)))
	if due <= 0 {
		return true
	}
	timer := time.NewTimer(due)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
