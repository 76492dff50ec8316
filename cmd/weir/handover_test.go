// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/weirflow/weir/test/traffic"
)

// reset forgets how long stages stood so far.
func (w *pauses) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.stages {
		s.longest = 0
	}
}

// longest returns the longest time that a partition of a stage stood.
func (w *pauses) longest(stage string) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.stages[stage]; s != nil {
		return s.longest
	}
	return 0
}

// moved returns when the partition of a stage that stands longest has moved last.
func (w *pauses) moved(stage string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []time.Time
	if s := w.stages[stage]; s != nil {
		for _, at := range s.moved {
			all = append(all, at)
		}
	}
	if len(all) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(all, time.Time.Compare)
}

// slack is for the tests that run at the same time.
const slack = 3

// Processes join, leave, are killed and suspended; the datagrams of all exporters go on being decoded.
func TestPartitionsOfProcessesGoOn(t *testing.T) {
	t.Parallel()
	c := &cluster{stack: &stack{t: t, flows: freeUDP(t)}, folder: t.TempDir()}
	c.common = []string{"--config", c.write("weir.yaml", "nats:\n  max_bytes: 1GiB\n"), "--http.listen", ""}
	c.startNATS()
	c.makeStreams()
	c.add("ingest", false)
	c.add("decode", false)
	second := c.add("decode", false)
	third := c.newWorker("decode", false)
	cfg := traffic.DefaultLoadConfig()
	cfg.To, cfg.Exporters, cfg.Rate, cfg.Protocols = netip.MustParseAddrPort(c.flows), 32, 20_000, []traffic.Protocol{traffic.NetFlow5}
	load, err := traffic.NewLoad(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	t.Cleanup(func() { cancel(); <-ended; load.Close() })
	go func() {
		defer close(ended)
		if err := load.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	stands := watchPauses(t, "nats://"+c.nats)
	for _, step := range []struct {
		name string
		do   func()
		most time.Duration
	}{
		{"the load begins", func() {}, patience},
		{"a process joins", func() { c.mustStart(third.process) }, time.Second},
		{"a process leaves", third.stop, time.Second},
		{"a process is suspended", second.suspend, 3 * time.Second},
		{"it wakes up", second.resume, time.Second},
		{"a process is killed", second.kill, 3 * time.Second},
	} {
		stands.reset()
		begin := time.Now()
		step.do()
		const whole = 4 * time.Second // until every partition went on for a while behind the step
		c.until("all partitions to go on", func() bool { return stands.moved("decode").After(begin.Add(whole)) })
		longest := stands.longest("decode")
		t.Logf("%s: longest pause %v", step.name, longest.Round(time.Millisecond))
		if longest > slack*step.most {
			t.Errorf("%s: a partition stood for %v, want at most %v, and %d times that where other tests run", step.name, longest, step.most, slack)
		}
	}
}
