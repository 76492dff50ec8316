// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
)

const (
	// diskSpare is what must stay free of the volume of the streams. On a volume that is full
	// JetStream answers nothing any more, also when there is room again, until it is started anew.
	diskSpare = 512 << 20
	diskEvery = 5 * time.Second
)

// checkDisk fails where the volume of dir has no room for a store that may grow to limit octets.
func checkDisk(dir string, limit int64) error {
	free, err := freeBytes(dir)
	if err != nil {
		return err
	}
	used, err := usedBytes(dir)
	if err != nil {
		return err
	}
	if room := free + used - diskSpare; room < limit {
		return misuse("nats.max_bytes: the streams and buckets may take %s, and the volume of %s has room for %s: lower it to %d or less, or put --data on another volume",
			grouped(float64(limit)), dir, grouped(float64(max(room, 0))), max(room-natsSpare, 0))
	}
	return nil
}

// freeBytes is what of the volume of dir can still be used.
func freeBytes(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("look at the volume of %s: %w", dir, err)
	}
	return int64(s.Bavail) * s.Bsize, nil //nolint:gosec // far below
}

// usedBytes is what the files in dir take.
func usedBytes(dir string) (used int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			used += info.Size()
		}
		return err
	})
	return used, err
}

// disk watches the volume of the streams. It is a daemon.Runner. When others have filled the volume
// ingest takes nothing more, until there is room again.
type disk struct {
	dir    string
	ingest *bus.Bus
	log    *slog.Logger
	free   prometheus.Gauge
}

func newDisk(dir string, ingest *bus.Bus, log *slog.Logger, reg prometheus.Registerer) *disk {
	d := &disk{dir: dir, ingest: ingest, log: log, free: prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "weir_weir_disk_free_bytes", Help: "Room on the volume of the streams; below 512 MiB nothing more is taken.",
	})}
	reg.MustRegister(d.free)
	return d
}

// Run watches until ctx ends.
func (d *disk) Run(ctx context.Context) error {
	tick := time.NewTicker(diskEvery)
	defer tick.Stop()
	for stopped := false; ; {
		if free, err := freeBytes(d.dir); err == nil {
			d.free.Set(float64(free))
			if full := free < diskSpare; full != stopped {
				stopped = full
				d.ingest.Refuse(full)
				d.log.Error("the volume of the streams is short of room", "dir", d.dir, "free_bytes", free, "datagrams_are_refused", full)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
