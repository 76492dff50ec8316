// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/flow/rollup"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// rowsOfRollup sums flows up and returns the rows of one flush: the text of the keys, and a measure.
func rowsOfRollup(t *testing.T, r rollup.Rollup, measure string, b *flow.Batch) map[string]uint64 {
	t.Helper()
	w := newTestWindows(t, maxRows, r)
	w.add(b)
	var out weirv1.RollupBatch
	w.flush(&out)
	rows := map[string]uint64{}
	finals := rollup.NewFinals(1)
	finals.Add(0, &weirv1.RollupBatch{Rollups: []*weirv1.Rollup{withoutMarker(out.GetRollups()[0])}})
	for _, window := range finals.Add(0, &weirv1.RollupBatch{Rollups: []*weirv1.Rollup{{Name: r.Name, Closed: []int64{1 << 40}}}}) {
		for _, row := range window.Rows {
			text := ""
			for _, k := range row.Keys {
				text += k.String() + " "
			}
			for _, m := range row.Measures {
				if m.Name == measure {
					rows[text] += m.Number
				}
			}
		}
	}
	return rows
}

func withoutMarker(r *weirv1.Rollup) *weirv1.Rollup {
	r.Closed = nil
	return r
}

func address(a netip.Addr) [16]byte { return a.As16() }

// randomAddress is an IPv4 or an IPv6 address.
func randomAddress(rnd *rand.Rand) netip.Addr {
	if rnd.IntN(2) == 0 {
		return netip.AddrFrom4([4]byte{byte(rnd.Uint32()), byte(rnd.Uint32()), byte(rnd.Uint32()), byte(rnd.Uint32())})
	}
	a := [16]byte{0x20, 0x01}
	for i := 2; i < 16; i++ {
		a[i] = byte(rnd.Uint32())
	}
	return netip.AddrFrom16(a)
}

func TestPrefixesAreThoseOfNetip(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(8, 8))
	for _, tt := range []struct {
		key  string
		bits func(a netip.Addr, mask int) int
	}{
		{"dst_addr/24/48", func(a netip.Addr, _ int) int { return map[bool]int{true: 24, false: 48}[a.Is4()] }},
		{"dst_addr/0/0", func(netip.Addr, int) int { return 0 }},
		{"dst_addr/32/128", func(a netip.Addr, _ int) int { return a.BitLen() }},
		{"dst_addr/13/61", func(a netip.Addr, _ int) int { return map[bool]int{true: 13, false: 61}[a.Is4()] }},
		{"dst_addr/mask", func(a netip.Addr, mask int) int { return min(mask, a.BitLen()) }}, // a mask that is too long is all
	} {
		want := map[string]uint64{}
		var b flow.Batch
		for range 500 {
			a, mask := randomAddress(rnd), rnd.IntN(140)
			var r flow.Record
			r.SetAddress(flow.DstAddr, address(a))
			r.SetNumber(flow.DstNet, uint64(mask)) //nolint:gosec // not negative
			r.SetNumber(flow.TimeReceivedNs, base)
			r.SetNumber(flow.Bytes, 1)
			b.Append(&r)
			prefix, err := a.Prefix(tt.bits(a, mask))
			if err != nil {
				t.Fatal(err)
			}
			want[prefix.Addr().String()+" "]++
		}
		got := rowsOfRollup(t, rollup.Rollup{Name: "test", Window: time.Minute, Keys: []string{tt.key}}, "bytes", &b)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.key, diff)
		}
	}
}

// both is two flows of the same hosts, one each way, and one of another.
func both() *flow.Batch {
	var b flow.Batch
	for _, f := range []struct {
		src, dst       string
		in, out, bytes uint64
		quality        uint64
		ahead          time.Duration
	}{
		{"192.0.2.1", "2001:db8::1", 1, 2, 100, 0, 0},
		{"2001:db8::1", "192.0.2.1", 2, 1, 7, flow.TimeSkewed, 0},
		{"192.0.2.1", "192.0.2.9", 1, 1, 1000, 0, time.Hour},
	} {
		var r flow.Record
		r.SetAddress(flow.SrcAddr, address(netip.MustParseAddr(f.src)))
		r.SetAddress(flow.DstAddr, address(netip.MustParseAddr(f.dst)))
		for field, v := range map[flow.Field]uint64{
			flow.InIf: f.in, flow.OutIf: f.out, flow.Bytes: f.bytes, flow.Quality: f.quality,
			flow.TimeReceivedNs: base, flow.TimeFlowEndNs: base + uint64(f.ahead), flow.InIfSpeed: f.in * 1000, flow.OutIfSpeed: f.out * 1000,
		} {
			r.SetNumber(field, v)
		}
		b.Append(&r)
	}
	return &b
}

func TestBothEndsOfAFlow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		keys    []string
		measure string
		want    map[string]uint64
	}{
		{"hosts", []string{"host", "direction"}, "bytes", map[string]uint64{
			"192.0.2.1 0 ": 1100, "192.0.2.1 1 ": 7, "2001:db8::1 0 ": 7, "2001:db8::1 1 ": 100, "192.0.2.9 1 ": 1000,
		}},
		{"interfaces", []string{"interface", "direction"}, "bytes", map[string]uint64{"1 0 ": 1100, "1 1 ": 1007, "2 0 ": 7, "2 1 ": 100}},
		{"speed", []string{"direction", "interface"}, "interface_speed", map[string]uint64{"0 1 ": 1000, "1 1 ": 1000, "0 2 ": 2000, "1 2 ": 2000}},
		{"clocks that decode and aggregate do not believe", []string{"interface", "direction"}, "skewed_flows", map[string]uint64{"1 0 ": 1, "1 1 ": 2, "2 0 ": 1, "2 1 ": 0}},
		{"extremes", []string{"interface", "direction"}, "min_bytes", map[string]uint64{"1 0 ": 100, "1 1 ": 7, "2 0 ": 7, "2 1 ": 100}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			measures := []string{"bytes", "skewed_flows", "min(bytes)", "max(interface_speed)"}
			if tt.keys[0] == "host" {
				measures = measures[:3]
			}
			got := rowsOfRollup(t, rollup.Rollup{Name: "test", Window: time.Minute, Keys: tt.keys, Measures: measures}, tt.measure, both())
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestFilters: a filter takes the flows that meet it, in the language of enrich's rules.
func TestFilters(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		filter string
		want   uint64 // bytes
		failed int
	}{
		{``, 1107, 0},
		{`flow.bytes == 100`, 100, 0},
		{`flow.bytes in [7, 1000]`, 1007, 0},
		{`flow.src_addr == "192.0.2.1" && flow.in_if < 2`, 1100, 0},
		{`flow.src_addr == "2001:db8::1" || flow.out_if == 2`, 107, 0},
		{`!match(flow.dst_addr, "^192[.]0[.]2[.]")`, 100, 0},
		{`flow.src_country == "DE"`, 0, 0},
		{`100 % (flow.out_if - 1) == 0`, 100, 2}, // no remainder of a division by zero
	} {
		w := newTestWindows(t, maxRows, rollup.Rollup{Name: "test", Window: time.Minute, Keys: []string{"proto"}, Filter: tt.filter})
		w.add(both())
		got := uint64(0)
		w.sources[0].table.each(func(_ []uint64, _ uint64, sums []uint64) { got += sums[0] })
		if got != tt.want || w.counts.filter != tt.failed {
			t.Errorf("%s: %d bytes and %d errors, want %d and %d", tt.filter, got, w.counts.filter, tt.want, tt.failed)
		}
	}
}
