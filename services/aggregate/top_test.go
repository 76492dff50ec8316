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

// TestTopOfPartialSums: the hosts of a window are folded flush by flush, so that a host lacks
// what it had in flushes where it was not among the first.
func TestTopOfPartialSums(t *testing.T) {
	t.Parallel()
	const flushes, top = 30, 1000
	w := newTestWindows(t, maxRows, rollup.Rollup{Name: "hosts_5m", Window: 5 * time.Minute, Keys: []string{"src_addr"}, Top: top})
	exact, total := map[netip.Addr]uint64{}, uint64(0)
	got, folded := map[netip.Addr]uint64{}, uint64(0)
	batches := typicalBatches(t, 100, flushes*10, 1000, second)
	for i, b := range batches {
		bytes := flow.AppendNumbers([]uint64(nil), b, flow.Bytes)
		for row, a := range flow.AppendAddresses(nil, b, flow.SrcAddr) {
			exact[netip.AddrFrom16(a)] += bytes[row]
			total += bytes[row]
		}
		add(t, w, b)
		if (i+1)%10 == 0 {
			var out weirv1.RollupBatch
			w.flush(&out)
			folded += talkers(t, &out, got)
		}
	}
	kept := uint64(0)
	for _, v := range got {
		kept += v
	}
	if kept+folded != total {
		t.Errorf("%d bytes kept and %d folded, want %d in all", kept, folded, total)
	}
	order := slices.SortedFunc(maps.Keys(exact), func(a, b netip.Addr) int { return cmp.Compare(exact[b], exact[a]) })
	for _, n := range []int{10, 100, 1000} {
		lacking, worst := uint64(0), 0.0
		for _, host := range order[:n] {
			lacking += exact[host] - got[host]
			worst = max(worst, 1-float64(got[host])/float64(exact[host]))
		}
		t.Logf("first %d of %d hosts: at most %.2f %% of one is missing; rows for %d hosts", n, len(exact), 100*worst, len(got))
		if limit := map[int]float64{10: 0.0001, 100: 0.01, 1000: 1}[n]; worst > limit {
			t.Errorf("of the first %d hosts one lacks %.2f %%, all %d bytes", n, 100*worst, lacking)
		}
	}
	if len(exact) < 10*top {
		t.Errorf("%d hosts are too few to fold", len(exact))
	}
}
