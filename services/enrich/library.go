// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// library keeps what is read from files as new as they are. Whoever enriches takes the
// current generation from it and is never kept waiting.
//
//	files ──refresh──▶ knowledge (a generation) ──current──▶ enricher, enricher, ...
type library struct {
	cfg     Config
	current atomic.Pointer[knowledge]
	devices *devices // what exporters told by SNMP

	log *slog.Logger
	m   *metrics

	mu    sync.Mutex
	files []*file // each path once
	// In order of preference.
	asns, countries, networks, exporters []*file
	key                                  *file // nil if there is none
	broken                               error // why the files together make no generation
}

// file is a path that is configured, and what was last read from it.
type file struct {
	path   string
	load   func(path string) (any, error)
	value  any         // of the last good file, nil before there was one
	seen   os.FileInfo // of the file last tried, nil when it was not there
	broken error       // of the last try, and the log says so
}

// newLibrary does not read the files yet. The configuration is valid.
func newLibrary(cfg Config, log *slog.Logger, m *metrics) *library {
	l := &library{cfg: cfg, log: log, m: m, devices: newDevices()}
	l.asns = l.add(cfg.ASNDatabases, loader(load))
	l.countries = l.add(cfg.CountryDatabases, loader(load))
	l.networks = l.add(cfg.NetworkFiles, loader(loadNetworks))
	l.exporters = l.add(cfg.ExporterFiles, loader(loadExporters))
	if cfg.Privacy.KeyFile != "" {
		l.key = l.add([]string{cfg.Privacy.KeyFile}, loader(loadKey))[0]
	}
	l.rebuild()
	return l
}

func loader[T any](load func(string) (T, error)) func(string) (any, error) {
	return func(path string) (any, error) { return load(path) }
}

func (l *library) add(paths []string, load func(string) (any, error)) []*file {
	var list []*file
	for _, path := range paths {
		i := slices.IndexFunc(l.files, func(f *file) bool { return f.path == path })
		if i < 0 {
			i = len(l.files)
			l.files = append(l.files, &file{path: path, load: load})
			l.m.reloads.WithLabelValues(path)
			l.m.loadErrors.WithLabelValues(path)
		}
		list = append(list, l.files[i])
	}
	return list
}

// watch refreshes until ctx ends.
func (l *library) watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.refresh()
		case <-ctx.Done():
			return
		}
	}
}

// refresh reads the files that changed and, if one did, makes a new generation current.
func (l *library) refresh() {
	l.mu.Lock()
	defer l.mu.Unlock()
	changed := false
	for _, f := range l.files {
		if l.reload(f) {
			changed = true
		}
	}
	if changed {
		l.rebuild()
	}
}

// rebuild makes a generation of what was last read. One that does not fit together leaves
// the old one in use.
func (l *library) rebuild() {
	k, err := newKnowledge(l)
	l.broken = err
	if err != nil {
		l.log.Warn("files not taken into use", "error", err)
		return
	}
	l.current.Store(k)
}

// reload reads a file if it is another one than was last tried, and tells whether what it
// holds is new. A file that is gone or broken leaves the old one in use.
func (l *library) reload(f *file) bool {
	info, err := os.Stat(f.path)
	if err == nil {
		if same(f.seen, info) {
			return false
		}
		f.seen = info
		var v any
		if v, err = f.load(f.path); err == nil {
			l.loaded(f, v)
			return true
		}
		l.m.loadErrors.WithLabelValues(f.path).Inc()
	} else {
		f.seen = nil
	}
	if f.broken == nil {
		l.log.Warn("file not loaded", "file", f.path, "error", err, "old_one_in_use", f.value != nil)
	}
	f.broken = err
	return false
}

func (l *library) loaded(f *file, v any) {
	f.value, f.broken = v, nil
	l.m.reloads.WithLabelValues(f.path).Inc()
	attributes := []any{"file", f.path}
	if db, ok := v.(*database); ok {
		built := db.Metadata.BuildTime()
		l.m.built.WithLabelValues(f.path).Set(float64(built.Unix()))
		attributes = append(attributes, "type", db.Metadata.DatabaseType, "built", built)
	}
	l.log.Info("file loaded", attributes...)
}

// problems says which files are not in use as they are, empty if all are.
func (l *library) problems() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []string
	for _, f := range l.files {
		switch {
		case f.broken == nil:
		case f.value != nil:
			list = append(list, fmt.Sprintf("%s: old one in use: %v", f.path, f.broken))
		default:
			list = append(list, fmt.Sprintf("%s: not loaded: %v", f.path, f.broken))
		}
	}
	if l.broken != nil {
		list = append(list, fmt.Sprintf("old files in use: %v", l.broken))
	}
	return strings.Join(list, "; ")
}

// same tells whether two looks saw the same file with the same content.
func same(a, b os.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// values are what files hold, without those that were never read.
func values[T any](files []*file) []T {
	var list []T
	for _, f := range files {
		if v, ok := f.value.(T); ok {
			list = append(list, v)
		}
	}
	return list
}
