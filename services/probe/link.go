// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/weirflow/weir/services/probe/internal/export"
	"github.com/weirflow/weir/services/probe/internal/model"
)

const (
	ethernetMTU = 1500
	// A message over TCP may be longer than a packet, but a collector should not
	// have to wait for it.
	maxTCPMessage = 16 << 10

	dialTimeout  = 5 * time.Second
	writeTimeout = 2 * time.Second
	redialAfter  = 5 * time.Second
	sampleHeader = 128 // octets of each packet in sFlow
)

// link is the way to a destination.
type link struct {
	model.Destination
	m         *metrics
	log       *slog.Logger
	tls       *tls.Config
	agent     netip.Addr // of sFlow
	maxOctets int

	streams map[uint32]*export.Stream // by domain
	rows    map[uint32]*export.Rows

	packets *net.UDPConn // UDP: not connected, since a connected socket loses a datagram for each refusal
	to      netip.AddrPort
	conn    net.Conn    // TCP, TLS; nil while there is none
	next    time.Time   // when to dial again
	dialed  chan dialed // has what comes of a dialing under way; nil: none
}

// dialed is what came of dialing.
type dialed struct {
	conn net.Conn
	err  error
}

// dial opens the way. Over UDP nobody needs to listen.
func dial(ctx context.Context, d model.Destination, security *tls.Config, m *metrics, log *slog.Logger) (*link, error) {
	l := &link{
		Destination: d, m: m, log: log.With("collector", d.Address), tls: security,
		streams: map[uint32]*export.Stream{}, rows: map[uint32]*export.Rows{},
	}
	var err error
	if d.Transport == model.UDP {
		err = l.openUDP(ctx)
	} else {
		l.maxOctets = maxTCPMessage
		l.conn, err = l.connect(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", describe(d), err)
	}
	return l, nil
}

func (l *link) openUDP(ctx context.Context) error {
	dialer := net.Dialer{Timeout: dialTimeout}
	if l.Source.IsValid() {
		dialer.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(l.Source, 0))
	}
	trial, err := dialer.DialContext(ctx, "udp", l.Address) // resolves, and finds the route
	if err != nil {
		return err
	}
	defer trial.Close()
	remote, local := trial.RemoteAddr().(*net.UDPAddr).AddrPort(), trial.LocalAddr().(*net.UDPAddr).AddrPort()
	l.to, l.agent = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()), local.Addr().Unmap()
	const udpHeader = 8
	headers := 20 + udpHeader
	network := "udp4"
	if l.to.Addr().Is6() {
		headers, network = 40+udpHeader, "udp6"
	}
	packet := l.MaxPacket
	if packet == 0 {
		packet = min(routeMTU(trial.(*net.UDPConn), l.to.Addr().Is6()), ethernetMTU)
	}
	l.maxOctets = packet - headers
	l.packets, err = net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(local.Addr(), 0)))
	if err == nil && l.SendBuffer > 0 {
		err = l.packets.SetWriteBuffer(l.SendBuffer)
	}
	return err
}

// routeMTU asks the kernel for the MTU on the way of a connected socket.
func routeMTU(c *net.UDPConn, v6 bool) int {
	mtu := ethernetMTU
	raw, err := c.SyscallConn()
	if err != nil {
		return mtu
	}
	level, option := unix.IPPROTO_IP, unix.IP_MTU
	if v6 {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_MTU
	}
	_ = raw.Control(func(fd uintptr) {
		if v, err := unix.GetsockoptInt(int(fd), level, option); err == nil && v > 0 {
			mtu = v
		}
	})
	return mtu
}

func (l *link) connect(ctx context.Context) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: dialTimeout}
	if l.Source.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(l.Source, 0))
	}
	if l.Transport == model.TLS {
		cfg := l.tls.Clone()
		cfg.ServerName = l.ServerName
		if cfg.ServerName == "" {
			cfg.ServerName, _, _ = net.SplitHostPort(l.Address)
		}
		secure := tls.Dialer{NetDialer: dialer, Config: cfg}
		return secure.DialContext(ctx, "tcp", l.Address)
	}
	return dialer.DialContext(ctx, "tcp", l.Address)
}

// write sends a message. One that can't be sent is lost and counted.
func (l *link) write(message []byte, flows int) {
	var err error
	if l.packets != nil {
		_, err = l.packets.WriteToUDPAddrPort(message, l.to)
	} else {
		err = l.writeTCP(message)
	}
	if err != nil {
		l.m.unsent.Add(float64(flows))
		return
	}
	l.m.messages.Inc()
	l.m.flows.Add(float64(flows))
	l.m.bytes.Add(float64(len(message)))
}

var errNotConnected = errors.New("not connected")

func (l *link) writeTCP(message []byte) error {
	if l.conn == nil {
		return errNotConnected
	}
	_ = l.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // fails for a closed one only, and so does Write
	_, err := l.conn.Write(message)
	if err != nil {
		l.log.Warn("connection lost", "err", err)
		_ = l.conn.Close()
		l.conn = nil
	}
	return err
}

// keep dials again, now and then, after a connection was lost; measuring goes on meanwhile.
// Streams begin anew with a connection (RFC 7011 section 8: templates live as long as theirs).
func (l *link) keep(ctx context.Context) {
	switch {
	case l.packets != nil || l.conn != nil:
	case l.dialed != nil:
		select {
		case d := <-l.dialed:
			l.dialed = nil
			l.resume(d)
		default:
		}
	case !time.Now().Before(l.next):
		l.next = time.Now().Add(redialAfter)
		answer := make(chan dialed, 1)
		l.dialed = answer
		go func() {
			conn, err := l.connect(ctx)
			answer <- dialed{conn, err}
		}()
	}
}

// resume goes on with a new connection.
func (l *link) resume(d dialed) {
	if d.err != nil {
		l.log.Warn("no connection", "err", d.err)
		return
	}
	l.conn = d.conn
	l.m.reconnection.Inc()
	l.log.Info("connected again")
	for _, s := range l.streams {
		s.Reset()
	}
}

func (l *link) close() {
	if l.packets != nil {
		_ = l.packets.Close()
	}
	if l.conn != nil {
		_ = l.conn.Close()
	}
}

func (l *link) samplesConfig(domain uint32, boot int64) export.SamplesConfig {
	return export.SamplesConfig{Agent: l.agent, SubAgent: domain, MaxOctets: l.maxOctets, Boot: boot, Header: sampleHeader}
}
