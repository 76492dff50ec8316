// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// numbers is a fixed-width column of 2 octets.
func numbers(values ...uint16) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return b
}

// window is a fixed-width column of 4 octets.
func window(starts ...uint32) []byte {
	var b []byte
	for _, v := range starts {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

func values(name string, v []byte) *weirv1.RollupColumn {
	return &weirv1.RollupColumn{Name: name, Values: v}
}

func flows5m(rows uint32, starts []byte, keys, sums []*weirv1.RollupColumn) *weirv1.Rollup {
	return &weirv1.Rollup{Name: "flows_5m", Rows: rows, WindowSeconds: 300, WindowStart: starts, Keys: keys, Sums: sums}
}

const sums5m = `SELECT toString(toUnixTimestamp(window_start)), toString(src_origin_as), toString(proto), toString(sum(bytes)), toString(sum(flows))
	FROM flows_5m GROUP BY window_start, src_origin_as, proto ORDER BY window_start, src_origin_as, proto`

func TestPartialSumsAddUpInTheTable(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	start := uint32(today().Unix())
	messages := func() []*weirv1.RollupBatch {
		return []*weirv1.RollupBatch{
			{Rollups: []*weirv1.Rollup{
				flows5m(2, window(start, start+300),
					[]*weirv1.RollupColumn{values("src_origin_as", numbers(100, 200)), values("proto", []byte{6, 17})},
					[]*weirv1.RollupColumn{values("bytes", numbers(1000, 50)), values("flows", []byte{3, 1})}),
			}},
			{Rollups: []*weirv1.Rollup{
				{Name: "flows_5m", Closed: []int64{int64(start)}},
				// No row has a protocol, and flows are many.
				flows5m(1, window(start), []*weirv1.RollupColumn{values("src_origin_as", numbers(100))},
					[]*weirv1.RollupColumn{values("bytes", numbers(7)), values("flows", binary.LittleEndian.AppendUint64(nil, 1<<40))}),
				flows5m(1, window(start),
					[]*weirv1.RollupColumn{values("proto", []byte{6}), values("src_origin_as", []byte{100})},
					[]*weirv1.RollupColumn{values("flows", []byte{2}), values("bytes", []byte{1})}),
			}},
		}
	}
	for range 2 { // the second is a repeat
		if err := f.writeRollups(t.Context(), "token", messages()); err != nil {
			t.Fatal(err)
		}
	}
	want := [][]string{
		{fmt.Sprint(start), "100", "0", "7", fmt.Sprint(1 << 40)},
		{fmt.Sprint(start), "100", "6", "1001", "5"},
		{fmt.Sprint(start + 300), "200", "17", "50", "1"},
	}
	if diff := cmp.Diff(want, f.strings(t, sums5m)); diff != "" {
		t.Errorf("sums (-want +got):\n%s", diff)
	}
}

func TestEveryRollupGoesToItsTable(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := f.conn.Exec(t.Context(), `CREATE TABLE by_country (window_start DateTime, sampler_address IPv6, src_country LowCardinality(String),
		bytes SimpleAggregateFunction(sum, UInt64), insert_id UInt64)
		ENGINE = AggregatingMergeTree ORDER BY (window_start, sampler_address, src_country, insert_id)
		SETTINGS non_replicated_deduplication_window = 100`); err != nil {
		t.Fatal(err)
	}
	start := uint32(today().Unix())
	a, b := [16]byte{15: 1}, [16]byte{15: 2}
	message := &weirv1.RollupBatch{Rollups: []*weirv1.Rollup{
		{
			Name: "by_country", Rows: 3, WindowStart: window(start, start, start),
			Keys: []*weirv1.RollupColumn{
				values("sampler_address", append(append(a[:], a[:]...), b[:]...)),
				{Name: "src_country", Text: &weirv1.TextColumn{Values: []string{"DE", "FR"}, Indexes: []byte{1, 2, 0}}},
			},
			Sums: []*weirv1.RollupColumn{values("bytes", []byte{1, 2, 3})},
		},
		flows5m(1, window(start), nil, []*weirv1.RollupColumn{values("bytes", []byte{9})}),
	}}
	for range 2 {
		if err := f.writeRollups(t.Context(), "token", []*weirv1.RollupBatch{message, message}); err != nil {
			t.Fatal(err)
		}
	}
	got := f.strings(t, "SELECT toString(sampler_address), toString(src_country), toString(sum(bytes)) FROM by_country GROUP BY ALL ORDER BY ALL")
	if diff := cmp.Diff([][]string{{"::1", "DE", "2"}, {"::1", "FR", "4"}, {"::2", "", "6"}}, got); diff != "" {
		t.Errorf("by_country (-want +got):\n%s", diff)
	}
	if got := f.count(t, "SELECT sum(bytes) FROM flows_5m"); got != "18" {
		t.Errorf("flows_5m has %s bytes, want 18", got)
	}
}

func TestMalformedRollupsAreRefusedForGood(t *testing.T) {
	t.Parallel()
	ok := flows5m(2, window(1, 2), nil, nil)
	columns := &table{name: "flows_5m", columns: map[string]string{
		"window_start": "DateTime", "proto": "UInt8", "src_origin_as": "UInt32", "country": "LowCardinality(String)", "bytes": "UInt64",
	}}
	text := func(indexes ...byte) *weirv1.RollupColumn {
		return &weirv1.RollupColumn{Name: "country", Text: &weirv1.TextColumn{Values: []string{"DE"}, Indexes: indexes}}
	}
	for name, r := range map[string]*weirv1.Rollup{
		"window starts missing a row": flows5m(2, window(1)[:3], nil, nil),
		"window starts of 8 octets":   flows5m(1, window(1, 2), nil, nil),
		"values of 3 octets":          flows5m(1, window(1), []*weirv1.RollupColumn{values("proto", []byte{1, 2, 3})}, nil),
		"values for fewer rows":       flows5m(2, window(1, 2), nil, []*weirv1.RollupColumn{values("bytes", []byte{1})}),
		"text beyond its dictionary":  flows5m(2, window(1, 2), []*weirv1.RollupColumn{text(1, 2)}, nil),
		"indexes for fewer rows":      flows5m(2, window(1, 2), []*weirv1.RollupColumn{text(1)}, nil),
	} {
		var b batch
		if checkRollups(&weirv1.RollupBatch{Rollups: []*weirv1.Rollup{ok, r}}) == nil {
			t.Errorf("%s: is not seen before the batch is made", name)
		}
		err := b.setRollup(columns, rollup{"flows_5m", []*weirv1.Rollup{ok, r}})
		if _, permanent := classify(err); err == nil || !permanent {
			t.Errorf("%s: %v, want a permanent error", name, err)
		}
	}
	bad := &weirv1.RollupBatch{Rollups: []*weirv1.Rollup{{Name: "flows; DROP TABLE flows", Rows: 1}}}
	if err := checkRollups(bad); !errors.Is(err, errMalformed) {
		t.Errorf("a table's name that is none: %v", err)
	}
}

func TestRollupsDoNotFitIntoOtherTables(t *testing.T) {
	t.Parallel()
	r := rollup{"t", []*weirv1.Rollup{flows5m(1, window(1), nil, []*weirv1.RollupColumn{values("bytes", numbers(300))})}}
	for want, columns := range map[string]map[string]string{
		`table t: column window_start is missing (run "weir migrate")`:                                              {"bytes": "UInt64"},
		`table t: column bytes is missing (run "weir migrate")`:                                                     {"window_start": "DateTime"},
		`table t: column bytes has type UInt8, which does not take numbers of 16 bits (run "weir migrate")`:         {"window_start": "DateTime", "bytes": "UInt8"},
		`table t: column bytes has type String, which does not take numbers of 16 bits (run "weir migrate")`:        {"window_start": "DateTime", "bytes": "String"},
		`table t: column window_start has type UInt32, want DateTime (run "weir migrate")`:                          {"window_start": "UInt32", "bytes": "UInt64"},
		`table t: column window_start has type DateTime64(3, 'UTC'), want DateTime (run "weir migrate")`:            {"window_start": "DateTime64(3, 'UTC')", "bytes": "UInt64"},
		`table t: column window_start has type IPv6, which does not take numbers of 32 bits (run "weir migrate")`:   {"window_start": "IPv6"},
		`table t: column bytes has type Array(UInt64), which does not take numbers of 16 bits (run "weir migrate")`: {"window_start": "DateTime", "bytes": "Array(UInt64)"},
	} {
		var b batch
		if err := b.setRollup(&table{name: "t", columns: columns}, r); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestTypesOfOurTablesAreUnderstood(t *testing.T) {
	t.Parallel()
	for f := range flow.Fields() {
		info := f.Info()
		if got, ok := parseType(info.Type); !ok || got.kind != info.Kind || got.width != info.Width {
			t.Errorf("%s: %s is %+v, want kind %d of %d octets", f, info.Type, got, info.Kind, info.Width)
		}
	}
	for name, want := range map[string]columnType{
		"DateTime64(9, 'UTC')":                   {kind: flow.Number, width: 8, time: "DateTime64(9)"},
		"DateTime('Europe/Berlin')":              {kind: flow.Number, width: 4, time: "DateTime"},
		"SimpleAggregateFunction(sum, UInt64)":   {kind: flow.Number, width: 8},
		"SimpleAggregateFunction(anyLast, IPv6)": {kind: flow.Address, width: 16},
	} {
		want.name = name
		if got, ok := parseType(name); !ok || got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	for _, name := range []string{"", "String", "Nullable(UInt8)", "LowCardinality(UInt8)", "Array(LowCardinality(String))", "Float64", "DateTime64"} {
		if got, ok := parseType(name); ok {
			t.Errorf("%q is taken as %+v", name, got)
		}
	}
}
