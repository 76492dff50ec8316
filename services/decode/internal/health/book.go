// SPDX-License-Identifier: Apache-2.0

package health

import (
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/sequence"
)

// Account sums what came of a domain. Its zero value is empty.
type Account struct {
	Sequence sequence.Tracker
	Sources  sequence.Sources

	sum  flow.Health
	open bool // sum has something that is not written yet
}

// Key is what rows are told apart by, beside their minute.
type Key struct {
	Exporter [16]byte
	Protocol uint8
	Domain   uint32
}

// minute in ns and in s.
const (
	minuteNs = 60_000_000_000
	minuteS  = 60
)

// Book writes accounts. It is not safe for concurrent use.
type Book struct {
	// Counters is where rows go: those of one key and minute are one until it is emptied. Nil
	// is nowhere.
	Counters *flow.Counters
	// Told is what was written, row by row, for whoever empties it.
	Told []flow.Health

	open []*Account
	rows map[rowKey]int // of Counters.Health
}

type rowKey struct {
	Key
	timeS uint64
}

// Open returns the sum of an account to add to, for what was received then.
func (b *Book) Open(a *Account, k Key, receivedNs uint64) *flow.Health {
	s, timeS := &a.sum, receivedNs/minuteNs*minuteS
	if a.open && s.TimeS == timeS && s.Protocol == k.Protocol && s.Domain == k.Domain && s.Exporter == k.Exporter {
		return s
	}
	b.write(a)
	a.open = true
	b.open = append(b.open, a)
	s.TimeS, s.Exporter, s.Protocol, s.Domain = timeS, k.Exporter, k.Protocol, k.Domain
	return s
}

// Close writes all accounts, at the end of an input.
func (b *Book) Close() {
	for i, a := range b.open {
		b.write(a)
		b.open[i] = nil
	}
	b.open = b.open[:0]
}

func (b *Book) write(a *Account) {
	if !a.open {
		return
	}
	b.Told = append(b.Told, a.sum)
	if b.Counters != nil {
		b.add(&a.sum)
	}
	a.sum, a.open = flow.Health{}, false
}

func (b *Book) add(s *flow.Health) {
	if b.rows == nil {
		b.rows = make(map[rowKey]int)
	}
	if len(b.Counters.Health) == 0 {
		clear(b.rows)
	}
	k := rowKey{Key{s.Exporter, s.Protocol, s.Domain}, s.TimeS}
	i, there := b.rows[k]
	if !there {
		b.rows[k] = len(b.Counters.Health)
		b.Counters.Health = append(b.Counters.Health, *s)
		return
	}
	merge(&b.Counters.Health[i], s)
}

// merge adds a row to another of the same key.
func merge(to, s *flow.Health) {
	to.Datagrams += s.Datagrams
	to.Bytes += s.Bytes
	to.Records += s.Records
	to.Flows += s.Flows
	to.Gaps += s.Gaps
	to.Missing += s.Missing
	to.MissingSamples += s.MissingSamples
	to.Late += s.Late
	to.Duplicates += s.Duplicates
	to.Resets += s.Resets
	to.Templates += s.Templates
	to.Refused += s.Refused
	to.TemplateUnknown += s.TemplateUnknown
	to.Held += s.Held
	to.Released += s.Released
	to.HeldDropped += s.HeldDropped
	to.LateFlows += s.LateFlows
	to.SamplingUnknown += s.SamplingUnknown
	to.TimeSkewed += s.TimeSkewed
	to.ClockBehindMs = max(to.ClockBehindMs, s.ClockBehindMs)
	to.ClockAheadMs = max(to.ClockAheadMs, s.ClockAheadMs)
	to.LastSeenNs = max(to.LastSeenNs, s.LastSeenNs)
}

// Sequence adds what a sequence number told.
func Sequence(s *flow.Health, v sequence.Verdict) {
	if v == (sequence.Verdict{}) {
		return
	}
	s.Missing += v.Missing
	for _, c := range [...]struct {
		said bool
		n    *uint64
	}{{v.Gap, &s.Gaps}, {v.Late, &s.Late}, {v.Duplicate, &s.Duplicates}, {v.Reset, &s.Resets}} {
		if c.said {
			*c.n++
		}
	}
}

// Clock adds how far an exporter's clock is from ours; without an export time, 0, it is not known.
func Clock(s *flow.Health, receivedNs, exportNs uint64) {
	const ms, most = 1_000_000, 1<<32 - 1
	switch {
	case exportNs == 0:
	case receivedNs >= exportNs:
		s.ClockBehindMs = max(s.ClockBehindMs, uint32(min((receivedNs-exportNs)/ms, most))) //nolint:gosec // at most
	default:
		s.ClockAheadMs = max(s.ClockAheadMs, uint32(min((exportNs-receivedNs)/ms, most))) //nolint:gosec // at most
	}
}
