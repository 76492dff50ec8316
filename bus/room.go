// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"fmt"
)

// measure sets the gauges of how full a stream is.
func (b *Bus) measure(ctx context.Context, s Stream) error {
	stream, err := b.js.Stream(ctx, s.Name)
	if err != nil {
		return fmt.Errorf("measure %s: %w", s.Name, err)
	}
	info := stream.CachedInfo()
	b.m.stored.WithLabelValues(s.Name).Set(float64(info.State.Bytes))
	b.m.limit.WithLabelValues(s.Name).Set(float64(info.Config.MaxBytes))
	return nil
}
