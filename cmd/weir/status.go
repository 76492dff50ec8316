// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// status shows a line of numbers every so often. It is a daemon.Runner.
type status struct {
	screen   *screen
	gatherer prometheus.Gatherer
	interval time.Duration
}

// Run shows numbers until ctx ends, and once more then.
func (s *status) Run(ctx context.Context) error {
	if s.interval == 0 {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(s.interval)
	defer tick.Stop()
	defer s.screen.leave()
	var before numbers
	last := time.Now()
	for stopped := false; !stopped; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			stopped = true
		}
		n, err := gather(s.gatherer)
		if err != nil {
			return err
		}
		now := time.Now()
		s.screen.status(statusLine(now, n, before, now.Sub(last)))
		before, last = n, now
	}
	return nil
}

const (
	lookEvery = 100 * time.Millisecond
	// settled is how long a stage takes at most from reading a message to appending
	// what comes of it, when it has little to do.
	settled = 400 * time.Millisecond
)

// drained returns a function that waits until nothing waits for stage and it has
// read nothing for the time quiet.
func drained(g prometheus.Gatherer, stage string, quiet time.Duration) func(context.Context) {
	return func(ctx context.Context) {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		read, since := -1.0, time.Now()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			n, err := gather(g)
			if err != nil {
				return
			}
			if n.lag[stage] > 0 || n.read[stage] != read {
				read, since = n.read[stage], time.Now()
			} else if time.Since(since) >= quiet {
				return
			}
		}
	}
}
