// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow/rollup"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// everything is the rows of all windows that flushes have sent, by rollup.
func everything(messages []*weirv1.RollupBatch) map[string][]string {
	f := rollup.NewFinals(1)
	list := map[string][]string{}
	note := func(windows []rollup.Window) {
		for _, w := range windows {
			for _, r := range w.Rows {
				list[w.Rollup] = append(list[w.Rollup], fmt.Sprint(w.Start, r.Keys, r.Measures))
			}
		}
	}
	names := map[string]bool{}
	for _, m := range messages {
		for _, r := range m.GetRollups() {
			r.Closed = nil
			names[r.GetName()] = true
		}
		f.Add(0, m)
	}
	for name := range names {
		note(f.Add(0, &weirv1.RollupBatch{Rollups: []*weirv1.Rollup{{Name: name, Closed: []int64{1 << 40}}}}))
	}
	return list
}

// TestRollupsOfRollupsAreTheSame: what is made of another rollup's sums is what flows give.
func TestRollupsOfRollupsAreTheSame(t *testing.T) {
	t.Parallel()
	all := append(rollup.Builtin(), rollup.Rollup{
		Name: "extremes_10m", Window: 10 * time.Minute, Keys: []string{"proto"}, Measures: []string{"max(packets)", "min(packets)", "flows"},
	})
	batches := typicalBatches(t, 300, 20, 200, 10*minute)
	run := func(rollups ...rollup.Rollup) map[string][]string {
		w := newTestWindows(t, maxRows, rollups...)
		var messages []*weirv1.RollupBatch
		for i, b := range batches {
			add(t, w, b)
			if i%7 == 6 || i == len(batches)-1 {
				var out weirv1.RollupBatch
				w.flush(&out)
				var kept weirv1.RollupBatch // a flush is valid until the next one
				if err := kept.UnmarshalVT(out.AppendVT(nil)); err != nil {
					t.Fatal(err)
				}
				messages = append(messages, &kept)
			}
		}
		return everything(messages)
	}
	together := run(all...)
	for _, r := range all {
		if r.Top > 0 {
			continue // a source of its own anyway
		}
		if diff := cmp.Diff(run(r)[r.Name], together[r.Name]); diff != "" || len(together[r.Name]) == 0 {
			t.Errorf("%s: %d rows, -alone +together:\n%s", r.Name, len(together[r.Name]), diff)
		}
	}
}

func TestBuiltinRollupsNeedFourSources(t *testing.T) {
	t.Parallel()
	sources, err := plan(rollup.Builtin(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, s := range sources {
		for _, v := range s.views {
			got[s.views[0].rollup.Name] = append(got[s.views[0].rollup.Name], v.rollup.Name)
		}
	}
	want := map[string][]string{
		"flows_1m": {"flows_1m", "interfaces_1m", "flows_5m", "flows_1h"}, "hosts_5m": {"hosts_5m"}, "receivers_5m": {"receivers_5m"}, "services_5m": {"services_5m"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDaysOfATimeZone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ zone, at, start, end string }{
		{"Europe/Berlin", "2026-11-21T23:30:00Z", "2026-11-21T23:00:00Z", "2026-11-22T23:00:00Z"},
		{"Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"}, // 23 hours
		{"Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"}, // 25 hours
		{"Asia/Kathmandu", "2026-11-21T18:15:00Z", "2026-11-21T18:15:00Z", "2026-11-22T18:15:00Z"},
	} {
		c, err := newCalendar(rollup.Rollup{Window: 24 * time.Hour, TimeZone: tt.zone})
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		start, end := c.window(uint64(at.UnixNano()))                                                                               //nolint:gosec // positive
		got := []string{time.Unix(0, int64(start)).UTC().Format(time.RFC3339), time.Unix(0, int64(end)).UTC().Format(time.RFC3339)} //nolint:gosec // positive
		if diff := cmp.Diff([]string{tt.start, tt.end}, got); diff != "" {
			t.Errorf("%s %s: -want +got:\n%s", tt.zone, tt.at, diff)
		}
	}
}

func TestDaysHaveNoGapsNorOverlaps(t *testing.T) {
	t.Parallel()
	// Sao Paulo's summer time began at midnight: that day had no 00:00.
	c, err := newCalendar(rollup.Rollup{Window: 24 * time.Hour, TimeZone: "America/Sao_Paulo"})
	if err != nil {
		t.Fatal(err)
	}
	at := uint64(time.Date(2018, 10, 1, 12, 0, 0, 0, time.UTC).UnixNano()) //nolint:gosec // positive
	_, last := c.window(at)
	for range 60 {
		start, end := c.window(last)
		if start != last || end <= start || end-start > uint64(25*time.Hour) {
			t.Fatalf("after %d comes %d to %d", last, start, end)
		}
		if s, e := c.window(end - 1); s != start || e != end {
			t.Fatalf("%d is in %d to %d, want %d to %d", end-1, s, e, start, end)
		}
		last = end
	}
}
