// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// typicalFlows last a few seconds or, one in ten, minutes, in keys AS pairs.
func typicalFlows(rnd *rand.Rand, n, keys int) []testFlow {
	var flows []testFlow
	for range n {
		lasted := rnd.Uint64N(5 * second)
		if rnd.IntN(10) == 0 {
			lasted = rnd.Uint64N(2 * minute)
		}
		end := base + 4*minute + rnd.Uint64N(10*second)
		k := rnd.Uint64N(uint64(keys)) //nolint:gosec // positive
		flows = append(flows, testFlow{
			start: end - lasted, end: end, received: end + second, srcAS: k % 300 * 7, dstAS: k / 300 * 13, etype: 0x800, proto: 6,
			bytes: 40 + rnd.Uint64N(100_000), packets: 1 + rnd.Uint64N(100), rate: 1000,
		})
	}
	return flows
}

func BenchmarkAdd(b *testing.B) {
	const rows = 1000
	for _, keys := range []int{100, 1000, 10_000, 60_000} {
		b.Run(fmt.Sprintf("%d keys", keys), func(b *testing.B) {
			rnd := rand.New(rand.NewPCG(1, 1))
			var batches []*flow.Batch
			for range 200 {
				var batch flow.Batch
				if err := batch.UnmarshalVTUnsafe(batchOf(typicalFlows(rnd, rows, keys)...).AppendVT(nil)); err != nil {
					b.Fatal(err)
				}
				batches = append(batches, &batch)
			}
			w := newTestWindows(maxKeys)
			i := 0
			for b.Loop() {
				w.add(batches[i%len(batches)])
				i++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/flow")
			b.ReportMetric(float64(8*(cap(w.table.entries)+len(w.table.slots)))/float64(w.table.len()), "B/key")
		})
	}
}

func BenchmarkFlush(b *testing.B) {
	w := newTestWindows(maxKeys)
	batch := batchOf(typicalFlows(rand.New(rand.NewPCG(1, 1)), 20_000, 10_000)...)
	rows, size := 0, 0
	for b.Loop() {
		var out weirv1.RollupBatch
		w.add(batch)
		w.flush(&out)
		rows, size = out.Rows(), len(out.AppendVT(nil))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
	b.ReportMetric(float64(size)/float64(rows), "B/row")
}

func TestAddAllocatesNothing(t *testing.T) {
	batch := batchOf(typicalFlows(rand.New(rand.NewPCG(1, 1)), 1000, 500)...)
	w := newTestWindows(maxKeys)
	w.add(batch)
	if got := testing.AllocsPerRun(20, func() { w.add(batch) }); got > 0 {
		t.Errorf("%v allocations for a batch of known keys, want 0", got)
	}
}
