// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
)

// countersOf is message n of a source: two interfaces, whose octets are numbered, and a row of
// health.
func countersOf(n int) *flow.Counters {
	c, r := new(flow.Counters), new(flow.CounterRow)
	for i := range 2 {
		setCounters(r, flow.InterfaceCounters, map[string]uint64{
			"time_received_ns": uint64(today().UnixNano()), "if_index": uint64(n), "in_octets": uint64(2*n + i), //nolint:gosec // positive
		})
		c.Append(flow.InterfaceCounters, r)
	}
	c.Health = append(c.Health, flow.Health{TimeS: uint64(today().Unix()), Datagrams: 1}) //nolint:gosec // positive
	return c
}

// setCounters makes a row of some numbers.
func setCounters(r *flow.CounterRow, of flow.CounterTable, numbers map[string]uint64) {
	r.Reset()
	for name, v := range numbers {
		r.SetNumber(of.Column(name), v)
	}
}

// countersText describes a message of a row of interface_counters.
func countersText(t *testing.T, message []byte) string {
	t.Helper()
	var c flow.Counters
	if err := c.UnmarshalVTUnsafe(message); err != nil {
		t.Fatal(err)
	}
	var r flow.CounterRow
	c.Row(flow.InterfaceCounters, 0, &r)
	column := flow.InterfaceCounters.Column
	return fmt.Sprintf("counters of interface %d with %d octets, rows %d",
		r.Number(column("if_index")), r.Number(column("in_octets")), c.Rows())
}

// everyCounter is a row of a table whose column i has the value i+1, and what ClickHouse shows of it.
func everyCounter(of flow.CounterTable) (r *flow.CounterRow, query string, want []string) {
	r = new(flow.CounterRow)
	for i, info := range of.Columns() {
		v := uint64(i) + 1
		if i > 0 {
			query += ", "
		}
		switch {
		case info.Kind == flow.Text:
			r.SetText(i, fmt.Sprint("text ", v))
			want = append(want, fmt.Sprint("text ", v))
		case info.Kind == flow.Address:
			r.SetAddress(i, [16]byte{15: byte(v)})
			want = append(want, fmt.Sprintf("::%x", v))
		case info.Type == "Float32":
			r.SetNumber(i, uint64(math.Float32bits(float32(v)+0.5)))
			want = append(want, fmt.Sprintf("%d.5", v))
		case info.Type == "Int32":
			r.SetNumber(i, uint64(uint32(-v))) //nolint:gosec // two's complement
			want = append(want, fmt.Sprint("-", v))
		case info.Type == "Int64":
			r.SetNumber(i, -v)
			want = append(want, fmt.Sprint("-", v))
		case info.Name == "time_received_ns" || info.Name == "last_seen":
			r.SetNumber(i, v*1e9)
			want = append(want, fmt.Sprint(v*1e9))
			query += "toString(toUnixTimestamp64Nano(" + info.Name + "))"
			continue
		case info.Name == "time":
			r.SetNumber(i, v)
			want = append(want, fmt.Sprint(v))
			query += "toString(toUnixTimestamp(time))"
			continue
		default:
			r.SetNumber(i, v)
			want = append(want, fmt.Sprint(v))
		}
		query += "toString(" + info.Name + ")"
	}
	return r, query, want
}

func TestEveryCounterComesBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var c flow.Counters
	for of := range flow.CounterTable(flow.NumCounterTables) {
		if err := f.conn.Exec(t.Context(), "ALTER TABLE "+of.Name()+" REMOVE TTL"); err != nil {
			t.Fatal(err) // the rows are of 1970
		}
		r, _, _ := everyCounter(of)
		c.Append(of, r)
		r.Reset()
		c.Append(of, r)
	}
	var read flow.Counters
	if err := read.UnmarshalVTUnsafe(c.AppendVT(nil)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second is a repeat
		if err := f.writeCounters(t.Context(), "token", []*flow.Counters{&read, countersOf(1)}); err != nil {
			t.Fatal(err)
		}
	}
	for of := range flow.CounterTable(flow.NumCounterTables) {
		_, query, want := everyCounter(of)
		key := of.Columns()[0].Name
		got := f.strings(t, fmt.Sprintf("SELECT %s FROM %s WHERE toUnixTimestamp(%s) = 1", query, of.Name(), key))
		if diff := cmp.Diff([][]string{want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", of.Name(), diff)
		}
	}
	if got := f.count(t, "SELECT (count(), sum(in_octets)) FROM interface_counters WHERE time_received_ns > now() - INTERVAL 2 DAY"); got != "(2,5)" {
		t.Errorf("rows and octets of the second message: %s, want (2,5)", got)
	}
}

func TestHealthOfAMinuteAddsUp(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	minute := uint64(today().Unix()) //nolint:gosec // positive
	seen := uint64(today().Add(time.Second).UnixNano())
	var c flow.Counters
	for _, h := range []flow.Health{
		{Datagrams: 10, Missing: 4, ClockAheadMs: 20, LastSeenNs: seen},
		{Datagrams: 3, Missing: -1, ClockAheadMs: 7, LastSeenNs: seen - 5},
	} {
		h.TimeS, h.Protocol, h.Domain, h.Exporter = minute, 4, 9, [16]byte{10: 0xff, 11: 0xff, 12: 192, 14: 2, 15: 1}
		c.Health = append(c.Health, h)
	}
	var read flow.Counters
	if err := read.UnmarshalVTUnsafe(c.AppendVT(nil)); err != nil {
		t.Fatal(err)
	}
	if err := f.writeCounters(t.Context(), "token", []*flow.Counters{&read}); err != nil {
		t.Fatal(err)
	}
	got := f.strings(t, `SELECT toString(exporter_ip), toString(sum(datagrams)), toString(sum(missing)), toString(max(clock_ahead_ms)),
		toString(toUnixTimestamp64Nano(max(last_seen))) FROM exporter_health GROUP BY time, exporter_ip, protocol, domain`)
	if diff := cmp.Diff([][]string{{"192.0.2.1", "13", "3", "20", fmt.Sprint(seen)}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
