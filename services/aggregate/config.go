// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"errors"
	"fmt"
	"time"
)

// Config is the section aggregate of the settings.
type Config struct {
	// Window is the length of the windows of flows_5m. They start at multiples of it since 1970.
	Window time.Duration `yaml:"window" usage:"length of the windows of flows_5m"`
	// AllowedLateness is how long a window stays open after its end, in event time.
	AllowedLateness time.Duration `yaml:"allowed_lateness" usage:"how far event times may be out of order before a window is closed"`
	// FlushInterval is how often partial sums are sent while windows are open.
	FlushInterval time.Duration `yaml:"flush_interval" usage:"time between partial sums of open windows"`
	// MaxKeys flushes earlier. A flush is one message, whose size bounds them.
	MaxKeys int `yaml:"max_keys" usage:"windows times keys that a partition sums up before it sends partial sums"`
	// MaxSkew protects the watermark from an exporter whose clock is ahead.
	MaxSkew time.Duration `yaml:"max_skew" usage:"how far the end of a flow may be ahead of its receipt, which else takes its place"`
	// MaxSpread bounds what one flow that claims to have lasted for years can cost.
	MaxSpread int `yaml:"max_spread" usage:"windows that a flow is spread over at most: the last ones up to its end"`
}

const (
	minWindow = time.Second
	maxWindow = 24 * time.Hour
	// maxKeys rows of at most 56 octets, and those of one input message, fit a message of 8 MiB,
	// the payload that our NATS servers are set to.
	maxKeys   = 1 << 16
	maxSpread = 1000
)

// DefaultConfig has GoFlow's windows.
func DefaultConfig() Config {
	return Config{
		Window: 5 * time.Minute, AllowedLateness: 2 * time.Minute, FlushInterval: 10 * time.Second,
		MaxKeys: maxKeys, MaxSkew: time.Minute, MaxSpread: 24,
	}
}

// Validate reports all problems at once.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.Window >= minWindow && c.Window <= maxWindow, "window: %v is not between %v and %v", c.Window, minWindow, maxWindow)
	check(c.Window%time.Second == 0, "window: %v is not whole seconds", c.Window)
	check(c.AllowedLateness >= 0 && c.AllowedLateness <= maxWindow, "allowed_lateness: %v is not between 0s and %v", c.AllowedLateness, maxWindow)
	check(c.FlushInterval >= 100*time.Millisecond, "flush_interval: %v is less than 100ms", c.FlushInterval)
	check(c.MaxKeys >= 1 && c.MaxKeys <= maxKeys, "max_keys: %d is not between 1 and %d", c.MaxKeys, maxKeys)
	check(c.MaxSkew >= 0, "max_skew: %v is negative", c.MaxSkew)
	check(c.MaxSpread >= 1 && c.MaxSpread <= maxSpread, "max_spread: %d is not between 1 and %d", c.MaxSpread, maxSpread)
	return errors.Join(errs...)
}
