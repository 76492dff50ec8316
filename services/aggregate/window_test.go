// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/flow/rollup"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// row is a row of flows_5m: a key with its sums.
type row struct{ Bytes, Packets, Flows, BytesScaled, PacketsScaled uint64 }

type key struct {
	Start        uint64 // s
	SrcAS, DstAS uint64
	EType, Proto uint64
}

// testFlow is what aggregate reads of a flow; times in ns.
type testFlow struct {
	start, end, received uint64
	srcAS, dstAS         uint64
	etype, proto         uint64
	bytes, packets, rate uint64
}

func batchOf(flows ...testFlow) *flow.Batch {
	var b flow.Batch
	for _, f := range flows {
		var r flow.Record
		for field, v := range map[flow.Field]uint64{
			flow.TimeFlowStartNs: f.start, flow.TimeFlowEndNs: f.end, flow.TimeReceivedNs: f.received,
			flow.SrcOriginAS: f.srcAS, flow.DstOriginAS: f.dstAS, flow.EType: f.etype, flow.Proto: f.proto,
			flow.Bytes: f.bytes, flow.Packets: f.packets, flow.SamplingRate: f.rate,
		} {
			r.SetNumber(field, v)
		}
		b.Append(&r)
	}
	return &b
}

// reference computes the sums of flows whose times are sane, in the plainest way.
func reference(flows []testFlow, window uint64) map[key]row {
	sums := map[key]row{}
	for _, f := range flows {
		spent := map[bool]uint64{}
		for n := f.start / window; n <= f.end/window; n++ {
			k := key{n * window / 1e9, f.srcAS, f.dstAS, f.etype, f.proto}
			last := min(f.end, (n+1)*window-1)
			part := func(v uint64, isBytes bool) uint64 {
				due := new(big.Int).Mul(big.NewInt(0).SetUint64(v), big.NewInt(0).SetUint64(last-f.start+1))
				due.Div(due, big.NewInt(0).SetUint64(f.end-f.start+1))
				defer func() { spent[isBytes] = due.Uint64() }()
				return due.Uint64() - spent[isBytes]
			}
			bytes, packets, count := part(f.bytes, true), part(f.packets, false), uint64(0)
			if last == f.end {
				count = 1
			}
			if bytes+packets+count == 0 {
				continue
			}
			s := sums[k]
			rate := max(f.rate, 1)
			sums[k] = row{s.Bytes + bytes, s.Packets + packets, s.Flows + count, s.BytesScaled + bytes*rate, s.PacketsScaled + packets*rate}
		}
	}
	return sums
}

// column reads a fixed-width column.
func column(t *testing.T, r *weirv1.Rollup, values []byte) []uint64 {
	t.Helper()
	rows := int(r.GetRows())
	if len(values)%rows != 0 {
		t.Fatalf("a column of %d octets for %d rows", len(values), rows)
	}
	list := make([]uint64, rows)
	for i, octet := range values {
		width := len(values) / rows
		list[i/width] |= uint64(octet) << (8 * (i % width))
	}
	return list
}

// partial is one row of a message.
type partial struct {
	Key     key
	Row     row
	Partial weirv1.Partial
}

// partialsOf reads the rows of flows_5m from a message.
func partialsOf(t *testing.T, m *weirv1.RollupBatch) (list []partial) {
	t.Helper()
	for _, r := range m.GetRollups() {
		if !strings.HasSuffix(r.GetName(), "_5m") || r.GetWindowSeconds() != 300 {
			t.Errorf("rollup %s of windows of %d s", r.GetName(), r.GetWindowSeconds())
		}
		if r.GetRows() == 0 {
			continue
		}
		columns := map[string][]uint64{}
		for _, c := range slices.Concat(r.GetKeys(), r.GetSums()) {
			columns[c.GetName()] = column(t, r, c.GetValues())
		}
		starts, partials := column(t, r, r.GetWindowStart()), column(t, r, r.GetPartial())
		for i := range starts {
			list = append(list, partial{
				key{starts[i], columns["src_origin_as"][i], columns["dst_origin_as"][i], columns["etype"][i], columns["proto"][i]},
				row{columns["bytes"][i], columns["packets"][i], columns["flows"][i], columns["bytes_scaled"][i], columns["packets_scaled"][i]},
				weirv1.Partial(partials[i]),
			})
		}
	}
	return list
}

// merge adds partials to sums.
func merge(sums map[key]row, partials []partial) {
	for _, p := range partials {
		s := sums[p.Key]
		sums[p.Key] = row{
			s.Bytes + p.Row.Bytes, s.Packets + p.Row.Packets, s.Flows + p.Row.Flows,
			s.BytesScaled + p.Row.BytesScaled, s.PacketsScaled + p.Row.PacketsScaled,
		}
	}
}

const (
	second = uint64(time.Second)
	minute = 60 * second
	// base is the start of a window.
	base = 1_700_000_100 * second
)

// testRollup has the keys and sums of key and row.
var testRollup = rollup.Rollup{Name: "flows_5m", Window: 5 * time.Minute, Keys: []string{"src_origin_as", "dst_origin_as", "etype", "proto"}}

const duration = 2 * 60 * minute

func unlimited() int { return math.MaxInt }

func newTestWindows(t testing.TB, rows int, rollups ...rollup.Rollup) *windows {
	t.Helper()
	if len(rollups) == 0 {
		rollups = []rollup.Rollup{testRollup}
	}
	w, err := newWindows(rollups, 2*time.Minute, limits{rows: rows, octets: unlimited, ahead: minute, behind: 24 * 60 * minute, length: duration})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func add(t testing.TB, w *windows, b *flow.Batch) {
	t.Helper()
	w.add(b)
}

func flush(t *testing.T, w *windows) ([]partial, []int64) {
	t.Helper()
	var out weirv1.RollupBatch
	w.flush(&out)
	var closed []int64
	for _, r := range out.GetRollups() {
		closed = append(closed, r.GetClosed()...)
	}
	return partialsOf(t, &out), closed
}

// randomFlows spreads event times over 40 minutes.
func randomFlows(rnd *rand.Rand, n int) []testFlow {
	var flows []testFlow
	for range n {
		end := base + rnd.Uint64N(40*minute)
		lasted := []uint64{0, rnd.Uint64N(second), rnd.Uint64N(minute), rnd.Uint64N(35 * minute)}[rnd.IntN(4)]
		flows = append(flows, testFlow{
			start: end - lasted, end: end, received: end + rnd.Uint64N(minute),
			srcAS: rnd.Uint64N(3), dstAS: []uint64{0, 4294967295}[rnd.IntN(2)], etype: []uint64{0x800, 0x86dd}[rnd.IntN(2)], proto: rnd.Uint64N(2) * 255,
			bytes: rnd.Uint64() >> (20 + rnd.IntN(44)), packets: rnd.Uint64N(1000), rate: []uint64{0, 1, 1000}[rnd.IntN(3)],
		})
	}
	return flows
}

func TestSumsDoNotDependOnOrderSplitOrFlushes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		flows := randomFlows(rnd, 1+rnd.IntN(400))
		want := reference(flows, 5*minute)

		rnd.Shuffle(len(flows), func(i, j int) { flows[i], flows[j] = flows[j], flows[i] })
		got := map[key]row{}
		partitions := []*windows{newTestWindows(t, 1000), newTestWindows(t, 1000), newTestWindows(t, 1000)}
		for len(flows) > 0 {
			n := 1 + rnd.IntN(len(flows))
			w := partitions[rnd.IntN(len(partitions))]
			add(t, w, batchOf(flows[:n]...))
			flows = flows[n:]
			if rnd.IntN(2) == 0 {
				partials, _ := flush(t, w)
				merge(got, partials)
			}
		}
		for _, w := range partitions {
			partials, _ := flush(t, w)
			merge(got, partials)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: -want +got:\n%s", seed, diff)
		}
	}
}

func TestSpreadingConservesTheFlow(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(7, 7))
	for range 2000 {
		f := testFlow{bytes: rnd.Uint64() >> rnd.IntN(64), packets: rnd.Uint64() >> rnd.IntN(64), rate: 1}
		f.start = base + rnd.Uint64N(10*minute)
		f.end = f.start + rnd.Uint64N(100*minute)
		w := newTestWindows(t, 1000)
		add(t, w, batchOf(f))
		partials, _ := flush(t, w)
		var total row
		for _, p := range partials {
			total = row{total.Bytes + p.Row.Bytes, total.Packets + p.Row.Packets, total.Flows + p.Row.Flows, total.BytesScaled + p.Row.BytesScaled, total.PacketsScaled + p.Row.PacketsScaled}
			from, to := max(f.start, p.Key.Start*second), min(f.end, p.Key.Start*second+5*minute-1)
			fair := float64(f.bytes) * float64(to-from+1) / float64(f.end-f.start+1)
			if got := float64(p.Row.Bytes); math.Abs(got-fair) > 1+fair*1e-9 {
				t.Errorf("%+v: window %d has %v bytes, its share is %v", f, p.Key.Start, got, fair)
			}
			if (p.Row.Flows == 1) != (p.Key.Start*second/5/minute == f.end/5/minute) {
				t.Errorf("%+v: window %d counts %d flows", f, p.Key.Start, p.Row.Flows)
			}
		}
		if want := (row{f.bytes, f.packets, 1, f.bytes, f.packets}); total != want {
			t.Errorf("%+v: the windows have %+v", f, total)
		}
	}
}

func TestOrderWithinLatenessMakesNothingLate(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		w := newTestWindows(t, 1000)
		closed := int64(0)
		for at := base; at < base+30*minute; at += 5 * second {
			end := at - rnd.Uint64N(2*minute)
			add(t, w, batchOf(testFlow{start: end, end: end, received: at, bytes: 1}))
			if rnd.IntN(8) > 0 && !w.closing() {
				continue
			}
			partials, told := flush(t, w)
			for _, p := range partials {
				if p.Partial == weirv1.Partial_PARTIAL_LATE || int64(p.Key.Start) <= closed {
					t.Fatalf("seed %d: %v after window %d was closed", seed, p, closed)
				}
			}
			for _, c := range told {
				closed = c
			}
		}
		if want := int64(base/second) + 20*60; w.late[0] != 0 || closed != want {
			t.Errorf("seed %d: %d late flows, last closed window %d, want %d", seed, w.late[0], closed, want)
		}
	}
}
