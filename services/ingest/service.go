// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/flow"
)

const (
	// drainTime bounds the reading of what the kernel still holds when the service stops.
	drainTime = 200 * time.Millisecond
	// storeTime bounds the wait for JetStream when the service stops.
	storeTime = 10 * time.Second
)

// Service receives datagrams and stores them in JetStream.
type Service struct {
	cfg       Config
	bus       *bus.Bus
	log       *slog.Logger
	m         *metrics
	exporters *exporters
	publisher *bus.Publisher
	memory    *memory
	batches   []*batch // of each partition
	listening atomic.Bool
}

// New checks cfg and prepares a Service. It does no I/O and starts no goroutine.
func New(cfg Config, b *bus.Bus, log *slog.Logger, reg prometheus.Registerer) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("ingest configuration: %w", err)
	}
	m := newMetrics(reg)
	s := &Service{
		cfg:       cfg,
		bus:       b,
		log:       log,
		m:         m,
		exporters: newExporters(m, b.Partitions(), cfg.MaxExporters),
		memory:    &memory{limit: cfg.MaxPendingBytes},
	}
	for p := range b.Partitions() {
		s.batches = append(s.batches, &batch{publish: func(d *flow.Datagrams) error { return s.publish(p, d) }})
	}
	return s, nil
}

// Ready returns nil while the listeners are bound.
func (s *Service) Ready() error {
	if !s.listening.Load() {
		return errors.New("listeners are not bound")
	}
	return nil
}

// Run receives until ctx ends, then stores what it and the kernel hold. A clean stop
// returns nil.
func (s *Service) Run(ctx context.Context) error {
	var listeners []*listener
	defer func() {
		for _, l := range listeners {
			l.close()
		}
	}()
	for _, address := range s.cfg.Listen {
		l, err := listen(ctx, address, s.cfg.Sockets, s.cfg.ReceiveBufferBytes)
		if err != nil {
			return err
		}
		listeners = append(listeners, l)
		s.announce(l)
	}
	s.listening.Store(true)
	defer s.listening.Store(false)

	// Readers, flusher and publisher: the first error stops all of them.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 1+len(listeners)*s.cfg.Sockets)
	defer s.startPublisher(ctx, cancel, failed)()
	var readers sync.WaitGroup
	for _, l := range listeners {
		for _, sock := range l.sockets {
			readers.Go(func() {
				if err := s.receive(ctx, l, sock); err != nil {
					failed <- fmt.Errorf("receive on %s: %w", l.address, err)
					cancel()
				}
			})
		}
	}
	go s.watchGateway(ctx)
	s.flushUntil(ctx)
	readers.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return s.finish(context.WithoutCancel(ctx))
	}
}

// startPublisher runs the publisher, beyond the end of ctx until stop is called. An error of it
// goes to failed.
func (s *Service) startPublisher(ctx context.Context, cancel func(), failed chan<- error) (stop func()) {
	s.publisher = s.bus.NewPublisher(bus.Datagrams, s.cfg.MaxPendingBytes)
	ctx, stop = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		if err := s.publisher.Run(ctx); err != nil {
			failed <- err
			cancel()
		}
	}()
	return stop
}

func (s *Service) announce(l *listener) {
	s.m.receiveBuffer.WithLabelValues(l.address).Set(float64(l.granted()))
	s.m.kernelDropped.WithLabelValues(l.address)
	s.log.Info("listening", "address", l.address, "sockets", len(l.sockets))
	if granted := l.granted() / len(l.sockets); granted < s.cfg.ReceiveBufferBytes {
		s.log.Warn("the kernel grants a smaller receive buffer; bursts may be dropped",
			"address", l.address, "wanted_bytes", s.cfg.ReceiveBufferBytes, "granted_bytes", granted,
			"remedy", fmt.Sprintf("sysctl -w net.core.rmem_max=%d", s.cfg.ReceiveBufferBytes))
	}
}

// receive reads a socket until ctx ends, then what is in its buffer.
func (s *Service) receive(ctx context.Context, l *listener, sock *socket) error {
	defer context.AfterFunc(ctx, func() { _ = sock.stop() })()
	dropped := s.m.kernelDropped.WithLabelValues(l.address)
	var d flow.Datagram
	var drops uint32
	handle := func(n int) {
		for i := range n {
			s.take(&d, sock.datagram(i, &d))
		}
		dropped.Add(float64(sock.drops - drops)) // modulo 2^32, as the kernel counts
		drops = sock.drops
	}
	for {
		n, err := sock.read()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return err
		}
		handle(n)
	}
	for deadline := time.Now().Add(drainTime); time.Now().Before(deadline); {
		n, err := sock.poll()
		if err != nil || n == 0 {
			return err
		}
		handle(n)
	}
	return nil
}

// take puts d into the batch of its partition, or refuses it.
func (s *Service) take(d *flow.Datagram, whole bool) {
	source := d.Source.Addr()
	d.Exporter = flow.ExporterOf(source, d.Payload)
	if reason := s.objection(source, d.Payload, whole); reason != "" {
		e := s.exporters.lookup(d.Exporter)
		e.came(len(d.Payload))
		e.refuse(reason)
		s.log.Debug("datagram refused", "source", d.Source, "reason", reason)
		return
	}
	e := s.exporters.get(d.Exporter)
	e.came(len(d.Payload))
	if !s.memory.admits(e, octetsOf(d)) {
		e.refuse(reasonOf(s.publisher.Trouble()))
		return
	}
	if err := s.batches[e.partition].add(d); err != nil {
		e.refuse(reasonOf(err))
		return
	}
	s.memory.take(e, octetsOf(d))
}

// objection returns the reason not to take a datagram, empty when there is none.
func (s *Service) objection(source netip.Addr, payload []byte, whole bool) string {
	switch {
	case !s.allowed(source):
		return notAllowed
	case !whole:
		return truncated
	case !knownVersion(payload):
		return unknownVersion
	}
	return ""
}

func (s *Service) allowed(source netip.Addr) bool {
	for _, p := range s.cfg.Allow {
		if p.Contains(source) {
			return true
		}
	}
	return len(s.cfg.Allow) == 0
}

// knownVersion tells whether the datagram begins as one that decode reads: NetFlow and IPFIX
// with a version of 16 bits, sFlow v5 with one of 32.
func knownVersion(payload []byte) bool {
	if len(payload) < 4 {
		return false
	}
	switch binary.BigEndian.Uint16(payload) {
	case 1, 5, 7, 8, 9, 10:
		return true
	case 0:
		return binary.BigEndian.Uint16(payload[2:]) == 5
	}
	return false
}

func reasonOf(err error) string {
	switch {
	case errors.Is(err, bus.ErrStreamFull):
		return streamFull
	case errors.Is(err, bus.ErrDisconnected):
		return disconnected
	}
	return backlog
}

// publish hands d over to JetStream.
func (s *Service) publish(partition int, d *flow.Datagrams) error {
	rows, uses := float64(d.Rows()), s.exporters.usesOf(d)
	return s.publisher.Publish(partition, d, func() {
		s.m.stored.Add(rows)
		for _, u := range uses {
			s.memory.take(u.exporter, -u.octets)
		}
	})
}

// flushUntil publishes every batch at the flush interval, until ctx ends.
func (s *Service) flushUntil(ctx context.Context) {
	ticker := time.NewTicker(s.cfg.FlushInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			for _, b := range s.batches {
				_ = b.flush() // the rows stay, and what does not fit is refused and counted
			}
			s.m.pending.Set(float64(s.publisher.PendingBytes()))
		}
	}
}

// finish stores what is left, and counts what can't be.
func (s *Service) finish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	refused := 0
	for _, b := range s.batches {
		if b.flush() == nil {
			continue
		}
		// No room: wait until everything before it is stored.
		if s.publisher.Flush(ctx) == nil && b.flush() == nil {
			continue
		}
		b.drop(func(d *flow.Datagram) {
			refused++
			s.exporters.get(d.Exporter).refuse(stopped)
		})
	}
	if err := s.publisher.Flush(ctx); err != nil {
		return fmt.Errorf("stop: store what was received: %w", err)
	}
	if refused > 0 {
		return fmt.Errorf("stop: %d datagrams could not be stored", refused)
	}
	return nil
}
