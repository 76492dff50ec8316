// SPDX-License-Identifier: Apache-2.0

package bus_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
)

// TestWhatIsFedIsThereOnceBesideWhatTheWriterAppends while both append to the same partition.
func TestWhatIsFedIsThereOnceBesideWhatTheWriterAppends(t *testing.T) {
	t.Parallel()
	const n, fed = 500, 100_000
	s := bustest.New(t)
	cfg := s.Config(1)
	feeder := s.Connect("operator", cfg)
	c := newClient(t, s)
	for v := uint64(fed); v < fed+20; v++ { // into a partition without a writer yet
		if err := feeder.Feed(t.Context(), bus.Flows, 0, &numbers{v: []uint64{v}}); err != nil {
			t.Fatal(err)
		}
	}
	start(t, s.Connect(bus.Decode, cfg), pass)
	done := make(chan error)
	go func() {
		var errs []error
		for v := uint64(fed + 20); v < fed+40; v++ {
			errs = append(errs, feeder.Feed(t.Context(), bus.Flows, 0, &numbers{v: []uint64{v}}))
		}
		done <- errors.Join(errs...)
	}()
	c.publish(0, 0, n)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	var want []uint64
	for v := range uint64(n) {
		want = append(want, v)
	}
	for v := range uint64(40) {
		want = append(want, fed+v)
	}
	c.until("all numbers", func() bool { return len(c.outputs(0)) >= n+40 })
	got := c.outputs(0)
	writers := slices.DeleteFunc(slices.Clone(got), func(v uint64) bool { return v >= fed })
	if !slices.IsSorted(writers) {
		t.Errorf("the writer's numbers are out of order: %v", writers)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
}
