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
	"github.com/weirflow/weir/services/probe/internal/model"
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
		err := s.file(ctx, p, func(first int64) *engine {
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
func (s *Service) file(ctx context.Context, from model.Point, begin func(int64) *engine, point int) error {
	f, err := os.Open(from.File)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := capture.NewReader(f)
	if err != nil {
		return err
	}
	var (
		in   = source{Reader: r, pass: fileFilter{expression: from.Filter}, pace: capture.Pace{Speed: s.cfg.Speed}}
		p    = packet.Packet{InIf: uint32(point + 1)}
		e    *engine
		tick int64
		n    uint64
	)
	defer func() { s.m.packets.Add(float64(n)) }()
	for ; from.MaxPackets == 0 || n < from.MaxPackets; n++ {
		ok, err := in.next(ctx)
		if err != nil || !ok {
			return err // stopped: what was measured is exported
		}
		if e == nil {
			e = begin(in.packet.Time)
		}
		p.Time = in.packet.Time
		p.Parse(in.packet.Data, in.packet.Length, in.packet.Link)
		e.now = max(e.now, p.Time)
		e.add(point, &p, in.packet.Link)
		if e.now-tick >= int64(time.Second) {
			tick = e.now
			e.keep(ctx)
			e.tick()
		}
	}
	return nil
}

// source gives the packets of a file that pass a filter, at its pace.
type source struct {
	*capture.Reader
	packet capture.Packet
	pass   fileFilter
	pace   capture.Pace
	read   int
}

// next reads a packet; ok is false at the end of the file and when ctx ends.
func (s *source) next(ctx context.Context) (ok bool, err error) {
	for !ok {
		if err := s.Next(&s.packet); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return false, err
		}
		if s.read++; s.read%checkEvery == 0 && ctx.Err() != nil {
			return false, nil
		}
		if ok, err = s.pass.takes(ctx, s.packet.Data, s.packet.Link); err != nil {
			return false, err
		}
	}
	return s.pace.Wait(ctx, s.packet.Time), nil
}

// keep looks after the connections.
func (e *engine) keep(ctx context.Context) {
	for _, l := range e.links {
		l.keep(ctx)
	}
}
