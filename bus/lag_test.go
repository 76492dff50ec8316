// SPDX-License-Identifier: Apache-2.0

package bus_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
)

// value returns the sum of the series of a metric.
func value(t *testing.T, reg prometheus.Gatherer, name string) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return sum
}

func TestLagGrowsWhileAStageStands(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	c := newClient(t, s)
	s.Connect(bus.Ingest, s.Config(1)) // makes the streams
	reg := registry()
	b, err := bus.Connect(t.Context(), s.Config(1), bus.Decode, discard(), reg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	stands, goOn := make(chan struct{}), make(chan struct{})
	start(t, b, func(in, out *numbers) error {
		if in.v[0] == 5 {
			close(stands)
			<-goOn
		}
		return pass(in, out)
	})
	c.publish(0, 0, 6)
	<-stands
	for _, n := range []uint64{50, 100, 300} {
		c.publish(0, n-40, n)
	}
	// One of the 120 may have been taken before the stage stood, to be handled next.
	c.until("the lag to be what waits", func() bool { n := value(t, reg, "weir_bus_lag_messages"); return n == 119 || n == 120 })
	c.until("the stream to be measured", func() bool {
		held, room := value(t, reg, "weir_bus_stream_bytes"), value(t, reg, "weir_bus_stream_limit_bytes")
		return held > 0 && held < room
	})
	close(goOn)
	c.until("nothing to wait", func() bool { return value(t, reg, "weir_bus_lag_messages") == 0 })
}
