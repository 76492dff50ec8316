// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"
)

// Faults are what goes wrong in exporters and on the way. Shares are of datagrams with flows,
// from 0 to 1.
type Faults struct {
	Loss      float64
	Duplicate float64
	Reorder   float64 // sent after the datagram that follows
	// WrongCount is the share of NetFlow v5 and v9 datagrams whose header counts one more than
	// there are.
	WrongCount float64
	// LateTemplates is how long after the start an exporter sends its first templates.
	LateTemplates time.Duration
	// RestartEvery is the life of an exporter: then it sends from another port, counts from
	// 0 and tells its templates anew. 0: for ever.
	RestartEvery time.Duration
	// ReuseIDs has the ids of the templates for IPv4 and IPv6 swapped at each restart.
	ReuseIDs bool
}

func (f Faults) validate() error {
	for _, share := range []float64{f.Loss, f.Duplicate, f.Reorder, f.WrongCount} {
		if share < 0 || share > 1 {
			return errors.New("shares of faults are from 0 to 1")
		}
	}
	if f.LateTemplates < 0 || f.RestartEvery < 0 || f.ReuseIDs && f.RestartEvery == 0 {
		return errors.New("times of faults must not be negative, and ids are reused after a restart only")
	}
	return nil
}

// Faulted counts the faults of an exporter.
type Faulted struct {
	Lost        Counts `json:"lost"`       // not sent, and not in the exporter's counts
	Duplicated  Counts `json:"duplicated"` // what was sent again; in the exporter's counts once
	Reordered   uint64 `json:"reordered"`  // datagrams
	WrongCounts uint64 `json:"wrong_counts"`
	Restarts    uint64 `json:"restarts"`
}

// faulty is an exporter with faults.
type faulty struct {
	Faults
	rnd     *rand.Rand
	started time.Time // the exporter, last
	held    *datagram // to be sent after the next
	deliver func(netip.Addr, []byte) error
}

func newFaulty(cfg LoadConfig, i int) *faulty {
	if cfg.Faults == (Faults{}) {
		return nil
	}
	return &faulty{Faults: cfg.Faults, deliver: cfg.Deliver, rnd: rand.New(rand.NewPCG(cfg.Seed, maxExporters+uint64(i)))}
}

// begin restarts e if it is time to.
func (f *faulty) begin(e *exporter, now time.Time) error {
	if f.started.IsZero() {
		f.started = now
		e.told = now.Add(f.LateTemplates - e.every)
	}
	if f.RestartEvery == 0 || now.Sub(f.started) < f.RestartEvery {
		return nil
	}
	before := e.out
	if err := e.open(f.deliver); err != nil {
		return err
	}
	before.close()
	f.started, e.told = now, time.Time{}
	e.stamp.sequence, e.stamp.samples, e.stamp.booted = 0, [256]uint32{}, now.Add(-running/2)
	if f.ReuseIDs {
		e.stamp.swap ^= 1
	}
	e.Faults.Restarts++
	return nil
}

// add has a stamped datagram sent, or not.
func (f *faulty) add(e *exporter, d *datagram, counts Counts) {
	f.miscount(e, d)
	if f.rnd.Float64() < f.Loss {
		e.Faults.Lost.Add(counts)
		return
	}
	e.Add(counts)
	if f.held == nil && f.rnd.Float64() < f.Reorder {
		f.held = d
		return
	}
	e.out.add(d.data)
	if f.rnd.Float64() < f.Duplicate {
		e.Faults.Duplicated.Add(counts)
		e.out.add(d.data)
	}
	if f.held != nil {
		e.Faults.Reordered++
		f.release(e)
	}
}

// release sends a datagram that was held back, which must be before the next flush.
func (f *faulty) release(e *exporter) {
	if f.held != nil {
		e.out.add(f.held.data)
		f.held = nil
	}
}

// miscount writes the number of records of NetFlow v5 and v9 into the header.
func (f *faulty) miscount(e *exporter, d *datagram) {
	if f.WrongCount == 0 || e.Protocol != NetFlow5 && e.Protocol != NetFlow9 {
		return
	}
	count := uint16(d.Flows)
	if f.rnd.Float64() < f.WrongCount {
		count++
		e.Faults.WrongCounts++
	}
	binary.BigEndian.PutUint16(d.data[2:], count)
}
