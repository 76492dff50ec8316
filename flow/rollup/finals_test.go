// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// partialSums is a message about flows_1m with the given rows: window, AS, bytes, longest.
func partialSums(closed int64, rows ...[4]uint64) *weirv1.RollupBatch {
	r := &weirv1.Rollup{Name: "flows_1m", WindowSeconds: 60, Rows: uint32(len(rows))} //nolint:gosec // few
	var start, as, bytes, longest []byte
	country := &weirv1.TextColumn{Values: []string{"DE", "FR"}}
	for _, row := range rows {
		start = append(start, byte(row[0]), byte(row[0]>>8))
		as = append(as, byte(row[1]))
		bytes = append(bytes, byte(row[2]), byte(row[2]>>8))
		longest = append(longest, byte(row[3]))
		country.Indexes = append(country.Indexes, byte(row[1]%3))
	}
	r.WindowStart = start
	r.Keys = []*weirv1.RollupColumn{{Name: "as", Values: as}, {Name: "country", Text: country}}
	r.Sums = []*weirv1.RollupColumn{{Name: "bytes", Values: bytes}, {Name: "longest", Values: longest, Combine: weirv1.Combine_COMBINE_MAX}}
	if closed >= 0 {
		r.Closed = []int64{closed}
	}
	return &weirv1.RollupBatch{Rollups: []*weirv1.Rollup{r}}
}

// lines shows windows as text.
func lines(windows []Window) []string {
	var list []string
	for _, w := range windows {
		for _, r := range w.Rows {
			list = append(list, fmt.Sprint(w.Start.Unix(), w.Late, r.Keys[0], r.Keys[1], r.Measures[0], r.Measures[1]))
		}
	}
	return list
}

func TestAWindowIsFinalWhenAllPartitionsHaveClosedIt(t *testing.T) {
	t.Parallel()
	f := NewFinals(2)
	for _, s := range []struct {
		name      string
		partition int
		m         *weirv1.RollupBatch
		want      []string
	}{
		{"early", 0, partialSums(-1, [4]uint64{60, 1, 500, 7}, [4]uint64{120, 1, 1, 1}), nil},
		{"one partition closes it", 0, partialSums(60, [4]uint64{60, 1, 1000, 5}), nil},
		{"late in one is early for all", 0, partialSums(-1, [4]uint64{60, 3, 9, 9}), nil},
		{"the other one does", 1, partialSums(60, [4]uint64{60, 1, 1, 2}), []string{"60 false 1 DE 1501 7", "60 false 3  9 9"}},
		{"a correction", 1, partialSums(-1, [4]uint64{60, 2, 4, 4}, [4]uint64{60, 2, 1, 1}), []string{"60 true 2 FR 5 4"}},
		{"markers alone", 1, partialSums(180), nil},
		{"of both", 0, partialSums(120), []string{"120 false 1 DE 1 1"}},
	} {
		if diff := cmp.Diff(s.want, lines(f.Add(s.partition, s.m))); diff != "" {
			t.Errorf("%s: -want +got:\n%s", s.name, diff)
		}
	}
}

func TestIncompleteWindowsAreLeftOut(t *testing.T) {
	t.Parallel()
	f := NewFinals(1)
	f.Add(0, partialSums(-1, [4]uint64{60, 1, 5, 5}, [4]uint64{120, 1, 6, 6}))
	f.Incomplete(time.Unix(61, 0))
	if diff := cmp.Diff([]string{"120 false 1 DE 7 6"}, lines(f.Add(0, partialSums(120, [4]uint64{60, 1, 1, 1}, [4]uint64{120, 1, 1, 1})))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFinalsAndCorrectionsAreAllThatWasSent(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		f := NewFinals(3)
		want, got, late := map[string]uint64{}, map[string]uint64{}, 0
		add := func(partition int, m *weirv1.RollupBatch) {
			for _, w := range f.Add(partition, m) {
				for _, r := range w.Rows {
					k := fmt.Sprint(w.Start.Unix(), r.Keys[0])
					if _, twice := got[k]; twice && !w.Late {
						t.Errorf("seed %d: %s is final twice", seed, k)
					}
					if w.Late {
						late++
					}
					got[k] += r.Measures[0].Number
				}
			}
		}
		for step := range int64(40) {
			for partition := range 3 {
				var rows [][4]uint64
				for range rnd.IntN(4) {
					row := [4]uint64{60 * rnd.Uint64N(uint64(step)+2), rnd.Uint64N(3), rnd.Uint64N(60_000), 0} //nolint:gosec // not negative
					want[fmt.Sprint(row[0], row[1])] += row[2]
					rows = append(rows, row)
				}
				closed := int64(-1)
				if rnd.IntN(2) == 0 {
					closed = 60 * (step - 2)
				}
				add(partition, partialSums(max(closed, -1), rows...))
			}
		}
		for partition := range 3 {
			add(partition, partialSums(1<<40))
		}
		if diff := cmp.Diff(want, got); diff != "" || late == 0 {
			t.Errorf("seed %d: %d late rows, -want +got:\n%s", seed, late, diff)
		}
	}
}
