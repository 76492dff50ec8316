// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
)

const (
	heartbeat  = 500 * time.Millisecond
	memberTTL  = 2 * time.Second        // unseen for this long is gone
	hearOthers = 300 * time.Millisecond // before the first heartbeat
	reassign   = 100 * time.Millisecond
	// letGo is what the others have, from the first heartbeat of a member, to append what they hold
	// of the partitions that become its own.
	letGo = 150 * time.Millisecond
)

// members knows the workers of a group from their heartbeats on core NATS. It is a hint for
// who works on what; see the package comment for what makes it safe.
type members struct {
	id      string
	subject string
	changed chan struct{} // somebody came, left or asks

	mu   sync.Mutex
	seen map[string]time.Time
	// echo is when a heartbeat of this member came back: without them it is cut off, and the
	// others take it for gone.
	echo time.Time
}

// Heartbeats are the id behind one of these octets.
const (
	here = '+'
	gone = '-'
	// who asks the others for a heartbeat now, and says nothing about the one that asks.
	who = '?'
)

func newMembers(group string) *members {
	return &members{
		id: memberID(), subject: memberSubject(group),
		changed: make(chan struct{}, 1), seen: map[string]time.Time{}, echo: time.Now(),
	}
}

func memberSubject(group string) string { return "members." + group }

// memberID is the host's name, where a person can find the worker, and what makes it unique.
func memberID() string {
	host, err := os.Hostname()
	if err != nil || len(host) > maxHost {
		host = "worker"
	}
	return host + "-" + nuid.Next()
}

const maxHost = 64

// hear takes a heartbeat in.
func (m *members) hear(msg *nats.Msg) {
	if len(msg.Data) < 2 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	id, now := string(msg.Data[1:]), time.Now()
	if id == m.id {
		m.hearEcho(now)
		return
	}
	_, known := m.seen[id]
	switch msg.Data[0] {
	case here:
		m.seen[id] = now
		if known {
			return
		}
	case gone:
		delete(m.seen, id)
	}
	select {
	case m.changed <- struct{}{}:
	default: // it is known to have changed
	}
}

// hearEcho takes a heartbeat of this member in. When none came for a while, those of the others
// could not come either: they get their time anew.
func (m *members) hearEcho(now time.Time) {
	if now.Sub(m.echo) > 2*heartbeat {
		for id := range m.seen {
			m.seen[id] = now
		}
	}
	m.echo = now
}

// cutOff tells whether the others must take this member for gone.
func (m *members) cutOff(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return now.Sub(m.echo) >= memberTTL
}

// alive returns the members of the group, this one included, in order.
func (m *members) alive(now time.Time) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen[m.id] = now
	ids := make([]string, 0, len(m.seen))
	for id, t := range m.seen {
		if now.Sub(t) < memberTTL {
			ids = append(ids, id)
		} else {
			delete(m.seen, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// others returns the members that were heard, in order.
func (m *members) others() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.seen))
}

// forget makes everybody unseen.
func (m *members) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.seen)
}

// assign maps each of n partitions to one of the members, the same for everyone who knows the
// same members: rendezvous hashing with bounded load, so that all have the same number and a
// member that comes or goes moves few.
func assign(ids []string, n int) []string {
	owners := make([]string, n)
	load := make(map[string]int, len(ids))
	limit := (n + len(ids) - 1) / len(ids)
	for p := range owners {
		var best uint64
		for _, id := range ids {
			if w := weight(id, p); load[id] < limit && (owners[p] == "" || w > best) {
				owners[p], best = id, w
			}
		}
		load[owners[p]]++
	}
	return owners
}

// weight is a hash of member and partition, mixed so that near inputs differ in all bits.
func weight(id string, p int) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	_ = binary.Write(h, binary.LittleEndian, uint64(p)) //nolint:gosec // p is not negative; a hash never fails
	v := h.Sum64()
	v ^= v >> 33
	v *= 0xff51afd7ed558ccd
	return v ^ v>>33
}

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
	suspended := now.Sub(w.last) > memberTTL
	cutOff := w.members.cutOff(now)
	w.last = now
	switch {
	case w.joined && (suspended || cutOff):
		// The others have given this worker up: begin anew rather than take everything because
		// nobody was heard.
		w.b.log.Warn("was suspended or cut off from NATS, joining again", "stream", w.in.Name)
		w.members.forget()
		w.keep(nil)
		w.listen(time.Now())
	case cutOff:
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
