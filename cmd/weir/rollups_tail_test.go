// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"context"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/flow/rollup"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// windowSums are the sums of a final window, with the corrections that came after.
type windowSums struct{ Rows, Bytes, Flows uint64 }

// finals reads ROLLUPS as weir rollups tail does, and keeps one rollup.
type finals struct {
	mu     sync.Mutex
	sums   map[int64]windowSums
	rows   map[string]bool
	missed bool // truncation was faster
}

// tailFinals reads until the test ends.
func (s *rollupStack) tailFinals(name string) *finals {
	s.Helper()
	f := &finals{sums: map[int64]windowSums{}, rows: map[string]bool{}}
	b := s.nats.Connect("tail", s.nats.Config(rollupPartitions))
	ctx, cancel := context.WithCancel(s.Context())
	var reading sync.WaitGroup
	library := rollup.NewFinals(rollupPartitions)
	reading.Go(func() {
		err := bus.Tail(ctx, b, bus.Rollups, func(at bus.Tailed, m *weirv1.RollupBatch) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.missed = f.missed || at.Gap
			for _, w := range library.Add(at.Partition, m) {
				if w.Rollup == name {
					f.add(w)
				}
			}
			return nil
		})
		if ctx.Err() == nil {
			s.Errorf("tail: %v", err)
		}
	})
	s.Cleanup(func() { cancel(); reading.Wait() })
	return f
}

func (f *finals) add(w rollup.Window) {
	sums := f.sums[w.Start.Unix()]
	for _, r := range w.Rows {
		id := w.Start.String()
		for _, k := range r.Keys {
			id += " " + k.String()
		}
		if !f.rows[id] {
			f.rows[id] = true
			sums.Rows++
		}
		for _, m := range r.Measures {
			switch m.Name {
			case "bytes":
				sums.Bytes += m.Number
			case "flows":
				sums.Flows += m.Number
			}
		}
	}
	f.sums[w.Start.Unix()] = sums
}

// compareFinals waits until all windows of a rollup are final and like those in its table.
func (s *rollupStack) compareFinals(f *finals, name, keys string) {
	s.Helper()
	want := map[int64]windowSums{}
	rows, err := s.conn.Query(s.Context(), "SELECT toInt64(toUnixTimestamp(window_start)), uniqExact("+keys+"), sum(bytes), sum(flows) FROM "+name+" GROUP BY window_start")
	if err != nil {
		s.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var start int64
		var w windowSums
		if err := rows.Scan(&start, &w.Rows, &w.Bytes, &w.Flows); err != nil {
			s.Fatal(err)
		}
		want[start] = w
	}
	if err := rows.Err(); err != nil {
		s.Fatal(err)
	}
	deadline := time.Now().Add(patience)
	for {
		f.mu.Lock()
		diff, missed := cmp.Diff(want, f.sums), f.missed
		f.mu.Unlock()
		switch {
		case missed:
			s.Fatal("partial sums were truncated before they were read, though ROLLUPS is far from full")
		case diff == "":
			s.Logf("%s: %d final windows are those of the table", name, len(want))
			return
		case time.Now().After(deadline):
			s.Fatalf("%s: -table +finals:\n%s", name, diff)
		}
		<-time.After(200 * time.Millisecond)
	}
}
