// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"encoding/binary"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/flow"
)

// TestTenThousandExportersMakeNoMoreSeriesThanTheCap: whoever can send from any address makes no more series of
// a metric than exporters have labels of their own, and one for the others.
func TestTenThousandExportersMakeNoMoreSeriesThanTheCap(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	s := newSequences(reg)
	for i := range uint32(10_000) {
		h := flow.Health{Gaps: 1, Missing: 1, MissingSamples: 1, Late: 1, Duplicates: 1, Resets: 1}
		binary.BigEndian.PutUint32(h.Exporter[12:], i)
		s.add(&h)
		h.Missing = -1 // came late
		s.add(&h)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if len(families) != 7 {
		t.Errorf("%d metrics have series, want all 7", len(families))
	}
	for _, f := range families {
		if got := len(f.GetMetric()); got != maxExporterLabels+1 {
			t.Errorf("%s has %d series, want %d", f.GetName(), got, maxExporterLabels+1)
		}
	}
}
