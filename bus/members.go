// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
)

const (
	heartbeat  = 500 * time.Millisecond
	memberTTL  = 2 * time.Second        // unseen for this long is gone
	hearOthers = 700 * time.Millisecond // before the first assignment
	reassign   = 200 * time.Millisecond
)

// members knows the workers of a group from their heartbeats on core NATS. It is a hint for
// who works on what; see the package comment for what makes it safe.
type members struct {
	id      string
	subject string
	mu      sync.Mutex
	seen    map[string]time.Time
}

// Heartbeats are the id behind one of these octets.
const (
	here = '+'
	gone = '-'
)

func newMembers(group string) *members {
	return &members{id: nuid.Next(), subject: "members." + group, seen: map[string]time.Time{}}
}

// hear takes a heartbeat in.
func (m *members) hear(msg *nats.Msg) {
	if len(msg.Data) < 2 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if id := string(msg.Data[1:]); msg.Data[0] == gone {
		delete(m.seen, id)
	} else {
		m.seen[id] = time.Now()
	}
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

func (w *workers) loop(ctx context.Context) {
	beat, tick := time.NewTicker(heartbeat), time.NewTicker(reassign)
	defer beat.Stop()
	defer tick.Stop()
	w.announce(here)
	start := time.Now()
	for last := start; ; {
		select {
		case <-ctx.Done():
			w.keep(nil)
			w.announce(gone)
			return
		case <-beat.C:
			w.announce(here)
		case <-tick.C:
			// This process was suspended for so long that the others have given it up: begin
			// anew rather than take everything because nobody was heard.
			now := time.Now()
			if now.Sub(last) > memberTTL {
				w.b.log.Warn("was suspended, joining again", "stream", w.in.Name, "seconds", now.Sub(last).Seconds())
				w.members.forget()
				w.keep(nil)
				start = now
			}
			last = now
			if now.Sub(start) >= hearOthers {
				w.keep(assign(w.members.alive(now), w.b.cfg.Partitions))
			}
		}
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
	return func() {
		cancel()
		<-done
	}
}
