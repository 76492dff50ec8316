// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"math/bits"
	"slices"
	"sync"
	"time"

	"github.com/weirflow/weir/flow"
)

// duplicatesConfig says which flows are counted elsewhere.
type duplicatesConfig struct {
	Policies []string      `yaml:"policies" usage:"what makes a flow a duplicate: boundary, direction, content; empty is nothing"`
	Window   time.Duration `yaml:"window" usage:"time in which the same flow from elsewhere is a duplicate, for content"`
	Entries  int           `yaml:"entries" usage:"flows that are remembered, for content; 24 octets each"`
}

// Policies.
const (
	byBoundary  = "boundary"
	byDirection = "direction"
	byContent   = "content"
)

// Values of flow.Duplicate.
const (
	counted = iota
	insideBoundary
	otherDirection
	otherObserver
	numDuplicates
)

// policyOf has the policy that leads to a value of flow.Duplicate.
func policyOf(duplicate int) string {
	return [numDuplicates]string{insideBoundary: byBoundary, otherDirection: byDirection, otherObserver: byContent}[duplicate]
}

func (c *duplicatesConfig) validate() error {
	var errs []error
	for _, p := range c.Policies {
		if p != byBoundary && p != byDirection && p != byContent {
			errs = append(errs, fmt.Errorf("duplicates.policies: %q is none of boundary, direction, content", p))
		}
	}
	if c.Window < time.Second || c.Window > time.Hour {
		errs = append(errs, fmt.Errorf("duplicates.window: %v is not between 1s and 1h", c.Window))
	}
	if c.Entries < 1 || c.Entries > maxCacheEntries {
		errs = append(errs, fmt.Errorf("duplicates.entries: %d is not between 1 and %d", c.Entries, maxCacheEntries))
	}
	return errors.Join(errs...)
}

func (c *duplicatesConfig) by(policy string) bool { return slices.Contains(c.Policies, policy) }

// duplicates returns the value of flow.Duplicate for each row, nil if no policy is configured.
func (e *enricher) duplicates(in *flow.Batch) []uint32 {
	cfg := &e.library.cfg.Duplicates
	if len(cfg.Policies) == 0 {
		return nil
	}
	marks := make([]uint32, in.Rows())
	if e.twins != nil {
		e.twins.mark(in, marks)
	}
	for i := range marks {
		if cfg.by(byDirection) && in.Number(flow.FlowDirection, i) == 1 { // egress, element 61
			marks[i] = otherDirection
		}
		if cfg.by(byBoundary) && e.observers.inside(i) {
			marks[i] = insideBoundary
		}
		e.counts.duplicates[marks[i]]++
	}
	return marks
}

// twins finds flows that are seen in several places: the first to report one is its observer
// until it has been silent for the window. It is safe for concurrent use.
type twins struct {
	window uint64 // ns
	seed   maphash.Seed
	locks  [64]sync.Mutex
	sets   []twinSet
}

// twinSet holds flows whose keys end in the same bits.
type twinSet [4]twin

type twin struct{ key, observer, last uint64 }

// newTwins returns nil where duplicates are not looked for by content.
func newTwins(cfg duplicatesConfig) *twins {
	if !cfg.by(byContent) {
		return nil
	}
	n := 1 << bits.Len(uint(max(cfg.Entries/len(twinSet{}), len(twins{}.locks))-1))               //nolint:gosec // positive
	return &twins{window: uint64(cfg.Window), seed: maphash.MakeSeed(), sets: make([]twinSet, n)} //nolint:gosec // positive
}

// mark marks the rows that another observer has reported.
func (t *twins) mark(in *flow.Batch, marks []uint32) {
	key := make([]byte, 0, 128)
	for i := range marks {
		src, dst := in.Address(flow.SrcAddr, i).As16(), in.Address(flow.DstAddr, i).As16()
		if src == dst && src == [16]byte{} {
			continue // nothing that another observer would know it by
		}
		key = append(append(key[:0], src[:]...), dst[:]...)
		for _, f := range []flow.Field{flow.Proto, flow.SrcPort, flow.DstPort, flow.ICMPType, flow.ICMPCode} {
			key = binary.LittleEndian.AppendUint16(key, uint16(in.Number(f, i))) //nolint:gosec // at most 16 bits wide
		}
		key = append(key, in.Text(flow.IngressVRFName, i)...) // its number is the exporter's own
		flowKey := maphash.Bytes(t.seed, key)
		exporter := in.Address(flow.SamplerAddress, i).As16()
		key = append(key[:0], exporter[:]...)
		for _, f := range []flow.Field{flow.InIf, flow.OutIf, flow.FlowDirection} {
			key = binary.LittleEndian.AppendUint32(key, uint32(in.Number(f, i))) //nolint:gosec // at most 32 bits wide
		}
		if t.seen(twin{flowKey, maphash.Bytes(t.seed, key), in.Number(flow.TimeReceivedNs, i)}) {
			marks[i] = otherObserver
		}
	}
}

// seen notes a flow, and tells whether it belongs to another observer.
func (t *twins) seen(now twin) bool {
	place := now.key & uint64(len(t.sets)-1) //nolint:gosec // a length
	lock := &t.locks[place%uint64(len(t.locks))]
	lock.Lock()
	defer lock.Unlock()
	set := &t.sets[place]
	oldest := 0
	for i := range set {
		was := &set[i]
		if was.key == now.key {
			if was.observer != now.observer && now.last < was.last+t.window {
				return true
			}
			was.observer, was.last = now.observer, max(was.last, now.last)
			return false
		}
		if was.last < set[oldest].last {
			oldest = i
		}
	}
	set[oldest] = now
	return false
}
