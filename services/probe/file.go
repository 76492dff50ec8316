// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/weirflow/weir/services/probe/internal/capture"
	"github.com/weirflow/weir/services/probe/internal/export"
	"github.com/weirflow/weir/services/probe/internal/packet"
)

const (
	// bootedBefore is how long before its first packet the exporter of a file says
	// that it was booted: uptimes count from there.
	bootedBefore = int64(time.Minute)
	// checkEvery is how many packets are read between two looks at the context.
	checkEvery = 4096
)

// replay reads the files one after the other. The clock is that of the packets: what a
// message says of its export is what it would have said then.
func (s *Service) replay(ctx context.Context, links []*link) error {
	names := make([][]export.Interface, len(s.plan.Points))
	for i, p := range s.plan.Points {
		names[i] = []export.Interface{{Index: uint32(i + 1), Name: filepath.Base(p.File)}}
	}
	var e *engine
	for i, p := range s.plan.Points {
		err := s.file(ctx, p.File, p.MaxPackets, func(first int64) *engine {
			if e == nil {
				e = newEngine(s.plan, links, s.m, first-bootedBefore, names)
			}
			return e
		}, i)
		if err != nil {
			return fmt.Errorf("read %s: %w", p.File, err)
		}
	}
	if e != nil {
		e.finish()
	}
	return nil
}

// file takes the packets of one file. begin gives the engine, which needs the time of the
// first packet.
func (s *Service) file(ctx context.Context, name string, most uint64, begin func(int64) *engine, point int) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := capture.NewReader(f)
	if err != nil {
		return err
	}
	var (
		raw  capture.Packet
		p    = packet.Packet{InIf: uint32(point + 1)}
		e    *engine
		tick int64
		pace = capture.Pace{Speed: s.cfg.Speed}
	)
	n := uint64(0)
	defer func() { s.m.packets.Add(float64(n)) }()
	for most == 0 || n < most {
		switch err := r.Next(&raw); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if e == nil {
			e = begin(raw.Time)
		}
		if n++; n%checkEvery == 0 && ctx.Err() != nil || !pace.Wait(ctx, raw.Time) {
			return nil // stopped: what was measured is exported
		}
		p.Time = raw.Time
		p.Parse(raw.Data, raw.Length, raw.Link)
		e.now = max(e.now, raw.Time)
		e.add(point, &p, raw.Link)
		if e.now-tick >= int64(time.Second) {
			tick = e.now
			e.keep(ctx)
			e.tick()
		}
	}
	return nil
}

// keep looks after the connections.
func (e *engine) keep(ctx context.Context) {
	for _, l := range e.links {
		l.keep(ctx)
	}
}
