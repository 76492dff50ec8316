// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// pauses watches how long the partitions of each stage stand while input waits for them, by the
// times at which the server has stored inputs and outputs.
type pauses struct {
	mu     sync.Mutex
	inputs map[string]*arrivals    // by subject
	stages map[string]*stageStands // by name
}

// arrivals are the messages of a subject, in order.
type arrivals struct {
	seqs  []uint64
	times []time.Time
}

// stageStands is how long a stage stood.
type stageStands struct {
	longest time.Duration
	where   string
	covered map[string]uint64    // by input subject
	moved   map[string]time.Time // last progress, by input subject
}

// watchPauses watches until the test ends.
func watchPauses(t *testing.T, url string) *pauses {
	t.Helper()
	nc, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond), nats.PingInterval(2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	w := &pauses{inputs: map[string]*arrivals{}, stages: map[string]*stageStands{}}
	outputs := []struct{ stream, stage, input string }{
		{"DATAGRAMS", "", ""},
		{"FLOWS", "decode", "datagrams"},
		{"ENRICHED", "enrich", "flows"},
		{"ROLLUPS", "aggregate", "enriched"},
	}
	for _, o := range outputs {
		w.follow(t, js, o.stream, func(m jetstream.Msg, md *jetstream.MsgMetadata) {
			w.came(m.Subject(), md.Sequence.Stream, md.Timestamp)
			var seq uint64
			if _, err := fmt.Sscan(m.Headers().Get("Weir-Position"), &seq); err == nil && o.stage != "" {
				_, p, _ := strings.Cut(m.Subject(), ".")
				w.progress(o.stage, o.input+"."+p, seq, md.Timestamp)
			}
		})
	}
	w.follow(t, js, "KV_INTENTS", func(m jetstream.Msg, md *jetstream.MsgMetadata) {
		var ledger struct {
			Covered map[int]struct{ Seq uint64 } `json:"covered"`
		}
		if !strings.HasSuffix(m.Subject(), ".ENRICHED") || json.Unmarshal(m.Data(), &ledger) != nil {
			return
		}
		for p, pos := range ledger.Covered {
			w.progress("insert", fmt.Sprintf("enriched.%d", p), pos.Seq, md.Timestamp)
		}
	})
	return w
}

// follow calls do for each message of a stream, those that come again after a reconnection once.
func (w *pauses) follow(t *testing.T, js jetstream.JetStream, stream string, do func(jetstream.Msg, *jetstream.MsgMetadata)) {
	t.Helper()
	consumer, err := js.OrderedConsumer(t.Context(), stream, jetstream.OrderedConsumerConfig{HeadersOnly: stream != "KV_INTENTS"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := consumer.Consume(func(m jetstream.Msg) {
		if md, err := m.Metadata(); err == nil {
			do(m, md)
		}
	}, jetstream.PullHeartbeat(time.Second), jetstream.PullExpiry(5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	context.AfterFunc(t.Context(), ctx.Stop)
}

func (w *pauses) came(subject string, seq uint64, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.inputs[subject]
	if a == nil {
		a = &arrivals{}
		w.inputs[subject] = a
	}
	a.seqs, a.times = append(a.seqs, seq), append(a.times, at)
}

// progress notes that a stage has covered the messages of subject up to seq. It stood since it
// covered something before, or since the first message came that it had not covered.
func (w *pauses) progress(stage, subject string, seq uint64, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stages[stage]
	if s == nil {
		s = &stageStands{covered: map[string]uint64{}, moved: map[string]time.Time{}}
		w.stages[stage] = s
	}
	if seq <= s.covered[subject] {
		return
	}
	since := s.moved[subject]
	if a := w.inputs[subject]; a != nil {
		if first := a.after(s.covered[subject]); first.After(since) {
			since = first
		}
	}
	if !since.IsZero() && at.Sub(since) > s.longest {
		s.longest, s.where = at.Sub(since), fmt.Sprintf("%s at %s", subject, at.Format(time.TimeOnly))
	}
	s.covered[subject], s.moved[subject] = seq, at
}

// after returns when the first message behind seq came, zero where it is not known.
func (a *arrivals) after(seq uint64) time.Time {
	i, _ := slices.BinarySearch(a.seqs, seq+1)
	if i == len(a.seqs) {
		return time.Time{}
	}
	return a.times[i]
}
