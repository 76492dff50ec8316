// SPDX-License-Identifier: Apache-2.0

package main

import (
	"log/slog"
	"testing"
	"time"

	"github.com/weirflow/weir/bus"
)

// statesAt are states of an exporter that belong to datagrams of these seconds.
func statesAt(seconds ...int64) (all []bus.State) {
	for _, s := range seconds {
		all = append(all, bus.State{Position: bus.Position{Time: time.Unix(s, 0).UnixNano()}})
	}
	return all
}

func TestReplayBeginsWithWhatWasToldBefore(t *testing.T) {
	t.Parallel()
	long := make([]int64, bus.StateHistory)
	for i := range long {
		long[i] = int64(200 + i)
	}
	for _, tt := range []struct {
		name  string
		all   []bus.State
		want  int64 // second of the state, 0 for none
		begin int64
	}{
		{"the last before the begin", statesAt(10, 20, 30), 20, 25},
		{"not one of the first datagram", statesAt(10, 20), 10, 20},
		{"nothing of an exporter that came later", statesAt(30, 40), 0, 25},
		{"the oldest that is kept, where older ones are gone", statesAt(long...), 200, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, known := asOf(slog.New(slog.DiscardHandler), "key", tt.all, time.Unix(tt.begin, 0))
			if known != (tt.want != 0) || known && s.Position.Time != time.Unix(tt.want, 0).UnixNano() {
				t.Errorf("got %v, known %v, want second %d", time.Unix(0, s.Position.Time), known, tt.want)
			}
		})
	}
}
