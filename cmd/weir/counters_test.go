// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// countersSQL has a line for each counters sample: agent, its number, rows and octets.
const countersSQL = `SELECT replaceOne(toString(sampler_address), '::ffff:', ''), leftPad(toString(sequence_num), 8, '0'), count(), sum(in_octets)
	FROM interface_counters GROUP BY sampler_address, sequence_num ORDER BY 1, 2`

// Places in the datagrams of sflowAgent (sFlow v5, section 5).
const (
	agentAt    = 8
	numberAt   = 36 // of the only sample
	inOctetsAt = 80 // of its only record
)

// sflowAgent sends counters of an interface every tick until ctx ends.
func sflowAgent(ctx context.Context, t *testing.T, agent, to string, tick time.Duration) {
	t.Helper()
	conn, err := net.Dial("udp", to)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	be := binary.BigEndian
	for number := uint32(1); ctx.Err() == nil; number++ {
		p := slices.Concat([]byte{3: 5, 7: 1}, netip.MustParseAddr(agent).AsSlice(), make([]byte, 12), []byte{3: 1}, // one sample
			[]byte{3: 2, 7: 12 + 8 + 88}, be.AppendUint32(nil, number), []byte{3: 3, 7: 1}, // one record of interface 3
			[]byte{3: 1, 7: 88}, make([]byte, 88))
		be.PutUint64(p[inOctetsAt:], uint64(number)<<20+7)
		_, _ = conn.Write(p) // refused while weir is away
		<-time.After(tick)
	}
}

// acceptedCounters is what ingest has stored, in the form of countersSQL.
func (s *stack) acceptedCounters() string {
	s.t.Helper()
	var lines []string
	for d := range s.datagrams() {
		agent, _ := netip.AddrFromSlice(d.Payload[agentAt:][:4])
		lines = append(lines, fmt.Sprintf("%s\t%08d\t1\t%d", agent,
			binary.BigEndian.Uint32(d.Payload[numberAt:]), binary.BigEndian.Uint64(d.Payload[inOctetsAt:])))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestKilledWeirWritesCountersOnce(t *testing.T) {
	t.Parallel()
	s := up(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var agents sync.WaitGroup
	for i := range 4 {
		agents.Go(func() { sflowAgent(ctx, t, fmt.Sprintf("192.0.2.%d", i+1), s.flows, 5*time.Millisecond) })
	}
	for _, rows := range []int{300, 1500} {
		s.until(fmt.Sprintf("%d rows", rows), func() bool {
			return s.tryQuery(fmt.Sprintf("SELECT count() >= %d FROM interface_counters", rows)) == "1"
		})
		s.kill()
		s.start()
	}
	stop()
	agents.Wait()
	var want string
	s.until("ingest to have stored what its sockets hold", func() bool {
		before := want
		want = s.acceptedCounters()
		return want == before
	})
	s.expect(countersSQL, want)
	s.expect("SELECT uniqExact(if_index), max(uptime_ms), count() FROM interface_counters", fmt.Sprintf("1\t0\t%d", 1+strings.Count(want, "\n")))
	t.Logf("%d counters samples, each once", 1+strings.Count(want, "\n"))
}
