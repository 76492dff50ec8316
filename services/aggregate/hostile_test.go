// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

func TestLifeOfAWindow(t *testing.T) {
	t.Parallel()
	w := newTestWindows(t, 1000)
	at := func(ns uint64) testFlow {
		return testFlow{start: base + ns, end: base + ns, received: base + ns, bytes: 10, packets: 1}
	}
	start := base / second
	steps := []struct {
		name   string
		flows  []testFlow
		closed []int64
		want   []partial
	}{
		{
			"the first flush says what is closed",
			[]testFlow{at(0)},
			[]int64{int64(start) - 600},
			[]partial{{key{Start: start}, row{10, 1, 1, 10, 1}, weirv1.Partial_PARTIAL_EARLY}},
		},
		{
			"an open window grows",
			[]testFlow{at(1), at(5*minute - 1)},
			[]int64{int64(start) - 300},
			[]partial{{key{Start: start}, row{20, 2, 2, 20, 2}, weirv1.Partial_PARTIAL_EARLY}},
		},
		{
			"its end is the start of the next",
			[]testFlow{at(5 * minute)},
			nil,
			[]partial{{key{Start: start + 300}, row{10, 1, 1, 10, 1}, weirv1.Partial_PARTIAL_EARLY}},
		},
		{
			"an instant before the lateness is over it is open",
			[]testFlow{at(7*minute - 1), at(5*minute - 1)},
			nil,
			[]partial{
				{key{Start: start + 300}, row{10, 1, 1, 10, 1}, weirv1.Partial_PARTIAL_EARLY},
				{key{Start: start}, row{10, 1, 1, 10, 1}, weirv1.Partial_PARTIAL_EARLY},
			},
		},
		{
			"then the watermark closes it",
			[]testFlow{at(2), at(7 * minute)},
			[]int64{int64(start)},
			[]partial{
				{key{Start: start}, row{10, 1, 1, 10, 1}, weirv1.Partial_PARTIAL_CLOSING},
				{key{Start: start + 300}, row{10, 1, 1, 10, 1}, weirv1.Partial_PARTIAL_EARLY},
			},
		},
		{
			"what comes now is late",
			[]testFlow{at(3)},
			nil,
			[]partial{{key{Start: start}, row{10, 1, 1, 10, 1}, weirv1.Partial_PARTIAL_LATE}},
		},
		{"and nothing comes of nothing", nil, nil, nil},
	}
	for _, s := range steps { // in order: each goes on where the last one ended
		add(t, w, batchOf(s.flows...))
		partials, closed := flush(t, w)
		if diff := cmp.Diff(s.want, partials); diff != "" {
			t.Errorf("%s: -want +got:\n%s", s.name, diff)
		}
		if diff := cmp.Diff(s.closed, closed); diff != "" {
			t.Errorf("%s: closed: -want +got:\n%s", s.name, diff)
		}
	}
	if w.late[0] != 1 {
		t.Errorf("%d late flows, want 1", w.late[0])
	}
}

func TestHostileTimes(t *testing.T) {
	t.Parallel()
	const years = 365 * 24 * 60 * minute
	now := base + 100*second
	tests := []struct {
		name       string
		in         testFlow
		windows    int
		end        uint64 // of the interval as it is counted
		wantCounts counts
	}{
		{"without times it is received", testFlow{}, 1, now, counts{}},
		{"without a start it is short", testFlow{end: now - second}, 1, now - second, counts{}},
		{"without an end it ends when received", testFlow{start: now - second}, 1, now, counts{}},
		{"a start after the end is the end", testFlow{start: now, end: now - second}, 1, now - second, counts{}},
		{"a clock a little ahead is believed", testFlow{start: now, end: now + minute}, 1, now + minute, counts{}},
		{"one far ahead is not", testFlow{start: now + years, end: now + 2*years}, 1, now, counts{ahead: 1}},
		{"the end of time is not", testFlow{start: math.MaxUint64, end: math.MaxUint64}, 1, now, counts{ahead: 1}},
		{"a clock a day behind is believed", testFlow{end: now - 24*60*minute}, 1, now - 24*60*minute, counts{}},
		{"one further behind is not", testFlow{start: now - 2*years, end: now - years}, 1, now, counts{behind: 1}},
		{"a flow of a hundred years is cut to its last two hours", testFlow{start: now - 30*years, end: now}, 25, now, counts{cut: 1}},
		{"one from the big bang to the end of time is short", testFlow{start: 1, end: math.MaxUint64}, 1, now, counts{ahead: 1}},
		{"a flow of two hours is whole", testFlow{start: now - duration, end: now}, 25, now, counts{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.in.received, tt.in.bytes, tt.in.packets = now, 123_456_789, 987_654
			w := newTestWindows(t, 1000)
			add(t, w, batchOf(tt.in))
			if w.greatest != tt.end || w.counts != tt.wantCounts {
				t.Errorf("ends at %d with %+v, want %d with %+v", w.greatest, w.counts, tt.end, tt.wantCounts)
			}
			partials, _ := flush(t, w)
			total := map[key]row{}
			for _, p := range partials {
				merge(total, []partial{{key{}, p.Row, 0}})
			}
			if want := (row{123_456_789, 987_654, 1, 123_456_789, 987_654}); len(partials) != tt.windows || total[key{}] != want {
				t.Errorf("%d windows with %+v, want %d with %+v", len(partials), total[key{}], tt.windows, want)
			}
		})
	}
}

func TestTimesWithoutReceiptAreTakenAsTheyAre(t *testing.T) {
	t.Parallel()
	w := newTestWindows(t, 1000)
	add(t, w, batchOf(testFlow{start: math.MaxUint64 - 10*minute, end: math.MaxUint64, bytes: 1000}, testFlow{}))
	sums := map[key]row{}
	partials, _ := flush(t, w)
	merge(sums, partials)
	var bytes, flows uint64
	for _, r := range sums {
		bytes += r.Bytes
		flows += r.Flows
	}
	if bytes != 1000 || flows != 2 {
		t.Errorf("%d bytes of %d flows, want 1000 of 2", bytes, flows)
	}
}

func TestSumsStopAtTheirGreatestValue(t *testing.T) {
	t.Parallel()
	const big = math.MaxUint64
	f := func(bytes, rate uint64) testFlow {
		return testFlow{start: base, end: base, received: base, bytes: bytes, packets: 1, rate: rate}
	}
	tests := []struct {
		name      string
		in        []testFlow
		want      row
		saturated int
	}{
		{"just below", []testFlow{f(big/1000, 1000)}, row{big / 1000, 1, 1, big / 1000 * 1000, 1000}, 0},
		{"scaled", []testFlow{f(big/1000+1, 1000)}, row{big/1000 + 1, 1, 1, big, 1000}, 1},
		{"scaled by a lot", []testFlow{f(big, big)}, row{big, 1, 1, big, big}, 1},
		{"added", []testFlow{f(big-1, 1), f(1, 1), f(1, 1)}, row{big, 3, 3, big, 3}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newTestWindows(t, 1000)
			add(t, w, batchOf(tt.in...))
			partials, _ := flush(t, w)
			if len(partials) != 1 || partials[0].Row != tt.want || w.counts.saturated != tt.saturated {
				t.Errorf("%+v with %d saturated, want %+v with %d", partials, w.counts.saturated, tt.want, tt.saturated)
			}
		})
	}
}

func TestFullWindowsSpreadNoMore(t *testing.T) {
	t.Parallel()
	w := newTestWindows(t, 10)
	for i := range uint64(20) {
		add(t, w, batchOf(testFlow{start: base, end: base + 25*minute, received: base + 25*minute, srcAS: i, bytes: 1000}))
	}
	if !w.full() {
		t.Error("not full")
	}
	if got, want := entriesOf(w), 12+18; got != want { // two flows in six windows each, then one each
		t.Errorf("%d keys, want %d", got, want)
	}
	if w.counts.unspread != 18 {
		t.Errorf("%d flows not spread, want 18", w.counts.unspread)
	}
	partials, _ := flush(t, w)
	bytes := uint64(0)
	for _, p := range partials {
		bytes += p.Row.Bytes
	}
	if bytes != 20_000 || w.full() {
		t.Errorf("%d bytes, full %v", bytes, w.full())
	}
}
