// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// library keeps the configured databases as new as their files. Whoever enriches takes
// the current generation from it and is never kept waiting.
//
//	files ──refresh──▶ databases (a generation) ──current──▶ enricher, enricher, ...
type library struct {
	hasASNs, hasCountries bool
	current               atomic.Pointer[databases]

	log             *slog.Logger
	m               *metrics
	files           []*file // each path once
	asns, countries []*file // in order of preference
}

// file is a path that is configured, and what was last read from it.
type file struct {
	path   string
	reader *maxminddb.Reader // of the last good file, nil before there was one
	seen   os.FileInfo       // of the file last tried, nil when it was not there
	broken bool              // the last try failed, and the log says so
}

// newLibrary does not read the files yet.
func newLibrary(cfg Config, log *slog.Logger, m *metrics) *library {
	l := &library{
		hasASNs: len(cfg.ASNDatabases) > 0, hasCountries: len(cfg.CountryDatabases) > 0,
		log: log, m: m,
	}
	l.asns, l.countries = l.add(cfg.ASNDatabases), l.add(cfg.CountryDatabases)
	l.current.Store(&databases{})
	return l
}

func (l *library) add(paths []string) []*file {
	var list []*file
	for _, path := range paths {
		i := slices.IndexFunc(l.files, func(f *file) bool { return f.path == path })
		if i < 0 {
			i = len(l.files)
			l.files = append(l.files, &file{path: path})
			l.m.built.WithLabelValues(path).Set(0)
			l.m.reloads.WithLabelValues(path)
			l.m.loadErrors.WithLabelValues(path)
		}
		list = append(list, l.files[i])
	}
	return list
}

// empty tells that no database is configured.
func (l *library) empty() bool { return !l.hasASNs && !l.hasCountries }

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
	changed := false
	for _, f := range l.files {
		if l.reload(f) {
			changed = true
		}
	}
	if !changed {
		return
	}
	l.current.Store(&databases{asns: readers(l.asns), countries: readers(l.countries)})
}

// reload reads a file if it is another one than was last tried, and tells whether its
// database is new. A file that is gone or broken leaves the old database in use.
func (l *library) reload(f *file) bool {
	info, err := os.Stat(f.path)
	if err == nil {
		if same(f.seen, info) {
			return false
		}
		f.seen = info
		var r *maxminddb.Reader
		if r, err = load(f.path); err == nil {
			l.loaded(f, r)
			return true
		}
		l.m.loadErrors.WithLabelValues(f.path).Inc()
	} else {
		f.seen = nil
	}
	if !f.broken {
		f.broken = true
		l.log.Warn("database not loaded", "database", f.path, "error", err, "old_one_in_use", f.reader != nil)
	}
	return false
}

func (l *library) loaded(f *file, r *maxminddb.Reader) {
	f.reader, f.broken = r, false
	built := r.Metadata.BuildTime()
	l.m.built.WithLabelValues(f.path).Set(float64(built.Unix()))
	l.m.reloads.WithLabelValues(f.path).Inc()
	l.log.Info("database loaded", "database", f.path, "type", r.Metadata.DatabaseType, "built", built)
}

// same tells whether two looks saw the same file with the same content.
func same(a, b os.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func readers(files []*file) []*maxminddb.Reader {
	var list []*maxminddb.Reader
	for _, f := range files {
		if f.reader != nil {
			list = append(list, f.reader)
		}
	}
	return list
}
