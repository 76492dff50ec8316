// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/migrations"
)

// fixture is a migrated database with a writer to it.
type fixture struct {
	*clickhousetest.Server
	cfg  Config
	conn clickhouse.Conn // for questions, not the writer's
	*writer
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	s := clickhousetest.New(t)
	cfg := DefaultConfig()
	cfg.DSN, cfg.Database = s.DSN(""), s.Database(t)
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	if err := migrations.Up(t.Context(), cfg.DSN, cfg.Database, log); err != nil {
		t.Fatal(err)
	}
	return &fixture{Server: s, cfg: cfg, conn: s.Open(t, cfg.Database), writer: newWriter(t, cfg)}
}

func newWriter(t testing.TB, cfg Config) *writer {
	t.Helper()
	to, err := openServers(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { to.Close() })
	return &writer{
		cfg: cfg, servers: to, conn: to.conns[0], log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		m: newMetrics(prometheus.NewRegistry()), tables: map[string]*table{},
	}
}

// strings returns the rows of a query whose columns are all text.
func (f *fixture) strings(t testing.TB, query string) [][]string {
	t.Helper()
	rows, err := f.conn.Query(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var all [][]string
	for rows.Next() {
		row := make([]string, len(rows.Columns()))
		to := make([]any, len(row))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// count returns the one number that a query gives.
func (f *fixture) count(t testing.TB, query string) string {
	t.Helper()
	return f.strings(t, "SELECT toString(("+query+"))")[0][0]
}

// today is a time of receipt that no TTL touches.
func today() time.Time { return time.Now().UTC().Truncate(24 * time.Hour) }

// asText is how ClickHouse is asked for a field, and how the tests write its values.
func asText(f flow.Field) string {
	switch info := f.Info(); {
	case strings.HasPrefix(info.Type, "DateTime64"):
		return "toString(toUnixTimestamp64Nano(" + info.Name + "))"
	case info.Kind == flow.Address:
		return "lower(hex(" + info.Name + "))"
	case info.Kind == flow.Addresses:
		return "arrayStringConcat(arrayMap(x -> lower(hex(x)), " + info.Name + "), ',')"
	case info.Kind == flow.Numbers:
		return "arrayStringConcat(arrayMap(x -> toString(x), " + info.Name + "), ',')"
	default:
		return "toString(" + info.Name + ")"
	}
}

// zero is the text of a field's default.
func zero(f flow.Field) string {
	switch f.Info().Kind {
	case flow.Number:
		return "0"
	case flow.Address:
		return strings.Repeat("0", 32)
	default:
		return ""
	}
}

// randomFlow sets random fields of r among those allowed, and returns the text of each.
func randomFlow(rng *rand.Rand, b *flow.Batch, r *flow.Record, allowed func(flow.Field) bool) map[flow.Field]string {
	want := map[flow.Field]string{}
	r.Reset()
	for f := range flow.Fields() {
		if !allowed(f) || rng.IntN(3) == 0 {
			continue
		}
		info := f.Info()
		number := func() uint64 { return rng.Uint64() >> rng.IntN(64) & (1<<(8*info.Width-1)<<1 - 1) }
		var list []string
		switch info.Kind {
		case flow.Number:
			v := number()
			if want[f] = strconv.FormatUint(v, 10); strings.HasPrefix(info.Type, "DateTime64") {
				want[f] = strconv.FormatInt(int64(v), 10)
			}
			r.SetNumber(f, v)
		case flow.Text:
			want[f] = []string{"", "DE", "FR", "Ω and a longer text", strconv.Itoa(rng.IntN(700))}[rng.IntN(5)]
			r.SetNumber(f, b.Intern(f, want[f]))
		case flow.Address:
			a := randomAddress(rng)
			want[f] = hex.EncodeToString(a[:])
			r.SetAddress(f, a)
		case flow.Numbers:
			for range rng.IntN(5) {
				v := number()
				list = append(list, strconv.FormatUint(v, 10))
				r.AddNumber(f, v)
			}
			want[f] = strings.Join(list, ",")
		case flow.Addresses:
			for range rng.IntN(3) {
				a := randomAddress(rng)
				list = append(list, hex.EncodeToString(a[:]))
				r.AddAddress(f, a)
			}
			want[f] = strings.Join(list, ",")
		}
	}
	return want
}

func randomAddress(rng *rand.Rand) (a [16]byte) {
	if rng.IntN(2) == 0 {
		a[10], a[11] = 0xff, 0xff
	} else {
		a[0] = 0x20
	}
	for i := 12; i < 16; i++ {
		a[i] = byte(rng.Uint32())
	}
	return a
}

// overWire returns what a reader of the stream gets.
func overWire(t testing.TB, b *flow.Batch) *flow.Batch {
	t.Helper()
	got := new(flow.Batch)
	if err := got.UnmarshalVTUnsafe(b.AppendVT(nil)); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestEveryFieldComesBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	rng := rand.New(rand.NewPCG(1, 2))
	var messages []*flow.Batch
	var want []map[flow.Field]string
	for _, allowed := range []func(flow.Field) bool{
		func(flow.Field) bool { return true },
		func(flow.Field) bool { return false },
		func(f flow.Field) bool { return f%2 == 0 },
		func(f flow.Field) bool { return f != flow.SrcCountry },
		func(flow.Field) bool { return true },
	} {
		b := new(flow.Batch)
		for range 300 {
			var r flow.Record
			row := randomFlow(rng, b, &r, allowed)
			id := uint64(len(want))
			received := uint64(today().Add(time.Duration(id%2)*-24*time.Hour).UnixNano()) + id
			r.SetNumber(flow.SequenceNum, id)
			r.SetNumber(flow.TimeReceivedNs, received)
			row[flow.SequenceNum], row[flow.TimeReceivedNs] = strconv.FormatUint(id, 10), strconv.FormatUint(received, 10)
			b.Append(&r)
			want = append(want, row)
		}
		messages = append(messages, overWire(t, b), new(flow.Batch))
	}
	if err := f.writeFlows(t.Context(), "token", messages); err != nil {
		t.Fatal(err)
	}
	for field := range flow.Fields() {
		got := f.strings(t, "SELECT "+asText(field)+" FROM flows ORDER BY sequence_num")
		var gotTexts, wantTexts []string
		for _, row := range got {
			gotTexts = append(gotTexts, row[0])
		}
		for _, row := range want {
			text, ok := row[field]
			if !ok {
				text = zero(field)
			}
			wantTexts = append(wantTexts, text)
		}
		if diff := cmp.Diff(wantTexts, gotTexts); diff != "" {
			t.Errorf("%s (-want +got):\n%.600s", field, diff)
		}
	}
	if got := f.count(t, "SELECT uniqExact(_partition_id) FROM flows"); got != "2" {
		t.Errorf("the block went to %s partitions, want 2", got)
	}
}

// numbered returns a message of n flows whose sequence numbers begin with first.
func numbered(t testing.TB, first, n int) *flow.Batch {
	t.Helper()
	var b flow.Batch
	for i := range n {
		var r flow.Record
		r.SetNumber(flow.SequenceNum, uint64(first+i))
		r.SetNumber(flow.TimeReceivedNs, uint64(today().Add(time.Duration(i%2)*-24*time.Hour).UnixNano())+uint64(first+i))
		r.SetNumber(flow.Bytes, 100)
		b.Append(&r)
	}
	return overWire(t, &b)
}

func TestColumnsThatNoRowUsesAreNotSent(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := f.writeFlows(t.Context(), "token", []*flow.Batch{numbered(t, 1, 10)}); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range f.batch.columns {
		names = append(names, c.name)
	}
	if diff := cmp.Diff([]string{"time_received_ns", "sequence_num", "bytes"}, names); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	if got := f.count(t, "SELECT sum(bytes) FROM flows"); got != "1000" {
		t.Errorf("%s bytes, want 1000", got)
	}
}

func TestMessagesWithoutRowsAreNoInsert(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := f.writeFlows(t.Context(), "token", []*flow.Batch{new(flow.Batch)}); err != nil {
		t.Fatal(err)
	}
	if got := f.count(t, "SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = 'flows'"); got != "0" {
		t.Errorf("%s parts, want none", got)
	}
}

func TestTheSameTokenTwiceIsOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	other := newWriter(t, f.cfg)
	messages := func() []*flow.Batch { return []*flow.Batch{numbered(t, 0, 1000), numbered(t, 1000, 500)} }
	for _, w := range []*writer{f.writer, f.writer, other} {
		if err := w.writeFlows(t.Context(), "token", messages()); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.count(t, "SELECT count() FROM flows"); got != "1500" {
		t.Errorf("%s rows, want 1500", got)
	}
	if err := f.writeFlows(t.Context(), "another token", messages()); err != nil {
		t.Fatal(err)
	}
	if got := f.count(t, "SELECT count() FROM flows"); got != "3000" {
		t.Errorf("%s rows with another token, want 3000", got)
	}
}

func TestTheSameMessagesMakeTheSameBlock(t *testing.T) {
	t.Parallel()
	var all columnsOf
	for f := range flow.Fields() {
		all = append(all, f)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	var b flow.Batch
	for range 100 {
		var r flow.Record
		randomFlow(rng, &b, &r, func(flow.Field) bool { return true })
		b.Append(&r)
	}
	var first, second batch
	// What a batch held before must not show in the next one.
	if err := second.setFlows(all.table(), []*flow.Batch{numbered(t, 1, 3000)}); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, to := range []*batch{&first, &second} {
		if err := to.setFlows(all.table(), []*flow.Batch{overWire(t, &b), numbered(t, 1, 7), overWire(t, &b)}); err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for _, c := range to.columns {
			fmt.Fprintf(&text, "%s %s %x %x\n", c.name, c.typ.name, c.head, c.body)
		}
		texts = append(texts, text.String())
	}
	if texts[0] != texts[1] {
		t.Error("the blocks differ")
	}
}

// columnsOf makes a table with the columns of fields.
type columnsOf []flow.Field

func (c columnsOf) table() *table {
	t := &table{name: flowsTable, columns: map[string]string{}}
	for _, f := range c {
		t.columns[f.String()] = f.Info().Type
	}
	return t
}

func TestAnotherDatabaseThanMigratedIsWaitedFor(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := f.conn.Exec(t.Context(), "ALTER TABLE flows DROP COLUMN vlan_id"); err != nil {
		t.Fatal(err)
	}
	var logged logs
	f.log = slog.New(slog.NewTextHandler(&logged, nil))
	done := make(chan error, 1)
	go func() { done <- f.writeFlows(t.Context(), "token", []*flow.Batch{numbered(t, 1, 10)}) }()
	logged.await(t, `column vlan_id is missing (run \"weir migrate\")`)
	if err := f.conn.Exec(t.Context(), "ALTER TABLE flows ADD COLUMN vlan_id UInt16"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := f.count(t, "SELECT count() FROM flows"); got != "10" {
		t.Errorf("%s rows, want 10", got)
	}
	logged.await(t, "takes rows again")
	if n := logged.lines(); n != 2 {
		t.Errorf("%d lines in the log, want one at the begin and one at the end:\n%s", n, logged.text())
	}
}

func TestClickHouseAwayUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var logged logs
	f.log = slog.New(slog.NewTextHandler(&logged, nil))
	const inserts, rows = 40, 2000
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	done := make(chan error, 1)
	written := make(chan int, inserts)
	go func() {
		for i := range inserts {
			if err := f.writeFlows(ctx, "token"+strconv.Itoa(i), []*flow.Batch{numbered(t, i*rows, rows)}); err != nil {
				done <- err
				return
			}
			written <- i
		}
		done <- nil
	}()
	for range 3 { // kill -9 in the middle of whatever is under way
		for range 10 {
			<-written
		}
		f.Kill()
		logged.await(t, "takes no rows")
		f.Start()
		logged.await(t, "takes rows again")
		logged.clear()
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := f.count(t, "SELECT (count(), uniqExact(sequence_num))"+" FROM flows"); got != fmt.Sprintf("(%d,%d)", inserts*rows, inserts*rows) {
		t.Errorf("%s rows and distinct rows, want %d", got, inserts*rows)
	}
}
