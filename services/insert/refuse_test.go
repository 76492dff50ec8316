// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// constrain makes ClickHouse refuse rows.
func (f *fixture) constrain(t testing.TB, table, check string) {
	t.Helper()
	if err := f.conn.Exec(t.Context(), "ALTER TABLE "+table+" ADD CONSTRAINT test CHECK "+check); err != nil {
		t.Fatal(err)
	}
}

// deadLetters waits for n dead letters and returns them.
func deadLetters(t testing.TB, js *bustest.Server, n uint64) []*jetstream.RawStreamMsg {
	t.Helper()
	nc, err := nats.Connect(js.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	client, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	var stream jetstream.Stream
	eventually(t, fmt.Sprint(n, " dead letters"), func() bool {
		stream, err = client.Stream(t.Context(), "DEAD")
		return err == nil && stream.CachedInfo().State.Msgs >= n
	})
	var all []*jetstream.RawStreamMsg
	for seq := range stream.CachedInfo().State.LastSeq {
		m, err := stream.GetMsg(t.Context(), seq+1)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

func TestRefusedRowsGoToTheDeadLettersAndTheRestIn(t *testing.T) {
	t.Parallel()
	f, js := newFixture(t), bustest.New(t)
	f.constrain(t, "flows", "sequence_num NOT IN (7, 8, 1499, 2750)")
	f.constrain(t, "flows_5m", "src_origin_as != 5")
	f.constrain(t, "interface_counters", "in_octets != 7")
	busConfig := js.Config(2)
	f.cfg.MaxRows = 4 * perMessage
	source := newSource(t, js, busConfig)
	source.publish(t, 8) // the sixth partial sum is of AS 5
	source.flush(t)
	stop := startService(t, js, f.cfg, busConfig)
	dead := deadLetters(t, js, 6)
	eventually(t, "the other rows", func() bool { return f.total(t) == "(3996,3996) (3500,7) (15,15) 8" })
	stop()
	var got []string
	for _, m := range dead {
		if !strings.Contains(m.Header.Get("Weir-Reason"), "VIOLATED_CONSTRAINT") && !strings.Contains(m.Header.Get("Weir-Reason"), "469") {
			t.Errorf("reason %s", m.Header.Get("Weir-Reason"))
		}
		if m.Header.Get("Weir-Stream") == bus.Rollups.Name {
			var r weirv1.RollupBatch
			if err := r.UnmarshalVT(m.Data); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint("AS ", r.GetRollups()[0].GetKeys()[0].GetValues()[0], " rows ", r.GetRollups()[0].GetRows()))
			continue
		}
		if m.Header.Get("Weir-Stream") == bus.Counters.Name {
			got = append(got, countersText(t, m.Data))
			continue
		}
		var b flow.Batch
		if err := b.UnmarshalVTUnsafe(m.Data); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint("flow ", b.Number(flow.SequenceNum, 0), " rows ", b.Rows()))
	}
	slices.Sort(got)
	want := []string{"AS 5 rows 1", "counters of interface 3 with 7 octets, rows 1", "flow 1499 rows 1", "flow 2750 rows 1", "flow 7 rows 1", "flow 8 rows 1"}
	if !slices.Equal(got, want) {
		t.Errorf("dead letters %v, want %v", got, want)
	}
}

// A search for refused rows that was cut short, or whose end nobody noticed, is done again.
func TestASearchForRefusedRowsInsertsNothingTwice(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.constrain(t, "flows", "sequence_num % 100 != 3")
	messages := func() []*flow.Batch { return []*flow.Batch{numbered(t, 0, 300), numbered(t, 300, 200)} }
	for _, w := range []*writer{f.writer, f.writer, newWriter(t, f.cfg)} {
		if err := w.writeFlows(t.Context(), "token", messages()); err == nil {
			t.Error("no row was refused")
		}
	}
	if got := f.count(t, "SELECT (count(), uniqExact(sequence_num)) FROM flows"); got != "(495,495)" {
		t.Errorf("%s rows and distinct rows, want 495", got)
	}
}

func TestWhatIsRefusedAsAWholeIsNotSearchedForEver(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.constrain(t, "flows", "sequence_num < 10")
	flows, err := f.table(t.Context(), flowsTable)
	if err != nil {
		t.Fatal(err)
	}
	const rows = 20000
	if err := f.batch.setFlows(flows, []*flow.Batch{numbered(t, 10, rows)}); err != nil {
		t.Fatal(err)
	}
	h := halving{w: f.writer, t: flows, token: "token", pieces: mostPieces - 20}
	for _, p := range f.batch.periods(flows.clock) {
		if err := h.isolate(t.Context(), f.batch.rowsOf(flows.clock, p.day), p, errMalformed); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.refused) != rows {
		t.Errorf("%d rows refused, want all %d", len(h.refused), rows)
	}
	if h.pieces > mostPieces+20 {
		t.Errorf("%d pieces, want about %d", h.pieces, mostPieces)
	}
}

func TestAMalformedMessageIsRefusedAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	message := func(sums ...byte) *weirv1.RollupBatch {
		return &weirv1.RollupBatch{Rollups: []*weirv1.Rollup{flows5m(1, window(uint32(today().Unix())), nil, []*weirv1.RollupColumn{values("bytes", sums)})}}
	}
	err := f.writeRollups(t.Context(), "token", []*weirv1.RollupBatch{message(1), message(1, 2, 3), message(5)})
	if want := bus.Refused(nil).Error(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if got := f.count(t, "SELECT sum(bytes) FROM flows_5m"); got != "6" {
		t.Errorf("%s bytes, want 6", got)
	}
}

func TestAFlowOnItsOwnIsTheSame(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 8))
	var all flow.Batch
	var want []string
	for range 50 {
		var r flow.Record
		b := new(flow.Batch)
		seed := rng.Uint64()
		for _, to := range []*flow.Batch{&all, b} {
			randomFlow(rand.New(rand.NewPCG(seed, 1)), to, &r, func(flow.Field) bool { return true })
			to.Append(&r)
		}
		want = append(want, string(b.AppendVT(nil)))
	}
	m := overWire(t, &all)
	for row := range want {
		if got := string(flowOf(m, row).AppendVT(nil)); got != want[row] {
			t.Errorf("row %d: %x\nwant %x", row, got, want[row])
		}
	}
}
