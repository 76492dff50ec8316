// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirflow/weir/flow"
)

// typical returns messages of flows as a router's NetFlow v9 makes them, enriched.
func typical(t testing.TB, messages, rows int) []*flow.Batch {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 6))
	now := uint64(time.Now().UnixNano())
	var all []*flow.Batch
	for range messages {
		var b flow.Batch
		for i := range rows {
			var r flow.Record
			for f, below := range map[flow.Field]uint64{
				flow.Type: 4, flow.SequenceNum: 1 << 31, flow.SamplingRate: 1000, flow.Bytes: 1 << 20, flow.Packets: 1 << 10,
				flow.EType: 1 << 16, flow.Proto: 18, flow.SrcPort: 1 << 16, flow.DstPort: 1 << 16, flow.InIf: 500, flow.OutIf: 500,
				flow.IPTOS: 64, flow.TCPFlags: 64, flow.SrcNet: 32, flow.DstNet: 32, flow.SrcAS: 1 << 17, flow.DstAS: 1 << 17,
				flow.SrcOriginAS: 1 << 17, flow.DstOriginAS: 1 << 17, flow.ObservationDomainID: 4,
			} {
				r.SetNumber(f, rng.Uint64N(below))
			}
			r.SetNumber(flow.TimeReceivedNs, now+uint64(i/30))
			r.SetNumber(flow.TimeFlowStartNs, now-rng.Uint64N(60e9))
			r.SetNumber(flow.TimeFlowEndNs, now-rng.Uint64N(1e9))
			for _, f := range []flow.Field{flow.SrcCountry, flow.DstCountry} {
				r.SetNumber(f, b.Intern(f, strconv.Itoa(rng.IntN(100))))
			}
			for _, f := range []flow.Field{flow.SrcAddr, flow.DstAddr, flow.NextHop} {
				r.SetIPv4(f, rng.Uint32())
			}
			r.SetIPv4(flow.SamplerAddress, 0x0a000001)
			b.Append(&r)
		}
		all = append(all, overWire(t, &b))
	}
	return all
}

func TestTextsOfManyMessagesShareADictionary(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	// Distinct texts after each insert: 255, 257, 65535 and 65537 with the empty one, around
	// the limits of what an octet and two octets count.
	for _, distinct := range []int{254, 256, 65534, 65536} {
		var messages []*flow.Batch
		for first := 0; first < distinct; first += 1000 {
			var b flow.Batch
			for i := first; i < min(first+1000, distinct); i++ {
				for _, text := range []string{strconv.Itoa(i), "", strconv.Itoa(i / 7)} {
					var r flow.Record
					r.SetNumber(flow.TimeReceivedNs, uint64(today().UnixNano()))
					r.SetNumber(flow.SequenceNum, uint64(distinct))
					if text != "" {
						n, _ := strconv.Atoi(text)
						r.SetNumber(flow.Bytes, uint64(n))
						r.SetNumber(flow.Packets, 1)
						r.SetNumber(flow.DstCountry, b.Intern(flow.DstCountry, text))
					}
					b.Append(&r)
				}
			}
			messages = append(messages, overWire(t, &b))
		}
		if err := f.writeFlows(t.Context(), strconv.Itoa(distinct), messages); err != nil {
			t.Fatal(err)
		}
		query := fmt.Sprintf(`SELECT (count(), uniqExact(dst_country), countIf(dst_country = if(packets = 1, toString(bytes), '')))
			FROM flows WHERE sequence_num = %d`, distinct)
		if got, want := f.count(t, query), fmt.Sprintf("(%d,%d,%d)", 3*distinct, distinct+1, 3*distinct); got != want {
			t.Errorf("%d texts: rows, distinct, right ones are %s, want %s", distinct, got, want)
		}
	}
}

// processTime is the CPU time of this process, without its children.
func processTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// serverTime is the CPU time of the ClickHouse of f, merges and all.
func (f *fixture) serverTime(b *testing.B) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", f.PID()))
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	const user, system, tick = 11, 12, 10 * time.Millisecond
	fields := strings.Fields(after)
	ticks := 0
	for _, n := range []int{user, system} {
		v, err := strconv.Atoi(fields[n])
		if err != nil {
			b.Fatal(err)
		}
		ticks += v
	}
	return time.Duration(ticks) * tick
}

// BenchmarkBlock makes blocks without sending them.
func BenchmarkBlock(b *testing.B) {
	var all columnsOf
	for f := range flow.Fields() {
		all = append(all, f)
	}
	messages, columns := typical(b, 100, 2000), all.table()
	var block batch
	for b.Loop() {
		if err := block.setFlows(columns, messages); err != nil {
			b.Fatal(err)
		}
	}
	rows := float64(b.N * block.rows)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/rows, "ns/row")
	b.ReportMetric(float64(block.size())/float64(block.rows), "B/row")
	b.ReportMetric(float64(len(block.columns)), "columns")
}

// BenchmarkInsert writes blocks of 200000 rows into a real table.
func BenchmarkInsert(b *testing.B) {
	for _, compression := range []string{"none", "lz4"} {
		b.Run(compression, func(b *testing.B) {
			f := newFixture(b)
			f.cfg.Compression = compression
			w := newWriter(b, f.cfg)
			messages := typical(b, 100, 2000)
			n := 0
			write := func() {
				n++
				if err := w.writeFlows(b.Context(), fmt.Sprint(compression, n), messages); err != nil {
					b.Fatal(err)
				}
			}
			write()
			before, server := processTime(), f.serverTime(b)
			for b.Loop() {
				write()
			}
			rows := float64(b.N * w.batch.rows)
			b.ReportMetric(rows/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64((processTime()-before).Nanoseconds())/rows, "client-cpu-ns/row")
			b.ReportMetric(float64((f.serverTime(b)-server).Nanoseconds())/rows, "server-cpu-ns/row")
		})
	}
}
