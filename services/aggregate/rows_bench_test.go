// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"testing"
	"time"

	"github.com/weirflow/weir/flow/rollup"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// BenchmarkRows is the table of docs/aggregation.md: the rows of all built-in rollups for each
// flow, as one of 16 partitions writes them in a minute, and as they are when all partial sums
// of the same window and key are added up. All partitions together have 100 000 AS pairs ×
// interfaces. It depends on no clock, and measures no time.
func BenchmarkRows(b *testing.B) {
	const partitions, seconds = 16, 60
	for _, perSecond := range []int{1000, 20_000, 100_000} {
		perBatch := max(perSecond/partitions/10, 1) // ten messages a second
		batches := typicalBatches(b, 100_000/partitions, 10*seconds, perBatch, seconds*second)
		for _, interval := range []int{1, 2, 5, 10, 20, 30} {
			b.Run(fmt.Sprintf("%d flows per s, flush_interval %ds", perSecond, interval), func(b *testing.B) {
				for b.Loop() {
					w := newTestWindows(b, maxRows, rollup.Builtin()...)
					finals := rollup.NewFinals(1)
					written, merged := 0, 0
					for i, batch := range batches {
						add(b, w, batch)
						if (i+1)%(10*interval) == 0 || w.full() || w.closing() {
							var out weirv1.RollupBatch
							w.flush(&out)
							written += out.Rows()
							merged += rowsOf(finals.Add(0, &out))
						}
					}
					w.idle(uint64(time.Unix(1<<33, 0).UnixNano())) //nolint:gosec // positive
					var out weirv1.RollupBatch
					w.flush(&out)
					merged += rowsOf(finals.Add(0, &out))
					flows := float64(perBatch * len(batches))
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(float64(written)/flows, "written/flow")
					b.ReportMetric(float64(merged)/flows, "merged/flow")
				}
			})
		}
	}
}

func rowsOf(windows []rollup.Window) (n int) {
	for _, w := range windows {
		n += len(w.Rows)
	}
	return n
}
