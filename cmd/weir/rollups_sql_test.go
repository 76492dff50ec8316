// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/weirflow/weir/flow/rollup"
)

// flowTimes is each flow with the interval in which it is counted, ns, as docs/aggregation.md
// defines it.
const flowTimes = `SELECT *, b AS start, e AS end, e - b + 1 AS total FROM (
	SELECT *, if(e0 > r AND e0 - r > 60e9 OR r > e0 AND r - e0 > 86400e9, r, e0) AS e,
		greatest(if(e != e0 OR s0 = 0 OR s0 > e, e, s0), e - 7200000000000) AS b,
		e != e0 OR bitTest(quality, 2) AS skewed
	FROM (SELECT *, toUInt64(toUnixTimestamp64Nano(time_received_ns)) AS r, toUInt64(toUnixTimestamp64Nano(time_flow_start_ns)) AS s0,
		if(toUnixTimestamp64Nano(time_flow_end_ns) = 0, r, toUInt64(toUnixTimestamp64Nano(time_flow_end_ns))) AS e0 FROM flows))`

// parts spreads flows over windows of a length in ns, by the rule of the floors.
const parts = `SELECT *, w = intDiv(end, {L}) AS is_last,
		toUInt64(if(is_last, bytes, intDiv(toUInt128(bytes) * ((w + 1) * {L} - start), total))
			- if(w = intDiv(start, {L}), 0, intDiv(toUInt128(bytes) * (w * {L} - start), total))) AS part_bytes,
		toUInt64(if(is_last, packets, intDiv(toUInt128(packets) * ((w + 1) * {L} - start), total))
			- if(w = intDiv(start, {L}), 0, intDiv(toUInt128(packets) * (w * {L} - start), total))) AS part_packets,
		greatest(sampling_rate, 1) AS rate
	FROM (SELECT *, arrayJoin(range(intDiv(start, {L}), intDiv(end, {L}) + 1)) AS w FROM ({flows}))
	WHERE is_last OR part_bytes > 0 OR part_packets > 0`

// expected is the SQL that computes a rollup from flows.
func expected(r rollup.Rollup) string {
	length := fmt.Sprintf("toUInt64(%d)", r.Window.Nanoseconds())
	from := strings.NewReplacer("{L}", length, "{flows}", flowTimes).Replace(parts)
	window := "toUInt64(w * " + length + " / 1000000000)"
	if r.TimeZone != "" { // only flows are counted, at their ends
		from = "SELECT *, 1 AS is_last FROM (" + flowTimes + ")"
		window = fmt.Sprintf("toUInt64(toUnixTimestamp(toStartOfDay(fromUnixTimestamp64Nano(toInt64(end), '%s'))))", r.TimeZone)
	}
	if r.Name == "interfaces_1m" {
		from = `SELECT *, side.1 AS interface, side.2 AS direction, side.3 AS speed
			FROM (SELECT *, arrayJoin([(in_if, 0, in_if_speed), (out_if, 1, out_if_speed)]) AS side FROM (` + from + "))"
	}
	if r.Name == "ends_1m" {
		from = "SELECT *, side.1 AS host, side.2 AS direction FROM (SELECT *, arrayJoin([(src_addr, 0), (dst_addr, 1)]) AS side FROM (" + from + "))"
	}
	if r.Filter != "" {
		from = "SELECT * FROM (" + from + ") WHERE proto = 6 AND src_country IN ('DE', 'FR')"
	}
	columns := []string{window + " AS window"}
	for _, key := range r.Keys {
		columns = append(columns, "toString("+keySQL(key)+")")
	}
	if r.Top > 0 {
		columns = append(columns, "'0'")
	}
	measures := r.Measures
	if len(measures) == 0 {
		measures = rollup.StandardMeasures()
	}
	for _, m := range measures {
		columns = append(columns, "toUInt64("+map[string]string{
			"bytes": "sum(part_bytes)", "packets": "sum(part_packets)", "flows": "sum(is_last)",
			"bytes_scaled": "sum(part_bytes * rate)", "packets_scaled": "sum(part_packets * rate)",
			"max(packets)": "max(packets)", "min(bytes)": "min(bytes)", "max(interface_speed)": "max(speed)",
			"skewed_flows": "sum(is_last AND skewed)",
		}[m]+")")
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM (" + from + ") GROUP BY " + strings.Join(columns[:1+len(r.Keys)], ", ")
}

func keySQL(key string) string {
	const bits = "IPv6CIDRToRange(%[1]s, toUInt8(if(startsWith(toString(%[1]s), '::ffff:'), 96 + least(%[2]s, 32), %[3]s))).1"
	switch key {
	case "service_port":
		return "least(src_port, dst_port)"
	case "src_addr/20/48":
		return fmt.Sprintf(bits, "src_addr", "20", "48")
	case "dst_addr/mask":
		return fmt.Sprintf(bits, "dst_addr", "dst_net", "dst_net")
	default:
		return key
	}
}

// stored is the SQL that reads a rollup from its table.
func stored(r rollup.Rollup) string {
	keys, measures, err := r.Columns()
	if err != nil {
		panic(err)
	}
	columns := []string{"toUInt64(toUnixTimestamp(window_start)) AS window"}
	for _, k := range keys {
		columns = append(columns, "toString("+k.Name+")")
	}
	group := strings.Join(columns, ", ")
	for _, m := range measures {
		function := "sum"
		for _, f := range []string{"max", "min"} {
			if strings.Contains(m.Type, "("+f) {
				function = f
			}
		}
		columns = append(columns, "toUInt64("+function+"("+m.Name+"))")
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM " + r.Name + " GROUP BY " + group
}

// compare waits until a rollup has all flows and checks every row.
func (s *rollupStack) compare(r rollup.Rollup, flows uint64) {
	s.Helper()
	var missing, extra, rows uint64
	deadline := time.Now().Add(patience)
	for {
		var stored uint64
		if err := s.conn.QueryRow(s.Context(), "SELECT count() FROM flows").Scan(&stored); err != nil {
			s.Fatal(err)
		}
		missing, extra, rows = s.differences(r)
		if stored == flows && missing == 0 && extra == 0 && rows > 0 {
			s.Logf("%s: %d rows are as SQL over flows computes them", r.Name, rows)
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("%s: %d rows, %d missing, %d too many; %d of %d flows are stored", r.Name, rows, missing, extra, stored, flows)
		}
		<-time.After(500 * time.Millisecond)
	}
}

func (s *rollupStack) differences(r rollup.Rollup) (missing, extra, rows uint64) {
	s.Helper()
	for into, sql := range map[*uint64]string{
		&missing: "SELECT count() FROM (" + expected(r) + " EXCEPT " + stored(r) + ")",
		&extra:   "SELECT count() FROM (" + stored(r) + " EXCEPT " + expected(r) + ")",
		&rows:    "SELECT count() FROM (" + stored(r) + ")",
	} {
		if err := s.conn.QueryRow(s.Context(), sql).Scan(into); err != nil {
			s.Fatalf("%s\n%v", sql, err)
		}
	}
	return missing, extra, rows
}
