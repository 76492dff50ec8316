// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// stage has the metrics of a service that reads a stream.
type stage struct {
	lag  prometheus.Gauge
	read prometheus.Counter
}

func newStage(reg prometheus.Registerer, name string) stage {
	labels := prometheus.Labels{"service": name, "stream": "X"}
	s := stage{
		lag:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "weir_bus_lag_messages", Help: "Lag.", ConstLabels: labels}),
		read: prometheus.NewCounter(prometheus.CounterOpts{Name: "weir_bus_read_messages_total", Help: "Read.", ConstLabels: labels}),
	}
	reg.MustRegister(s.lag, s.read)
	return s
}

func counter(reg prometheus.Registerer, name string, labels prometheus.Labels) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: "Any.", ConstLabels: labels})
	reg.MustRegister(c)
	return c
}

func TestStatusLineSumsWhatMetricsShow(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	counter(reg, "weir_ingest_received_datagrams_total", prometheus.Labels{"exporter": "192.0.2.1"}).Add(1000)
	counter(reg, "weir_ingest_received_datagrams_total", prometheus.Labels{"exporter": "192.0.2.2"}).Add(500)
	counter(reg, "weir_insert_rows_total", prometheus.Labels{"table": "flows"}).Add(1234567)
	counter(reg, "weir_insert_rows_total", prometheus.Labels{"table": "flows_5m"}).Add(99)
	newStage(reg, "decode").lag.Set(3)
	newStage(reg, "insert").lag.Set(4000)
	n, err := gather(reg)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 21, 12, 0, 5, 0, time.UTC)
	got := statusLine(now, n, numbers{datagrams: 1000}, 2*time.Second)
	const want = "12:00:05  datagrams 1 500 (250/s)  flows 0  rows 1 234 567 (617 284/s)  lag decode 3 enrich 0 aggregate 0 insert 4 000"
	if got != want {
		t.Errorf("status line is\n%s, want\n%s", got, want)
	}
}

func TestDrainWaitsUntilNothingIsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		s := newStage(reg, "decode")
		s.lag.Set(5)
		go func() {
			<-time.After(2 * time.Second)
			s.lag.Set(0)
			s.read.Add(5)
			<-time.After(300 * time.Millisecond)
			s.read.Add(1) // one more came
		}()
		began := time.Now()
		drained(reg, "decode", time.Second)(t.Context())
		took := time.Since(began)
		if want := 3300 * time.Millisecond; took < want || took > want+2*lookEvery {
			t.Errorf("drained after %v, want %v", took, want)
		}
	})
}

func TestDrainEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		newStage(reg, "decode").lag.Set(5)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		drained(reg, "decode", time.Second)(ctx)
		if ctx.Err() == nil {
			t.Error("drained while messages wait")
		}
	})
}
