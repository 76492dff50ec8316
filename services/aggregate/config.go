// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirflow/weir/flow/rollup"
)

// Config is the section aggregate of the settings.
type Config struct {
	// Builtin are the rollups of package rollup that are made.
	Builtin []string `yaml:"builtin" usage:"built-in rollups that are made"`
	// Rollups are those of the user.
	Rollups []rollup.Rollup `yaml:"rollups" usage:"further rollups, see docs/aggregation.md"`
	// AllowedLateness is how long a window stays open after its end, in event time.
	AllowedLateness time.Duration `yaml:"allowed_lateness" usage:"how far event times may be out of order before a window is closed, where a rollup says nothing else"`
	// FlushInterval is how often partial sums are sent while windows are open.
	FlushInterval time.Duration `yaml:"flush_interval" usage:"time between partial sums of open windows"`
	// IdleAfter is when event time goes on without flows.
	IdleAfter time.Duration `yaml:"idle_after" usage:"time without a flow after which the windows of a partition close by the wall clock, that much behind it"`
	// MaxBytes flushes earlier, and spreads no flows meanwhile. Partitions have equal shares of it.
	MaxBytes int64 `yaml:"max_bytes" usage:"memory for the sums of this process; a partition that has used its share of it sends them"`
	// MaxAhead protects the watermark from an exporter whose clock is ahead.
	MaxAhead time.Duration `yaml:"max_ahead" usage:"how far the end of a flow may be ahead of its receipt, which else takes its place"`
	// MaxBehind keeps an exporter whose clock is behind from reviving old windows.
	MaxBehind time.Duration `yaml:"max_behind" usage:"how far the end of a flow may be behind its receipt, which else takes its place"`
	// MaxDuration bounds what one flow that claims to have lasted for years can cost.
	MaxDuration time.Duration `yaml:"max_duration" usage:"a flow that lasted longer is spread over that much time up to its end"`
}

const (
	minBytes = 1 << 20
	maxBytes = 16 << 30 // places in a table reach 32 GiB
	maxHours = 24 * time.Hour
)

// DefaultConfig has GoFlow's lateness, and all built-in rollups.
func DefaultConfig() Config {
	c := Config{
		AllowedLateness: 2 * time.Minute, FlushInterval: 10 * time.Second, IdleAfter: time.Minute,
		MaxBytes: 256 << 20, MaxAhead: time.Minute, MaxBehind: maxHours, MaxDuration: 2 * time.Hour,
	}
	for _, r := range rollup.Builtin() {
		c.Builtin = append(c.Builtin, r.Name)
	}
	return c
}

// Validate reports all problems at once.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	between := func(key string, v, least, most time.Duration) {
		check(v >= least && v <= most, "%s: %v is not between %v and %v", key, v, least, most)
	}
	between("allowed_lateness", c.AllowedLateness, 0, maxHours)
	between("flush_interval", c.FlushInterval, 100*time.Millisecond, time.Minute)
	between("idle_after", c.IdleAfter, time.Second, maxHours)
	between("max_ahead", c.MaxAhead, 0, maxHours)
	between("max_behind", c.MaxBehind, 0, 366*maxHours)
	between("max_duration", c.MaxDuration, 0, maxHours)
	check(c.MaxBytes >= minBytes && c.MaxBytes <= maxBytes, "max_bytes: %d is not between %d (1 MiB) and %d (16 GiB)", c.MaxBytes, minBytes, int64(maxBytes))
	errs = append(errs, c.validateRollups()...)
	return errors.Join(errs...)
}

func (c Config) validateRollups() (errs []error) {
	names := map[string]bool{}
	for _, r := range rollup.Builtin() {
		names[r.Name] = true
	}
	for _, name := range c.Builtin {
		if !names[name] {
			errs = append(errs, fmt.Errorf("builtin: there is no rollup %s", name))
		}
	}
	for i, r := range c.Rollups {
		for _, problem := range problems(r) {
			errs = append(errs, fmt.Errorf("rollups[%d].%s", i, problem))
		}
		if names[r.Name] {
			errs = append(errs, fmt.Errorf("rollups[%d].name: there is a rollup %s already", i, r.Name))
		}
		names[r.Name] = true
	}
	return errs
}

// problems of a rollup, a line for each.
func problems(r rollup.Rollup) []string {
	_, err := newFilter(r.Filter)
	if err = errors.Join(r.Validate(), err); err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

// rollups returns all that are made.
func (c Config) rollups() []rollup.Rollup {
	var all []rollup.Rollup
	for _, r := range rollup.Builtin() {
		if slices.Contains(c.Builtin, r.Name) {
			all = append(all, r)
		}
	}
	return append(all, c.Rollups...)
}
