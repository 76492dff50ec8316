// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// A server that is killed at the wrong moment remembers a token and not its rows. Deleting
// the rows leaves it in the same state.
func (f *fixture) forgetRows(t *testing.T, table, condition string) {
	t.Helper()
	if err := f.conn.Exec(t.Context(), "ALTER TABLE "+table+" DELETE WHERE "+condition+" SETTINGS mutations_sync = 2"); err != nil {
		t.Fatal(err)
	}
}

func TestAnInsertThatClickHouseOnlyRemembersIsRepeated(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	write := func(token string, first int) {
		t.Helper()
		if err := f.writeFlows(t.Context(), token, []*flow.Batch{numbered(t, first, 1000)}); err != nil {
			t.Fatal(err)
		}
	}
	write("a", 0)
	write("b", 1000)
	for _, lost := range []string{"sequence_num < 1000", "sequence_num < 1000 AND sequence_num % 2 = 1", "sequence_num < 1000"} {
		f.forgetRows(t, "flows", lost) // the second time one of its two days
		write("a", 0)
		write("a", 0)
		if got := f.count(t, "SELECT (count(), uniqExact(sequence_num)) FROM flows"); got != "(2000,2000)" {
			t.Errorf("after the loss of rows with %s: %s rows and distinct rows, want 2000", lost, got)
		}
	}
}

func TestARollupThatClickHouseOnlyRemembersIsRepeated(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	start := uint32(today().Unix())
	write := func(token string) {
		t.Helper()
		// The same window and key each time, so that everything but the marks merges.
		r := flows5m(2, window(start, start+300), nil, []*weirv1.RollupColumn{values("bytes", []byte{1, 2}), values("flows", []byte{1, 1})})
		if err := f.writeRollups(t.Context(), token, []*weirv1.RollupBatch{{Rollups: []*weirv1.Rollup{r}}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, token := range []string{"a", "b", "c"} {
		write(token)
	}
	if err := f.conn.Exec(t.Context(), "OPTIMIZE TABLE flows_5m FINAL"); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"a", "b", "c"} {
		write(token) // they are there, merged
	}
	if got := f.count(t, "SELECT (sum(bytes), sum(flows), uniqExact(insert_id)) FROM flows_5m"); got != "(9,6,4)" {
		t.Errorf("merged: %s bytes, flows and marks, want (9,6,4)", got)
	}
	f.forgetRows(t, "flows_5m", "1")
	for _, token := range []string{"a", "b", "c", "a"} {
		write(token)
	}
	if got := f.count(t, "SELECT (sum(bytes), sum(flows)) FROM flows_5m"); got != "(9,6)" {
		t.Errorf("after a loss: %s bytes and flows, want (9,6)", got)
	}
}

func TestMergingTablesNeedTheMarkInTheirKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := f.conn.Exec(t.Context(), "CREATE TABLE other (window_start DateTime, bytes UInt64, insert_id UInt64) ENGINE = SummingMergeTree ORDER BY window_start"); err != nil {
		t.Fatal(err)
	}
	_, err := f.table(context.Background(), "other")
	if err == nil || !strings.Contains(err.Error(), "table other: column insert_id is not in the sorting key") {
		t.Errorf("%v", err)
	}
	if _, err = f.table(context.Background(), "missing"); err == nil || !strings.Contains(err.Error(), "table missing: does not exist") {
		t.Errorf("%v", err)
	}
}

func TestABatchOfSeveralDaysIsOneOfEach(t *testing.T) {
	t.Parallel()
	var all columnsOf
	for f := range flow.Fields() {
		all = append(all, f)
	}
	const day = 24 * 3600 * 1_000_000_000
	rng := rand.New(rand.NewPCG(7, 8))
	var both flow.Batch
	days := map[uint64]*flow.Batch{20_000: {}, 20_001: {}, 0: {}}
	for i := range 400 {
		of := []uint64{20_000, 20_001, 0}[i%7%3]
		received := of * day
		if of > 0 {
			received += rng.Uint64N(day)
		}
		seed := rng.Uint64()
		for _, b := range []*flow.Batch{&both, days[of]} {
			var r flow.Record
			randomFlow(rand.New(rand.NewPCG(seed, 0)), b, &r, func(flow.Field) bool { return true })
			r.SetNumber(flow.TimeReceivedNs, received)
			b.Append(&r)
		}
	}
	var whole, got, want batch
	if err := whole.setFlows(all.table(), []*flow.Batch{&both}); err != nil {
		t.Fatal(err)
	}
	periods := whole.periods(clockOf(flowsTable))
	if len(periods) != len(days) {
		t.Fatalf("%d days, want %d", len(periods), len(days))
	}
	for _, p := range periods {
		got.setSome(&whole, whole.rowsOf(clockOf(flowsTable), p.day))
		if err := want.setFlows(all.table(), []*flow.Batch{days[p.day]}); err != nil {
			t.Fatal(err)
		}
		if got.rows != want.rows || p.first/day != p.day || p.last/day != p.day {
			t.Errorf("day %d: %d rows from %d to %d, want %d", p.day, got.rows, p.first, p.last, want.rows)
		}
		for _, c := range got.columns {
			of := find(&want, c.name)
			if of == nil {
				continue // no row of that day uses it
			}
			if c.typ.kind == flow.Text { // its dictionary is that of all days
				continue
			}
			if diff := cmp.Diff([][]byte{of.head, of.body}, [][]byte{c.head, c.body}); diff != "" {
				t.Errorf("day %d, %s (-want +got):\n%s", p.day, c.name, diff)
			}
		}
	}
}

func find(b *batch, name string) *encoded {
	for _, c := range b.columns {
		if c.name == name {
			return c
		}
	}
	return nil
}
