// SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/daemon"
)

// runFunc is a Runner made of a function.
type runFunc func(context.Context) error

func (f runFunc) Run(ctx context.Context) error { return f(ctx) }

// events is what happened, in order.
type events struct {
	mu  sync.Mutex
	all []string
}

func (e *events) add(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, what)
}

func (e *events) list() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all)
}

// member runs until it is stopped and takes long to drain.
func (e *events) member(name string, drain time.Duration) daemon.Member {
	return daemon.Member{
		Name: name,
		Runner: runFunc(func(ctx context.Context) error {
			<-ctx.Done()
			e.add("stop " + name)
			return nil
		}),
		Drain: func(ctx context.Context) {
			select {
			case <-time.After(drain):
				e.add("drained " + name)
			case <-ctx.Done():
			}
		},
	}
}

func TestGroupStopsInOrderAndDrains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var e events
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		g := daemon.Group{Members: []daemon.Member{e.member("a", 0), e.member("b", 2*time.Second), e.member("c", time.Second)}, DrainTimeout: 10 * time.Second}
		if err := g.Run(ctx); err != nil {
			t.Fatal(err)
		}
		want := []string{"drained a", "stop a", "drained b", "stop b", "drained c", "stop c"}
		if diff := cmp.Diff(want, e.list()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestGroupDrainsForABoundedTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var e events
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		g := daemon.Group{Members: []daemon.Member{e.member("a", time.Hour), e.member("b", time.Second)}, DrainTimeout: 3 * time.Second}
		if err := g.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("stop took %v, want 3s", took)
		}
		if diff := cmp.Diff([]string{"stop a", "stop b"}, e.list()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestGroupFirstErrorStopsAllAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var e events
		broken := errors.New("broken")
		failing := daemon.Member{Name: "b", Runner: runFunc(func(context.Context) error { return broken })}
		g := daemon.Group{Members: []daemon.Member{e.member("a", time.Hour), failing, e.member("c", time.Hour)}, DrainTimeout: time.Hour}
		err := g.Run(t.Context())
		if !errors.Is(err, broken) || err.Error() != "b: broken" {
			t.Errorf("error is %v, want b: broken", err)
		}
		if diff := cmp.Diff([]string{"stop a", "stop c"}, e.list()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestGroupFailureWhileDrainingEndsTheDrain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var e events
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		failing := daemon.Member{Name: "b", Runner: runFunc(func(context.Context) error {
			<-time.After(time.Second)
			return errors.New("broken")
		})}
		g := daemon.Group{Members: []daemon.Member{e.member("a", time.Hour), failing}, DrainTimeout: time.Hour}
		began := time.Now()
		if err := g.Run(ctx); err == nil || err.Error() != "b: broken" {
			t.Errorf("error is %v, want b: broken", err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("stop took %v, want 1s", took)
		}
	})
}

func TestGroupMemberThatEndsByItselfIsAnError(t *testing.T) {
	t.Parallel()
	g := daemon.Group{Members: []daemon.Member{{Name: "a", Runner: runFunc(func(context.Context) error { return nil })}}}
	if err := g.Run(t.Context()); err == nil {
		t.Error("no error")
	}
}
