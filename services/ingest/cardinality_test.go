// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestTenThousandExportersMakeNoMoreSeriesThanTheCap: whoever can send from any address makes no more
// than max_exporters and one series of each metric and reason.
func TestTenThousandExportersMakeNoMoreSeriesThanTheCap(t *testing.T) {
	t.Parallel()
	reg, limit := prometheus.NewRegistry(), DefaultConfig().MaxExporters
	reasons := []string{notAllowed, unknownVersion, truncated, streamFull, disconnected, backlog}
	table := newExporters(newMetrics(reg), testPartitions, limit)
	for i := range uint32(10_000) {
		e := table.get(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 0x0a00_0000+i))))
		e.came(100)
		for _, reason := range reasons {
			e.refuse(reason)
		}
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{
		"weir_ingest_received_datagrams_total": limit + 1, "weir_ingest_received_bytes_total": limit + 1,
		"weir_ingest_refused_datagrams_total": (limit + 1) * len(reasons),
	}
	for _, f := range families {
		most, ok := want[f.GetName()]
		if !ok {
			most = 1 // its labels are none of exporters
		}
		if got := len(f.GetMetric()); got > most || ok && got < most {
			t.Errorf("%s has %d series, want %d", f.GetName(), got, most)
		}
		delete(want, f.GetName())
	}
	if len(want) > 0 {
		t.Errorf("without a series: %v", want)
	}
}
