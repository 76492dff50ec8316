// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/weirflow/weir/services/probe/internal/export"
	"github.com/weirflow/weir/services/probe/internal/packet"
)

const (
	tickEvery     = time.Second
	countersEvery = 20 * time.Second // as sFlow agents do
)

// live captures from all interfaces at once until ctx ends. Packets are measured a block of
// the ring at a time, one interface after the other.
func (s *Service) live(ctx context.Context, links []*link) error {
	var rings []*ring
	names := make([][]export.Interface, len(s.plan.Points))
	defer func() {
		for _, r := range rings {
			r.close()
		}
	}()
	for i, p := range s.plan.Points {
		for _, name := range p.Interfaces {
			r, err := openRing(ctx, name, i, p)
			if err != nil {
				return fmt.Errorf("capture from %s: %w", name, err)
			}
			rings = append(rings, r)
			names[i] = append(names[i], export.Interface{Index: r.index, Name: name})
			s.log.Info("capturing", "interface", name, "point", p.Name)
		}
	}
	now := time.Now().UnixNano()
	l := &observer{engine: newEngine(s.plan, links, s.m, now, names), left: map[int]uint64{}}
	for i, p := range s.plan.Points {
		l.left[i] = p.MaxPackets
	}
	var all sync.WaitGroup
	errs := make(chan error, len(rings))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for _, r := range rings {
		all.Go(func() {
			if err := r.read(ctx, l.block); err != nil {
				errs <- fmt.Errorf("capture from %s: %w", r.name, err)
				stop()
			}
		})
	}
	l.ticks(ctx, rings)
	all.Wait()
	l.engine.now = time.Now().UnixNano()
	l.engine.finish()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// observer lets several rings use one engine.
type observer struct {
	mu     sync.Mutex
	engine *engine
	left   map[int]uint64 // packets that a point may still observe, if it has a limit
	parsed packet.Packet
}

// block measures the packets of a block of a ring.
func (o *observer) block(r *ring, packets func(func(*frame))) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e, n := o.engine, 0
	e.now = time.Now().UnixNano()
	limit := e.plan.Points[r.point].MaxPackets
	packets(func(f *frame) {
		if limit > 0 {
			if o.left[r.point] == 0 {
				return
			}
			o.left[r.point]--
		}
		n++
		p := &o.parsed
		p.Time, p.InIf, p.Egress = f.time, r.index, f.egress
		p.Parse(f.data, f.length, r.link)
		if f.tagged {
			p.Tag(f.tag)
		}
		e.add(r.point, p, r.link)
	})
	e.m.packets.Add(float64(n))
}

// ticks ends flows and sends what waits, each second until ctx ends.
func (o *observer) ticks(ctx context.Context, rings []*ring) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	var counted time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			o.mu.Lock()
			o.engine.now = now.UnixNano()
			o.engine.keep(ctx)
			if now.Sub(counted) >= countersEvery {
				counted = now
				for _, r := range rings {
					o.engine.counters(interfaceCounters(r.name, r.index))
				}
			}
			o.engine.tick()
			for _, r := range rings {
				o.engine.m.kernelDrops.Add(float64(r.drops()))
			}
			o.mu.Unlock()
		}
	}
}
