// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/daemon"
)

// natsServerConfig is about the NATS server inside of weir up.
type natsServerConfig struct {
	Listen       string        `yaml:"listen" usage:"address:port where the embedded NATS server lets others in, without a password; empty means nowhere"`
	SyncInterval time.Duration `yaml:"sync_interval" usage:"time between writes of the streams from the kernel's cache to the disk; 0 writes at once"`
}

// Validate returns everything that is wrong with c.
func (c natsServerConfig) Validate() error {
	var errs []error
	if c.Listen != "" {
		if _, err := netip.ParseAddrPort(c.Listen); err != nil {
			errs = append(errs, fmt.Errorf("listen: is %q, want e.g. \"127.0.0.1:4222\"", c.Listen))
		}
	}
	if c.SyncInterval < 0 {
		errs = append(errs, errors.New("sync_interval: is negative"))
	}
	return errors.Join(errs...)
}

const (
	natsMaxPayload = bus.MaxPayload
	// natsSpare is what JetStream may use beside the streams of nats.max_bytes, for
	// the buckets.
	natsSpare = 1 << 30
	natsReady = 30 * time.Second // a large store is read at the start
)

// startNATS starts a JetStream server that keeps its streams under dir.
func startNATS(cfg natsServerConfig, streams bus.Config, dir string, log *slog.Logger) (*server.Server, error) {
	opts := &server.Options{
		ServerName:             "weir",
		DontListen:             cfg.Listen == "",
		NoSigs:                 true,
		MaxPayload:             natsMaxPayload,
		JetStream:              true,
		StoreDir:               filepath.Join(dir, "nats"),
		JetStreamMaxStore:      streams.MaxBytes + natsSpare,
		JetStreamMaxMemory:     128 << 20,
		SyncInterval:           cfg.SyncInterval,
		SyncAlways:             cfg.SyncInterval == 0,
		DisableJetStreamBanner: true,
	}
	if cfg.Listen != "" {
		if err := checkFree(cfg.Listen); err != nil {
			return nil, daemon.ListenError("nats_server.listen", cfg.Listen, err)
		}
		at := netip.MustParseAddrPort(cfg.Listen)
		opts.Host, opts.Port = at.Addr().String(), int(at.Port())
	}
	if err := os.MkdirAll(opts.StoreDir, 0o750); err != nil {
		return nil, fmt.Errorf("embedded NATS: %w", err)
	}
	if err := checkDisk(opts.StoreDir, opts.JetStreamMaxStore); err != nil {
		return nil, err
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("embedded NATS: %w", err)
	}
	s.SetLoggerV2(natsLog{log}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(natsReady) {
		s.Shutdown()
		return nil, fmt.Errorf("embedded NATS: not ready after %v", natsReady)
	}
	return s, nil
}

// checkFree listens on address and lets it go: the server only logs when it can't.
func checkFree(address string) error {
	l, err := net.Listen("tcp", address) //nolint:noctx // it is closed at once
	if err != nil {
		return err
	}
	return l.Close()
}

// stopNATS ends the server and waits until its streams are written.
func stopNATS(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// natsLog is a server.Logger that writes to slog, notices at debug level.
type natsLog struct{ log *slog.Logger }

const said = "nats server" // the message; what it says is an attribute

func (l natsLog) Noticef(format string, v ...any) {
	l.log.Debug(said, "text", fmt.Sprintf(format, v...))
}

func (l natsLog) Warnf(format string, v ...any) { l.log.Warn(said, "text", fmt.Sprintf(format, v...)) }

func (l natsLog) Fatalf(format string, v ...any) {
	l.log.Error(said, "text", fmt.Sprintf(format, v...))
}

func (l natsLog) Errorf(format string, v ...any) {
	l.log.Error(said, "text", fmt.Sprintf(format, v...))
}

func (l natsLog) Debugf(format string, v ...any) {
	l.log.Debug(said, "text", fmt.Sprintf(format, v...))
}

func (l natsLog) Tracef(format string, v ...any) {
	l.log.Debug(said, "text", fmt.Sprintf(format, v...))
}
