// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// Kinds of faults, and how often each is made beside the others.
const (
	killWorker    = "kill -9 of a service"
	suspendWorker = "suspended service"
	cutWorker     = "connection of a service cut"
	stillWorker   = "connection of a service stands still"
	scale         = "scaled up and down"
	killNATS      = "kill -9 of NATS"
	killDatabase  = "kill -9 of ClickHouse"
	databaseAway  = "ClickHouse away"
)

func shares() map[string]int {
	return map[string]int{
		killWorker: 10, suspendWorker: 6, cutWorker: 3, stillWorker: 3, scale: 3, killNATS: 3, killDatabase: 2, databaseAway: 1,
	}
}

func kinds() []string {
	return []string{killWorker, suspendWorker, cutWorker, stillWorker, scale, killNATS, killDatabase, databaseAway}
}

// faults makes faults at random, several at a time but never two of one process.
type faults struct {
	c      *cluster
	rand   *rand.Rand
	every  time.Duration // from one to the next
	longer time.Duration // than the others take to give a worker up
	away   time.Duration // of ClickHouse

	made    map[string]int
	gone    time.Time // when ClickHouse went away the last time
	aborts  int       // of ClickHouse, by itself
	running sync.WaitGroup
	mu      sync.Mutex
	busy    map[*process]bool
	extra   map[string]*worker // by service: what scaling adds
	errs    []error
}

func newFaults(t *testing.T, c *cluster, r *rand.Rand, every, away time.Duration) *faults {
	t.Helper()
	f := &faults{
		c: c, rand: r, every: every, longer: 2500 * time.Millisecond, away: away,
		made: map[string]int{}, busy: map[*process]bool{}, extra: map[string]*worker{},
	}
	for _, service := range []string{"decode", "enrich", "aggregate", "insert"} {
		f.extra[service] = c.newWorker(service, false)
	}
	return f
}

// run makes faults until ctx ends, and then waits until all are mended.
func (f *faults) run(ctx context.Context) {
	tick := time.NewTicker(f.every)
	defer tick.Stop()
	for {
		f.supervise()
		f.one()
		select {
		case <-ctx.Done():
			f.running.Wait()
			f.supervise()
			return
		case <-tick.C:
		}
	}
}

// supervise starts ClickHouse again where it has ended by itself, as whoever runs it does: its engine
// aborts now and then when it is started right after kill -9.
func (f *faults) supervise() {
	p := f.c.clickhouse
	if len(p.ends()) == f.aborts || !f.take(p) {
		return
	}
	defer f.release(p)
	f.aborts = len(p.ends())
	f.start(p)
}

// one makes the next fault, if its process has none already.
func (f *faults) one() {
	kind := f.choose()
	var p *process
	var do func()
	switch kind {
	case killNATS:
		p = f.c.server
		pause := f.between(0, 1500*time.Millisecond)
		do = func() { f.restart(p, pause) }
	case killDatabase:
		p = f.c.clickhouse
		do = func() { f.restart(p, 0) }
	case databaseAway:
		if time.Since(f.gone) < 5*f.away { // or it would hardly be there
			return
		}
		p = f.c.clickhouse
		do = func() { f.restart(p, f.away) }
	case scale:
		w := f.extra[[]string{"decode", "enrich", "aggregate", "insert"}[f.rand.IntN(4)]]
		p = w.process
		do = func() { f.scale(w) }
	default:
		w := f.c.workers[f.rand.IntN(len(f.c.workers))]
		p, do = w.process, f.workerFault(kind, w)
	}
	if do == nil || !f.take(p) {
		return
	}
	if kind == databaseAway {
		f.gone = time.Now()
	}
	f.made[kind]++
	f.c.t.Logf("%s %s: %s", time.Now().Format(time.TimeOnly), kind, p.name)
	f.running.Go(func() {
		defer f.release(p)
		do()
	})
}

// choose takes each kind once before chance decides.
func (f *faults) choose() string {
	sum := 0
	for _, kind := range kinds() {
		if f.made[kind] == 0 {
			return kind
		}
		sum += shares()[kind]
	}
	n := f.rand.IntN(sum)
	for _, kind := range kinds() {
		if n -= shares()[kind]; n < 0 {
			return kind
		}
	}
	return killWorker
}

// workerFault returns nil where the worker can't have the fault.
func (f *faults) workerFault(kind string, w *worker) func() {
	pause := f.between(0, 2*time.Second)
	long := f.longer + f.between(0, 2*time.Second)
	switch {
	case kind == killWorker:
		return func() { f.restart(w.process, pause) }
	case kind == suspendWorker:
		return func() {
			w.suspend()
			f.wait(long)
			w.resume()
		}
	case w.line == nil:
		return nil
	default:
		return func() {
			w.line.set(kind == cutWorker, kind == stillWorker)
			f.wait(long)
			w.line.set(false, false)
		}
	}
}

func (f *faults) scale(w *worker) {
	f.start(w.process)
	f.wait(2 * f.longer)
	w.stop()
}

// restart kills a process and starts it again after a while.
func (f *faults) restart(p *process, after time.Duration) {
	p.kill()
	f.wait(after)
	f.start(p)
}

func (f *faults) start(p *process) {
	if err := p.start(); err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.errs = append(f.errs, err)
	}
}

// wait lets a fault last.
func (*faults) wait(d time.Duration) { <-time.After(d) }

func (f *faults) between(least, most time.Duration) time.Duration {
	return least + time.Duration(f.rand.Int64N(int64(most-least)))
}

func (f *faults) take(p *process) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.busy[p] {
		return false
	}
	f.busy[p] = true
	return true
}

func (f *faults) release(p *process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.busy, p)
}

// all returns how many faults were made.
func (f *faults) all() (n int) {
	for _, made := range f.made {
		n += made
	}
	return n
}
