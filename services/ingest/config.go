// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// Config is the section `ingest`.
type Config struct {
	Listen             []string       `yaml:"listen" usage:"UDP addresses to listen on, each for every protocol"`
	Sockets            int            `yaml:"sockets" usage:"sockets of each listener; the kernel spreads exporters over them"`
	ReceiveBufferBytes int            `yaml:"receive_buffer_bytes" usage:"kernel buffer of each socket"`
	Allow              []netip.Prefix `yaml:"allow" usage:"networks that may send; empty: everybody"`
	MaxExporters       int            `yaml:"max_exporters" usage:"exporters with metrics of their own; the rest is counted as other"`
	FlushInterval      time.Duration  `yaml:"flush_interval" usage:"longest time that a datagram waits for its batch to fill"`
	MaxPendingBytes    int64          `yaml:"max_pending_bytes" usage:"memory for what JetStream has not stored yet; beyond it datagrams are refused"`
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{
		Listen:             []string{":2055", ":4739", ":6343"},
		Sockets:            2,
		ReceiveBufferBytes: 16 << 20,
		Allow:              []netip.Prefix{},
		MaxExporters:       4096,
		FlushInterval:      50 * time.Millisecond,
		MaxPendingBytes:    128 << 20,
	}
}

const (
	maxSockets  = 64
	minPending  = 1 << 20 // some batches
	minReceive  = 64 << 10
	maxReceive  = 1 << 30 // the kernel doubles it in an int
	minInterval = time.Millisecond
	maxInterval = 10 * time.Second
)

// Validate returns all problems at once.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(len(c.Listen) > 0, `listen: is empty, want e.g. ":2055"`)
	seen := map[string]bool{}
	for i, address := range c.Listen {
		if err := checkAddress(address); err != nil {
			errs = append(errs, fmt.Errorf("listen[%d]: %w", i, err))
		}
		check(!seen[address], "listen[%d]: %q is there twice", i, address)
		seen[address] = true
	}
	check(c.Sockets >= 1 && c.Sockets <= maxSockets, "sockets: is %d, want 1 to %d", c.Sockets, maxSockets)
	check(c.ReceiveBufferBytes >= minReceive && c.ReceiveBufferBytes <= maxReceive,
		"receive_buffer_bytes: is %d, want 64KiB to 1GiB", c.ReceiveBufferBytes)
	for i, p := range c.Allow {
		check(p.IsValid(), `allow[%d]: is empty, want a network such as "10.0.0.0/8"`, i)
	}
	check(c.MaxExporters >= 1, "max_exporters: is %d, want 1 or more", c.MaxExporters)
	check(c.FlushInterval >= minInterval && c.FlushInterval <= maxInterval,
		"flush_interval: is %v, want %v to %v", c.FlushInterval, minInterval, maxInterval)
	check(c.MaxPendingBytes >= minPending, "max_pending_bytes: is %d, want 1MiB or more", c.MaxPendingBytes)
	return errors.Join(errs...)
}

// checkAddress accepts "address:port" and ":port".
func checkAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf(`is %q, want e.g. ":2055" or "192.0.2.1:2055"`, address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("is %q, want a port from 0 to 65535", address)
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" {
		return fmt.Errorf("is %q, want an IP address before the port, or none for all", address)
	}
	return nil
}
