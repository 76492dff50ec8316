// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
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
	hosts, services := rand.NewZipf(rnd, 1.2, 8, 50_000), rand.NewZipf(rnd, 1.2, 1, 1000)
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
				flow.EType: 0x800, flow.Proto: 6, flow.SrcPort: services.Uint64(), flow.DstPort: 49152 + rnd.Uint64N(1<<14),
				flow.Bytes: 40 + rnd.Uint64N(100_000), flow.Packets: 1 + rnd.Uint64N(100), flow.SamplingRate: 1000,
				flow.SrcCountry: b.Intern(flow.SrcCountry, []string{"DE", "FR", "US"}[k%3]), flow.DstCountry: b.Intern(flow.DstCountry, "CH"),
				flow.InIfSpeed: 10_000_000_000, flow.OutIfSpeed: 100_000_000_000,
			} {
				r.SetNumber(f, v)
			}
			for net, f := range []flow.Field{flow.SrcAddr, flow.DstAddr} {
				host := hosts.Uint64()
				r.SetAddress(f, [16]byte{10: 0xff, 11: 0xff, 12: byte(10 + net), 13: byte(host >> 16), 14: byte(host >> 8), 15: byte(host)})
			}
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

// BenchmarkBuiltin is all built-in rollups: flows are added and, after 10 s of flows or when a
// bound is reached, the message is made. B/row is of the compressed message; held-B/key the
// memory of the tables that flows are added to, and B/key all memory, both by entry.
func BenchmarkBuiltin(b *testing.B) {
	for _, tt := range []struct {
		name                        string
		keys, perSecond, partitions int
	}{
		{"100000 keys, 100000 flows per s, 16 partitions", 100_000, 100_000, 16},
		{"100000 keys, 100000 flows per s, 1 partition", 100_000, 100_000, 1},
		{"100000 keys, 6250 flows per s, 1 partition", 100_000, 6250, 1},
	} {
		b.Run(tt.name, func(b *testing.B) {
			const rows = 1000
			batches := typicalBatches(b, tt.keys/tt.partitions, 10*tt.perSecond/rows/tt.partitions, rows, 10*second)
			parts := make([]*measured, tt.partitions)
			for p := range parts {
				parts[p] = newMeasured(b)
			}
			i := 0
			began := cpu(b)
			for b.Loop() {
				p := parts[i%len(parts)]
				p.w.add(batches[i/len(parts)%len(batches)])
				if i++; i/len(parts)%len(batches) == 0 || p.w.full() {
					p.flush()
				}
			}
			var all measured
			for _, p := range parts {
				p.flush()
				all.add(p)
			}
			flows := float64(b.N * rows)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(cpu(b)-began)/flows, "cpu-ns/flow")
			b.ReportMetric(float64(all.rows)/flows, "rows/flow")
			b.ReportMetric(float64(all.size)/float64(all.sizeRows), "B/row")
			b.ReportMetric(float64(all.tables)/float64(all.held), "held-B/key")
			b.ReportMetric(float64(all.octets)/float64(all.held), "B/key")
		})
	}
}

// measured is a partition and what it has sent.
type measured struct {
	w                    *windows
	wire                 []byte
	flushes, rows        int
	size, sizeRows       int // of the second flush, compressed
	held, tables, octets int // entries, and octets, when there were most
}

func newMeasured(b *testing.B) *measured {
	b.Helper()
	w, err := newWindows(rollup.Builtin(), 2*time.Minute, limits{rows: maxRows, octets: unlimited, ahead: minute, behind: 24 * 60 * minute, length: duration})
	if err != nil {
		b.Fatal(err)
	}
	return &measured{w: w}
}

func (m *measured) flush() {
	if n := entriesOf(m.w); n > m.held {
		m.held, m.tables = n, tablesOf(m.w)
	}
	var out weirv1.RollupBatch
	m.w.flush(&out)
	m.wire = out.AppendVT(m.wire[:0])
	m.octets = m.w.octets() + cap(m.wire)
	m.rows += out.Rows()
	if m.flushes++; m.flushes <= 2 && out.Rows() > 0 {
		m.size, m.sizeRows = len(s2.Encode(nil, m.wire)), out.Rows()
	}
}

func (m *measured) add(o *measured) {
	m.rows, m.size, m.sizeRows = m.rows+o.rows, m.size+o.size, m.sizeRows+o.sizeRows
	m.held, m.tables, m.octets = m.held+o.held, m.tables+o.tables, m.octets+o.octets
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

// tablesOf is the memory of the sums alone.
func tablesOf(w *windows) (n int) {
	for _, s := range w.sources {
		n += s.table.octets()
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
