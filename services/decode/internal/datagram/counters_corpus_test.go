// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/capture"
	"github.com/weirflow/weir/test/corpus"
)

// tsharkColumns are the columns of tshark's fields. It does not know the records of hosts.
var tsharkColumns = map[string]string{
	"sflow_245.ifindex": "if_index", "sflow_245.iftype": "if_type", "sflow_245.ifspeed": "if_speed", "sflow_245.ifdirection": "if_direction",
	"sflow_245.ifinoct": "in_octets", "sflow_245.ifinpkt": "in_unicast_packets", "sflow_245.ifinmcast": "in_multicast_packets",
	"sflow_245.ifinbcast": "in_broadcast_packets", "sflow_245.ifindisc": "in_discards", "sflow_245.ifinerr": "in_errors",
	"sflow_245.ifinunk": "in_unknown_protocols", "sflow_245.ifoutoct": "out_octets", "sflow_245.ifoutpkt": "out_unicast_packets",
	"sflow_245.ifoutmcast": "out_multicast_packets", "sflow_245.ifoutbcast": "out_broadcast_packets",
	"sflow_245.ifoutdisc": "out_discards", "sflow_245.ifouterr": "out_errors", "sflow_245.ifpromisc": "promiscuous_mode",

	"sflow_245.dot3StatsAlignmentErrors": "alignment_errors", "sflow_245.dot3StatsFCSErrors": "fcs_errors",
	"sflow_245.dot3StatsSingleCollisionFrames":   "single_collision_frames",
	"sflow_245.dot3StatsMultipleCollisionFrames": "multiple_collision_frames", "sflow_245.dot3StatsSQETestErrors": "sqe_test_errors",
	"sflow_245.dot3StatsDeferredTransmissions": "deferred_transmissions", "sflow_245.dot3StatsLateCollisions": "late_collisions",
	"sflow_245.dot3StatsExcessiveCollisions":       "excessive_collisions",
	"sflow_245.dot3StatsInternalMacTransmitErrors": "internal_mac_transmit_errors",
	"sflow_245.dot3StatsCarrierSenseErrors":        "carrier_sense_errors", "sflow_245.dot3StatsFrameTooLongs": "frame_too_longs",
	"sflow_245.dot3StatsInternalMacReceiveErrors": "internal_mac_receive_errors", "sflow_245.dot3StatsSymbolErrors": "symbol_errors",

	"sflow_245.vlan_id": "vlan_id", "sflow_245.octets": "octets", "sflow_245.ucastPkts": "unicast_packets",
	"sflow_245.multicastPkts": "multicast_packets", "sflow_245.broadcastPkts": "broadcast_packets", "sflow_245.discards": "discards",

	"sflow.lag_port.attached_agg_id": "lag_attached_id", "sflow.lag_port.lacpdus.rx": "lag_lacpdus_rx",
	"sflow.lag_port.marker_pdus.rx": "lag_marker_pdus_rx", "sflow.lag_port.marker_response_pdus.rx": "lag_marker_response_pdus_rx",
	"sflow.lag_port.unknown.rx": "lag_unknown_rx", "sflow.lag_port.illegal.rx": "lag_illegal_rx",
	"sflow.lag_port.lacpdus.tx": "lag_lacpdus_tx", "sflow.lag_port.marker_pdus.tx": "lag_marker_pdus_tx",
	"sflow.lag_port.marker_response_pdus.tx": "lag_marker_response_pdus_tx",
}

// TestCountersAreThoseOfTshark: every counter that tshark finds in a capture of the corpus is there.
func TestCountersAreThoseOfTshark(t *testing.T) {
	t.Parallel()
	found := 0
	for _, path := range corpus.Captures(t) {
		name := strings.TrimSuffix(filepath.Base(path), ".pcap")
		text, err := os.ReadFile(filepath.Join(filepath.Dir(path), "second_opinion", name+".json"))
		if err != nil || !strings.Contains(string(text), "counters_sample") {
			continue
		}
		var tree any
		if err := json.Unmarshal(text, &tree); err != nil {
			t.Fatal(err)
		}
		want := map[string][]uint64{}
		tsharkCounters(tree, want)
		got := countersOf(t, path)
		for _, column := range slices.Sorted(maps.Keys(want)) {
			for _, v := range want[column] {
				if found++; !slices.Contains(got[column], v) {
					t.Errorf("%s: %s: %d is not among %d", name, column, v, got[column])
				}
			}
		}
	}
	if found < 200 {
		t.Errorf("only %d counters compared", found)
	}
}

// tsharkCounters adds the values of a tree by column.
func tsharkCounters(tree any, to map[string][]uint64) {
	switch node := tree.(type) {
	case []any:
		for _, v := range node {
			tsharkCounters(v, to)
		}
	case map[string]any:
		for k, v := range node {
			name, _, _ := strings.Cut(k, "#") // a repeated field has a number
			column := tsharkColumns[name]
			if text, ok := v.(string); ok && column != "" {
				n, _ := strconv.ParseUint(text, 10, 64)
				to[column] = append(to[column], n)
			}
			tsharkCounters(v, to)
		}
	}
}

// countersOf returns the counters of a capture by column.
func countersOf(t *testing.T, path string) map[string][]uint64 {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	packets, err := capture.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var whole capture.Assembler
	var counters flow.Counters
	d := New(testLimits)
	d.Collect(&counters)
	for {
		p, err := packets.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if udp, outcome := whole.Datagram(p); outcome == capture.Whole {
			feed(d, udp.Payload)
		}
	}
	values := map[string][]uint64{}
	for _, table := range []flow.CounterTable{flow.InterfaceCounters, flow.VLANCounters} {
		var r flow.CounterRow
		for row := range counters.TableRows(table) {
			counters.Row(table, row, &r)
			for i, info := range table.Columns() {
				values[info.Name] = append(values[info.Name], r.Number(i))
			}
		}
	}
	return values
}
