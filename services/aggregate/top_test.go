// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/flow/rollup"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// talkers sums hosts_5m up as a reader does: bytes by host, and what is folded.
func talkers(t *testing.T, m *weirv1.RollupBatch, sums map[netip.Addr]uint64) (folded uint64) {
	t.Helper()
	for _, r := range m.GetRollups() {
		if r.GetName() != "hosts_5m" || r.GetRows() == 0 {
			continue
		}
		other, bytes := column(t, r, r.GetKeys()[1].GetValues()), column(t, r, r.GetSums()[0].GetValues())
		for i, v := range bytes {
			if other[i] == 1 {
				folded += v
				continue
			}
			sums[netip.AddrFrom16([16]byte(r.GetKeys()[0].GetValues()[16*i:]))] += v
		}
	}
	return folded
}

// window sums 30 flushes of a window up as a reader does. It returns the bytes of each host as
// they are and as they came, and what is folded.
func window(t *testing.T, top, flowsOfFlush int) (exact, got map[netip.Addr]uint64, folded uint64) {
	t.Helper()
	const flushes = 30
	w := newTestWindows(t, maxRows, rollup.Rollup{Name: "hosts_5m", Window: 5 * time.Minute, Keys: []string{"src_addr"}, Top: top})
	exact, got = map[netip.Addr]uint64{}, map[netip.Addr]uint64{}
	for _, b := range typicalBatches(t, 100, flushes, flowsOfFlush, second) {
		bytes := flow.AppendNumbers([]uint64(nil), b, flow.Bytes)
		for row, a := range flow.AppendAddresses(nil, b, flow.SrcAddr) {
			exact[netip.AddrFrom16(a)] += bytes[row]
		}
		add(t, w, b)
		var out weirv1.RollupBatch
		w.flush(&out)
		folded += talkers(t, &out, got)
	}
	return exact, got, folded
}

// TestTopOfAWindow: what a host lacks is what it had before it was among the first, and never
// more than the last host that is kept has.
func TestTopOfAWindow(t *testing.T) {
	t.Parallel()
	const top = 1000
	for _, flowsOfFlush := range []int{1000, 10_000} {
		exact, got, folded := window(t, top, flowsOfFlush)
		order := slices.SortedFunc(maps.Keys(exact), func(a, b netip.Addr) int { return cmp.Compare(exact[b], exact[a]) })
		total, kept := uint64(0), uint64(0)
		for _, host := range order {
			total, kept = total+exact[host], kept+got[host]
		}
		if kept+folded != total {
			t.Errorf("%d bytes kept and %d folded, want %d in all", kept, folded, total)
		}
		if len(order) < 5*top {
			t.Fatalf("%d hosts are too few to fold", len(order))
		}
		last := exact[order[overSelection*top-1]]
		for _, host := range order {
			if lacks := exact[host] - got[host]; lacks > last {
				t.Errorf("%s lacks %d bytes, the last that is kept has %d", host, lacks, last)
			}
		}
		for _, n := range []int{10, 100, 1000} {
			lacking, all, worst := uint64(0), uint64(0), 0.0
			for _, host := range order[:n] {
				lacking, all = lacking+exact[host]-got[host], all+exact[host]
				worst = max(worst, 1-float64(got[host])/float64(exact[host]))
			}
			t.Logf("%d flows a flush, first %d of %d hosts: together lack %.3f %%, one at most %.2f %%; rows for %d hosts",
				flowsOfFlush, n, len(order), 100*float64(lacking)/float64(all), 100*worst, len(got))
		}
		if len(got) > 5*top {
			t.Errorf("rows for %d hosts", len(got))
		}
	}
}
