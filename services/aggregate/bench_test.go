// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/flow/rollup"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// typicalBatches are flows of one exporter each, that last a few seconds or, one in ten,
// minutes, with `keys` AS pairs and interfaces, as they come within span.
func typicalBatches(t testing.TB, keys, batches, rows int, span uint64) []*flow.Batch {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 1))
	hosts := rand.NewZipf(rnd, 1.2, 8, 50_000)
	var list []*flow.Batch
	for n := range batches {
		var b flow.Batch
		for range rows {
			lasted := rnd.Uint64N(5 * second)
			if rnd.IntN(10) == 0 {
				lasted = rnd.Uint64N(minute)
			}
			at := base + 4*minute + span*uint64(n)/uint64(batches) //nolint:gosec // not negative
			end := at - rnd.Uint64N(5*second)
			k := rnd.Uint64N(uint64(keys)) //nolint:gosec // positive
			var r flow.Record
			for f, v := range map[flow.Field]uint64{
				flow.TimeFlowStartNs: end - lasted, flow.TimeFlowEndNs: end, flow.TimeReceivedNs: at,
				flow.SrcOriginAS: 1000 + k%300*7, flow.DstOriginAS: 1000 + k/300%300*13, flow.InIf: k % 20, flow.OutIf: k / 300 % 20,
				flow.EType: 0x800, flow.Proto: 6, flow.SrcPort: 443, flow.DstPort: 49152 + rnd.Uint64N(1<<14),
				flow.Bytes: 40 + rnd.Uint64N(100_000), flow.Packets: 1 + rnd.Uint64N(100), flow.SamplingRate: 1000,
				flow.SrcCountry: b.Intern(flow.SrcCountry, []string{"DE", "FR", "US"}[k%3]), flow.DstCountry: b.Intern(flow.DstCountry, "CH"),
				flow.InIfSpeed: 10_000_000_000, flow.OutIfSpeed: 100_000_000_000,
			} {
				r.SetNumber(f, v)
			}
			host := hosts.Uint64()
			r.SetAddress(flow.SrcAddr, [16]byte{10: 0xff, 11: 0xff, 12: 10, 13: byte(host >> 16), 14: byte(host >> 8), 15: byte(host)})
			r.SetAddress(flow.SamplerAddress, [16]byte{10: 0xff, 11: 0xff, 12: 192, 14: 2, 15: 1})
			b.Append(&r)
		}
		var wire flow.Batch
		if err := wire.UnmarshalVTUnsafe(b.AppendVT(nil)); err != nil {
			t.Fatal(err)
		}
		list = append(list, &wire)
	}
	return list
}

// BenchmarkBuiltin is all built-in rollups over one partition: flows are added and, when the
// bound on rows is reached or after 10 s of flows, the message is made. B/row is of the
// compressed message, B/key the memory of all tables for each entry of a source.
func BenchmarkBuiltin(b *testing.B) {
	const rows = 1000
	for _, tt := range []struct{ keys, perSecond int }{{100_000, 6250}, {100_000, 100_000}, {10_000, 6250}} {
		b.Run(fmt.Sprintf("%d keys %d flows per s", tt.keys, tt.perSecond), func(b *testing.B) {
			batches := typicalBatches(b, tt.keys, 10*tt.perSecond/rows, rows, 10*second)
			w, err := newWindows(rollup.Builtin(), 2*time.Minute, limits{rows: maxRows, ahead: minute, behind: 24 * 60 * minute, length: duration})
			if err != nil {
				b.Fatal(err)
			}
			i, flushes, sent, size, held := 0, 0, 0, 0, 0
			flush := func() {
				held = max(held, entriesOf(w))
				var out weirv1.RollupBatch
				w.flush(&out)
				wire := out.AppendVT(nil)
				sent += out.Rows()
				flushes++
				if flushes == 2 { // the sizes of one are those of all
					size = len(s2.Encode(nil, wire)) / out.Rows()
				}
			}
			began := cpu(b)
			for b.Loop() {
				if err := w.add(batches[i%len(batches)]); err != nil {
					b.Fatal(err)
				}
				if i++; i%len(batches) == 0 || w.full() {
					flush()
				}
			}
			flush()
			flows := float64(b.N * rows)
			b.ReportMetric(float64(cpu(b)-began)/flows, "cpu-ns/flow")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/flows, "ns/flow")
			b.ReportMetric(float64(sent)/flows, "rows/flow")
			b.ReportMetric(float64(size), "B/row")
			b.ReportMetric(float64(memoryOf(w))/float64(held), "B/key")
		})
	}
}

// cpu is the time that all threads of this process have computed, ns: the machine may have
// other things to do.
func cpu(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func entriesOf(w *windows) (n int) {
	for _, s := range w.sources {
		n += s.table.len()
	}
	return n
}

func memoryOf(w *windows) (n int) {
	for _, s := range w.sources {
		n += s.table.octets()
		for _, v := range s.views {
			n += v.table.octets()
			if v.top != nil {
				n += v.top.seen.octets()
			}
		}
	}
	return n
}

func TestAddAllocatesNothing(t *testing.T) {
	batch := typicalBatches(t, 500, 1, 1000, second)[0]
	w := newTestWindows(t, maxRows, rollup.Builtin()...)
	add(t, w, batch)
	add(t, w, batch)
	// The texts of the dictionaries of a batch are numbered in a list for each column.
	if got := testing.AllocsPerRun(20, func() { add(t, w, batch) }); got > 12 {
		t.Errorf("%v allocations for a batch of 1000 flows of known keys, want 12 at most", got)
	}
}
