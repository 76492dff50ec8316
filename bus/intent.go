// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// ledger is what a Sink has written of a stream and what it is writing, for all workers of
// the stage: one value in the bucket INTENTS, changed by compare-and-set.
type ledger struct {
	// Covered is the position of each partition: everything up to it is written.
	Covered map[int]Position `json:"covered"`
	// Open are the intents that were begun and not finished. Whoever takes over one of their
	// partitions writes them again, whole, before anything else of it.
	Open []intent `json:"open,omitempty"`
}

// intent is one joint batch.
type intent struct {
	Token  string `json:"token"` // made from the spans
	Spans  []span `json:"spans"` // in order of partition
	Member string `json:"member"`
}

// span is the messages of one partition behind After up to To.
type span struct {
	Partition int      `json:"partition"`
	After     Position `json:"after"`
	To        Position `json:"to"`
}

// newIntent names the batch by what is in it. The times are in the name because a stream that
// is made anew uses its sequences again.
func newIntent(stream, member string, spans []span) intent {
	slices.SortFunc(spans, func(a, b span) int { return a.Partition - b.Partition })
	h := sha256.New()
	fmt.Fprintln(h, stream, spans)
	return intent{Token: stream + "-" + hex.EncodeToString(h.Sum(nil)[:16]), Spans: spans, Member: member}
}

// opened returns the open intent that has partition p.
func (l *ledger) opened(p int) (intent, bool) {
	for _, i := range l.Open {
		if slices.ContainsFunc(i.Spans, func(s span) bool { return s.Partition == p }) {
			return i, true
		}
	}
	return intent{}, false
}

// begin adds the intent. It returns the partitions for which it does not follow what stands in
// the ledger, and adds nothing if there are any: somebody else has taken them over.
func (l *ledger) begin(i intent) (lost []int) {
	if slices.ContainsFunc(l.Open, func(o intent) bool { return o.Token == i.Token }) {
		return nil // begun before, and the answer was lost
	}
	for _, s := range i.Spans {
		if _, open := l.opened(s.Partition); open || l.Covered[s.Partition] != s.After {
			lost = append(lost, s.Partition)
		}
	}
	if lost == nil {
		l.Open = append(l.Open, i)
	}
	return lost
}

// finish closes an intent, if nobody else has yet.
func (l *ledger) finish(token string) {
	n := slices.IndexFunc(l.Open, func(i intent) bool { return i.Token == token })
	if n < 0 {
		return
	}
	for _, s := range l.Open[n].Spans {
		l.Covered[s.Partition] = s.To
	}
	l.Open = slices.Delete(l.Open, n, n+1)
}

// readLedger returns the ledger of a stream and its revision, 0 before the first change.
func (b *Bus) readLedger(ctx context.Context, s Stream) (*ledger, uint64, error) {
	l := &ledger{Covered: map[int]Position{}}
	kv, err := b.bucket(ctx, intents)
	if err != nil {
		return nil, 0, err
	}
	e, err := kv.Get(ctx, s.Name)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return l, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read intents of %s: %w", s.Name, err)
	}
	if err := json.Unmarshal(e.Value(), l); err != nil {
		return nil, 0, fmt.Errorf("read intents of %s: %w", s.Name, err)
	}
	return l, e.Revision(), nil
}

// changeLedger applies change to the ledger by compare-and-set, again when somebody else was
// faster. If change returns false the ledger stays as it is.
func (b *Bus) changeLedger(ctx context.Context, s Stream, change func(*ledger) bool) error {
	for {
		l, revision, err := b.readLedger(ctx, s)
		if err != nil {
			return err
		}
		if !change(l) {
			return nil
		}
		err = b.writeLedger(ctx, s, l, revision)
		if errors.Is(err, jetstream.ErrKeyExists) || conflict(err) {
			continue
		}
		return err
	}
}

func (b *Bus) writeLedger(ctx context.Context, s Stream, l *ledger, revision uint64) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	value, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("write intents of %s: %w", s.Name, err)
	}
	kv, err := b.bucket(ctx, intents)
	if err != nil {
		return err
	}
	if _, err = kv.Update(ctx, s.Name, value, revision); err != nil {
		return fmt.Errorf("write intents of %s: %w", s.Name, err)
	}
	return nil
}
