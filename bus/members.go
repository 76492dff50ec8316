// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"encoding/binary"
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

// unheard returns for how long this member has not heard itself. After memberTTL the others must take
// it for gone.
func (m *members) unheard(now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return now.Sub(m.echo)
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
