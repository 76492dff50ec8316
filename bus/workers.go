// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// workers runs one function for each partition that falls to this worker.
type workers struct {
	b       *Bus
	in      Stream
	members *members
	run     func(ctx context.Context, p int) // until ctx ends
	stop    map[int]func()                   // ends the run of a partition and waits for it
	joined  bool                             // the others are told of this worker
	since   time.Time                        // of being joined, or of listening before that
	last    time.Time                        // this process was awake
}

// work joins the group of b's stage on stream in and runs run for the partitions that fall
// to this worker, until ctx ends. Then it leaves, so that others take over at once.
func (b *Bus) work(ctx context.Context, in Stream, run func(ctx context.Context, p int)) error {
	if err := b.await(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	w := &workers{b: b, in: in, members: newMembers(b.stage + "." + in.Name), run: run, stop: map[int]func(){}}
	sub, err := b.nc.Subscribe(w.members.subject, w.members.hear)
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", w.members.subject, err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	b.log.Info("joined", "stream", in.Name, "member", w.members.id)
	w.loop(ctx)
	return nil
}

// loop keeps the partitions that fall to this worker, until ctx ends.
func (w *workers) loop(ctx context.Context) {
	beat, tick := time.NewTicker(heartbeat), time.NewTicker(reassign)
	defer beat.Stop()
	defer tick.Stop()
	w.listen(time.Now())
	for {
		select {
		case <-ctx.Done():
			w.leave()
			return
		case <-tick.C:
			w.step(time.Now())
		case <-beat.C:
			w.step(time.Now())
			w.tell()
		case <-w.members.changed: // whoever came need not wait for the next heartbeat
			w.step(time.Now())
			if w.joined {
				w.tell()
			}
		}
	}
}

// leave ends all partitions and says goodbye: when their last appends are done, or take so long that
// the others had better not wait for them.
func (w *workers) leave() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.keep(nil)
	}()
	select {
	case <-done:
	case <-time.After(2 * letGo):
	}
	w.announce(gone)
	<-done
}

// listen asks who is there. Whoever joins does so in three steps: it listens, it says that it is
// there, upon which the others let go of what becomes its own, and then it takes that.
func (w *workers) listen(now time.Time) {
	w.joined, w.since, w.last = false, now, now
	w.announce(who)
}

// step does what is due.
func (w *workers) step(now time.Time) {
	suspended, unheard := now.Sub(w.last) > memberTTL, w.members.unheard(now)
	w.last = now
	switch {
	case w.joined && (suspended || unheard >= 2*memberTTL):
		// The others have given this worker up: begin anew rather than take everything because
		// nobody was heard.
		w.b.log.Warn("was suspended or cut off from NATS, joining again", "stream", w.in.Name)
		w.members.forget()
		w.keep(nil)
		w.listen(time.Now())
	case unheard >= memberTTL: // what the others do is not known: leave things as they are
		w.since = now
	case !w.joined && now.Sub(w.since) >= hearOthers:
		w.joined, w.since = true, now
		w.tell()
	case w.joined && now.Sub(w.since) >= letGo:
		w.keep(assign(w.members.alive(now), w.b.cfg.Partitions))
		w.last = time.Now() // letting go may take a while
	}
}

// tell tells the others what this worker is to them.
func (w *workers) tell() {
	if w.joined {
		w.announce(here)
	} else {
		w.announce(who)
	}
}

// announce publishes a heartbeat. One that is lost costs nothing: more follow, or the others
// find out by themselves.
func (w *workers) announce(what byte) {
	_ = w.b.nc.Publish(w.members.subject, append([]byte{what}, w.members.id...))
	if what == gone {
		_ = w.b.nc.FlushTimeout(heartbeat)
	}
}

// keep runs exactly the partitions that owners gives to this worker.
func (w *workers) keep(owners []string) {
	var ending sync.WaitGroup
	for p, stop := range w.stop {
		if owners == nil || owners[p] != w.members.id {
			ending.Go(stop)
			delete(w.stop, p)
		}
	}
	ending.Wait()
	for p, id := range owners {
		if _, running := w.stop[p]; id == w.members.id && !running {
			w.stop[p] = w.start(p)
		}
	}
	w.b.m.partitions.WithLabelValues(w.in.Name).Set(float64(len(w.stop)))
}

func (w *workers) start(p int) (stop func()) {
	// Not a child of the caller's context: keep ends it, and so the goodbye comes after the last append.
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.run(ctx, p)
	}()
	go w.b.watchOf(w.in, p).run(ctx)
	return func() {
		cancel()
		<-done
	}
}
