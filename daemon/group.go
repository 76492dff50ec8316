// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Group runs several Runners as one and stops them in order, so that what flows
// from the first to the last can run dry:
//
//	stop member 0 ─▶ drain member 1 ─▶ stop member 1 ─▶ drain member 2 ─▶ ...
type Group struct {
	Members []Member
	// DrainTimeout bounds all Drain calls together.
	DrainTimeout time.Duration
}

// Member is one Runner of a Group.
type Member struct {
	Name   string
	Runner Runner
	// Drain, if set, returns when the member has nothing left to do or ctx ends.
	// It is called after the members before it have stopped.
	Drain func(ctx context.Context)
}

// Run runs all members until ctx ends or one of them returns; then it stops all
// of them. Nothing is drained after a member failed. Run returns the errors of
// the members; one that returned before it was told to is an error too.
func (g Group) Run(ctx context.Context) error {
	// Members must outlive ctx: they are stopped one after the other.
	base := context.WithoutCancel(ctx)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	drain, stopDraining := context.WithCancel(base)
	defer stopDraining()
	members := make([]*runningMember, len(g.Members))
	for i, m := range g.Members {
		members[i] = start(base, m, func() {
			stopDraining()
			stop()
		})
	}
	<-ctx.Done()
	timeout := time.AfterFunc(g.DrainTimeout, stopDraining)
	defer timeout.Stop()
	var errs []error
	for _, m := range members {
		if m.Drain != nil && drain.Err() == nil {
			m.Drain(drain)
		}
		errs = append(errs, m.stop())
	}
	return errors.Join(errs...)
}

// runningMember is a member between its start and its end.
type runningMember struct {
	Member
	cancel context.CancelFunc
	told   chan struct{} // closed when it is told to stop
	done   chan struct{} // closed when err is set
	err    error
}

// start runs m and calls failed when it returns an error or too early.
func start(ctx context.Context, m Member, failed func()) *runningMember {
	ctx, cancel := context.WithCancel(ctx)
	r := &runningMember{Member: m, cancel: cancel, told: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(r.done)
		defer cancel()
		if r.err = r.outcome(m.Runner.Run(ctx)); r.err != nil {
			failed()
		}
	}()
	return r
}

var errEndedEarly = errors.New("ended before it was told to")

// outcome judges what Run returned.
func (r *runningMember) outcome(err error) error {
	select {
	case <-r.told:
		if errors.Is(err, context.Canceled) {
			return nil
		}
	default:
		if err == nil {
			err = errEndedEarly
		}
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", r.Name, err)
	}
	return err
}

// stop tells the member to stop, waits until it has and returns its error.
func (r *runningMember) stop() error {
	close(r.told)
	r.cancel()
	<-r.done
	return r.err
}
