// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"maps"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/refusal"
)

// countersSample makes a sample of interface 3.
func countersSample(records u32, body ...any) []byte {
	b := wire(u32(7), u32(3), records, wire(body...))
	return wire(u32(2), u32(len(b)), b)
}

// generic is a record of an interface, with the numbers of the specification's structure in order.
func generic(index u32) []byte {
	return flowRecord(1, index, u32(6), u64(10_000_000_000), u32(1), u32(3), u64(1<<40), u32(1), u32(2), u32(3), u32(4), u32(5), u32(6),
		u64(1<<41), u32(7), u32(8), u32(9), u32(10), u32(11), u32(0))
}

// collect decodes datagrams of one exporter and returns the rows of a table, by column without
// what is 0 and those that every table has.
func collect(t *testing.T, d *Decoder, table flow.CounterTable, datagrams ...[]byte) []map[string]any {
	t.Helper()
	var c flow.Counters
	d.Collect(&c)
	feed(d, datagrams...)
	rows := []map[string]any{}
	for i := range c.TableRows(table) {
		var r flow.CounterRow
		c.Row(table, i, &r)
		row := map[string]any{}
		for i, info := range table.Columns() {
			switch v := r.Number(i); {
			case info.Kind == flow.Text && r.Text(i) != "":
				row[info.Name] = r.Text(i)
			case info.Kind == flow.Number && v != 0:
				row[info.Name] = int(v) //nolint:gosec // test values are small
			}
		}
		want := map[string]any{"time_received_ns": receivedNs, "uptime_ms": uptime}
		if table == flow.ExporterStatistics {
			delete(want, "uptime_ms")
		}
		for name, v := range want {
			if row[name] != v {
				t.Errorf("row %d: %s is %v, want %v", i, name, row[name], v)
			}
		}
		if r.Address() != testExporter.As16() {
			t.Errorf("row %d: sampler_address is %v", i, r.Address())
		}
		maps.DeleteFunc(row, func(name string, _ any) bool { _, ok := want[name]; return ok })
		rows = append(rows, row)
	}
	return rows
}

func TestSFlowCountersOfInterfaces(t *testing.T) {
	t.Parallel()
	ethernet := flowRecord(2, u32(21), u32(22), u32(23), u32(24), u32(25), u32(26), u32(27), u32(28), u32(29), u32(30), u32(31), u32(32), u32(33))
	lag := flowRecord(7, [8]byte{2, 5: 1}, [8]byte{2, 5: 2}, u32(100), [4]byte{1, 2, 3, 4}, u32(41), u32(42), u32(43), u32(44), u32(45), u32(46), u32(47), u32(48))
	name := flowRecord(1005, u32(5), []byte("ge0/1\x00\x00\x00"))
	openflow := flowRecord(1004, u64(9), u32(8))
	expanded := wire(u32(8), u32(0), u32(70_000), u32(1), lag)
	d := New(testLimits)
	got := collect(t, d, flow.InterfaceCounters, sflowDatagram(2,
		countersSample(4, ethernet, generic(3), name, openflow), u32(4), u32(len(expanded)), expanded))
	want := []map[string]any{
		{
			"sequence_num": 7, "source_index": 3,
			"if_index": 3, "if_type": 6, "if_speed": 10_000_000_000, "if_direction": 1, "if_status": 3,
			"in_octets": 1 << 40, "in_unicast_packets": 1, "in_multicast_packets": 2, "in_broadcast_packets": 3, "in_discards": 4, "in_errors": 5, "in_unknown_protocols": 6,
			"out_octets": 1 << 41, "out_unicast_packets": 7, "out_multicast_packets": 8, "out_broadcast_packets": 9, "out_discards": 10, "out_errors": 11,
			"alignment_errors": 21, "fcs_errors": 22, "single_collision_frames": 23, "multiple_collision_frames": 24, "sqe_test_errors": 25,
			"deferred_transmissions": 26, "late_collisions": 27, "excessive_collisions": 28, "internal_mac_transmit_errors": 29,
			"carrier_sense_errors": 30, "frame_too_longs": 31, "internal_mac_receive_errors": 32, "symbol_errors": 33,
			"if_name": "ge0/1", "openflow_datapath_id": 9, "openflow_port": 8,
		},
		{
			"sequence_num": 8, "source_index": 70_000, "if_index": 70_000, // the source, since no record says it
			"lag_actor_system_id": 0x020000000001, "lag_partner_system_id": 0x020000000002, "lag_attached_id": 100,
			"lag_actor_admin_state": 1, "lag_actor_oper_state": 2, "lag_partner_admin_state": 3, "lag_partner_oper_state": 4,
			"lag_lacpdus_rx": 41, "lag_marker_pdus_rx": 42, "lag_marker_response_pdus_rx": 43, "lag_unknown_rx": 44, "lag_illegal_rx": 45,
			"lag_lacpdus_tx": 46, "lag_marker_pdus_tx": 47, "lag_marker_response_pdus_tx": 48,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	checkRefused(t, d, nil)
}

func TestSFlowCountersOfVLANsAndHosts(t *testing.T) {
	t.Parallel()
	vlans := wire(flowRecord(5, u32(10), u64(1000), u32(1), u32(2), u32(3), u32(4)), flowRecord(5, u32(11), u64(2000), u32(0), u32(0), u32(0), u32(0)))
	got := collect(t, New(testLimits), flow.VLANCounters, sflowDatagram(1, countersSample(2, vlans)))
	want := []map[string]any{
		{"sequence_num": 7, "source_index": 3, "vlan_id": 10, "octets": 1000, "unicast_packets": 1, "multicast_packets": 2, "broadcast_packets": 3, "discards": 4},
		{"sequence_num": 7, "source_index": 3, "vlan_id": 11, "octets": 2000},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("VLANs (-want +got):\n%s", diff)
	}

	host := wire(
		flowRecord(2000, u32(3), []byte("web\x00"), [16]byte{0x12, 0x34, 15: 0xff}, u32(3), u32(2), u32(4), []byte("6.12")),
		flowRecord(2001, u32(1), u32(2), u32(1), [8]byte{2}), // adapters
		flowRecord(2002, u32(3), u32(1)),
		flowRecord(2003, math.Float32bits(0.5), u32(0), u32(0), u32(4), u32(300), u32(8), u32(2400), u32(86400),
			u32(1), u32(2), u32(3), u32(4), u32(5), u32(6), u32(7), u32(8), u32(9)), // without what came later
		flowRecord(2004, u64(1<<34), u64(1<<33), u64(1), u64(2), u64(3), u64(1<<30), u64(1<<29), u32(4), u32(5), u32(6), u32(7)),
		flowRecord(2005, u64(1<<40), u64(1<<39), u32(5000), u32(1), u64(2), u32(3), u32(4), u64(5), u32(6)),
		flowRecord(2006, u64(1<<35), u32(1), u32(2), u32(3), u64(1<<36), u32(4), u32(5), u32(6)),
		flowRecord(1001, u32(1000), u32(2000), u32(3000), u64(1<<32), u64(1<<31)),
	)
	d := New(testLimits)
	got = collect(t, d, flow.HostCounters, sflowDatagram(1, countersSample(8, host)))
	want = []map[string]any{{
		"sequence_num": 7, "source_index": 3,
		"host_name": "web", "uuid": "12340000-0000-0000-0000-0000000000ff", "machine_type": 3, "os_name": 2, "os_release": "6.12",
		"parent_type": 3, "parent_index": 1,
		"load_one": int(math.Float32bits(0.5)), "processes_running": 4, "processes": 300, "cpus": 8, "cpu_speed": 2400, "host_uptime": 86400,
		"cpu_user": 1, "cpu_nice": 2, "cpu_system": 3, "cpu_idle": 4, "cpu_wait": 5, "cpu_interrupt": 6, "cpu_soft_interrupt": 7, "interrupts": 8, "context_switches": 9,
		"memory_total": 1 << 34, "memory_free": 1 << 33, "memory_shared": 1, "memory_buffers": 2, "memory_cached": 3, "swap_total": 1 << 30, "swap_free": 1 << 29,
		"page_in": 4, "page_out": 5, "swap_in": 6, "swap_out": 7,
		"disk_total": 1 << 40, "disk_free": 1 << 39, "disk_partition_max_used": 5000, "disk_reads": 1, "disk_bytes_read": 2, "disk_read_time": 3,
		"disk_writes": 4, "disk_bytes_written": 5, "disk_write_time": 6,
		"net_bytes_in": 1 << 35, "net_packets_in": 1, "net_errors_in": 2, "net_drops_in": 3, "net_bytes_out": 1 << 36, "net_packets_out": 4, "net_errors_out": 5, "net_drops_out": 6,
		"processor_5s": 1000, "processor_1m": 2000, "processor_5m": 3000, "processor_memory_total": 1 << 32, "processor_memory_free": 1 << 31,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("host (-want +got):\n%s", diff)
	}
	checkRefused(t, d, nil)
}

func TestSFlowCountersOfTransceivers(t *testing.T) {
	t.Parallel()
	body := wire(u32(9), u32(4), u32(3300), u32(0xffffff38), u32(2), // -200: 0.2 degrees below zero
		u32(1), u32(6000), u32(500), u32(400), u32(600), u32(1310), u32(450), u32(300), u32(550), u32(1310),
		u32(2), u32(6001), u32(501), u32(401), u32(601), u32(1311), u32(451), u32(301), u32(551), u32(1311))
	d := New(testLimits)
	got := collect(t, d, flow.OpticalCounters, sflowDatagram(1, countersSample(1, flowRecord(10, body))))
	want := []map[string]any{
		{
			"sequence_num": 7, "source_index": 3, "module_id": 9, "module_lanes": 4, "supply_voltage": 3300, "temperature": 0xffffff38,
			"lane": 1, "tx_bias_current": 6000, "tx_power": 500, "tx_power_min": 400, "tx_power_max": 600, "tx_wavelength": 1310,
			"rx_power": 450, "rx_power_min": 300, "rx_power_max": 550, "rx_wavelength": 1310,
		},
		{
			"sequence_num": 7, "source_index": 3, "module_id": 9, "module_lanes": 4, "supply_voltage": 3300, "temperature": 0xffffff38,
			"lane": 2, "tx_bias_current": 6001, "tx_power": 501, "tx_power_min": 401, "tx_power_max": 601, "tx_wavelength": 1311,
			"rx_power": 451, "rx_power_min": 301, "rx_power_max": 551, "rx_wavelength": 1311,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	checkRefused(t, d, nil)
	d = New(testLimits)
	if rows := collect(t, d, flow.OpticalCounters, sflowDatagram(1, countersSample(1, flowRecord(10, body[:len(body)-4])))); len(rows) != 1 {
		t.Errorf("%d rows of a cut record, want that of its first lane", len(rows))
	}
	checkRefused(t, d, map[refusal.Reason]uint64{refusal.RecordMalformed: 1})
}

// The octets of the other structures, by sflow.org's texts: 28, 12, 16, 52, 40, 40 and 24.
func TestSFlowCountersOfVirtualMachinesAndApplications(t *testing.T) {
	t.Parallel()
	for format, octets := range map[u32]int{2100: 28, 2101: 12, 2102: 16, 2103: 52, 2104: 40, 2203: 40, 2207: 24} {
		body := make([]byte, octets)
		body[octets-1] = byte(format)
		d := New(testLimits)
		rows := collect(t, d, flow.HostCounters, sflowDatagram(1, countersSample(1, flowRecord(format, body))))
		if len(rows) != 1 || len(rows[0]) != 3 { // with source and sequence
			t.Errorf("record %d: %v, want one value", format, rows)
		}
		checkRefused(t, d, nil)
		d = New(testLimits)
		collect(t, d, flow.HostCounters, sflowDatagram(1, countersSample(1, flowRecord(format, body[:octets-1]))))
		checkRefused(t, d, map[refusal.Reason]uint64{refusal.RecordMalformed: 1})
	}
}

func TestSFlowCountersThatAreNotReadAreCounted(t *testing.T) {
	t.Parallel()
	d := New(testLimits)
	cut := countersSample(9, generic(3), generic(4)[:50])
	got := collect(t, d, flow.InterfaceCounters, sflowDatagram(3, cut,
		countersSample(2, flowRecord(9<<12|1, u32(1)), flowRecord(4, u32(1))), // of another enterprise; 100BaseVG
		u32(2), u32(8), u64(1))) // a sample that ends in its head
	if len(got) != 1 || got[0]["if_index"] != 3 {
		t.Errorf("rows %v, want one", got)
	}
	checkRefused(t, d, map[refusal.Reason]uint64{refusal.RecordMalformed: 1, refusal.CounterUnknown: 2, refusal.SampleMalformed: 1})
}

// Records as RFC 7011 section 4 has them, and those of a selector (RFC 5476 section 6.5.3).
func TestStatisticsOfExporters(t *testing.T) {
	t.Parallel()
	process := set(3, u16(400), u16(5), u16(2), []u16{149, 4, 144, 4, 41, 8, 42, 8, 40, 8})
	reliability := set(3, u16(401), u16(4), u16(1), []u16{143, 4, 164, 4, 165, 8, 166, 8})
	selector := set(3, u16(402), u16(3), u16(1), []u16{302, 8, 318, 8, 319, 8})
	names := set(3, u16(403), u16(2), u16(1), []u16{10, 4, 82, 4}) // counts nothing
	old := set(1, u16(400), u16(4), u16(12), []u16{1, 4, 41, 4, 42, 4, 36, 2})
	d := New(testLimits)
	got := collect(t, d, flow.ExporterStatistics,
		ipfixMessage(1, 7, process, reliability, selector, names,
			set(400, u32(7), u32(2), u64(100), u64(2000), u64(1<<40)), set(401, u32(3), u32(5), u64(500), u64(6)),
			set(402, u64(9), u64(1_000_000), u64(1000)), set(403, u32(5), []byte("ge0 "))),
		v9(1, 8, old, set(400, u32(0), u32(10), u32(200), u16(60))))
	want := []map[string]any{
		{"protocol": 4, "observation_domain_id": 7, "exporting_process_id": 2, "exported_messages": 100, "exported_flow_records": 2000, "exported_octets": 1 << 40},
		{"protocol": 4, "observation_domain_id": 7, "metering_process_id": 3, "ignored_packets": 5, "ignored_octets": 500, "not_sent_flows": 6},
		{"protocol": 4, "observation_domain_id": 7, "selector_id": 9, "packets_observed": 1_000_000, "packets_selected": 1000},
		{"protocol": 3, "observation_domain_id": 8, "exported_messages": 10, "exported_flow_records": 200, "flow_active_timeout": 60},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	checkRefused(t, d, nil)

	many := set(3, u16(400), u16(2), u16(1), []u16{144, 1, 41, 1})
	d = New(testLimits)
	if n := len(collect(t, d, flow.ExporterStatistics, ipfixMessage(1, 7, many, set(400, make([]byte, 2*70))))); n != 64 {
		t.Errorf("%d rows of a message, want 64 at most", n)
	}
	checkRefused(t, d, map[refusal.Reason]uint64{refusal.RecordLimit: 6})
}
