// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// listener is one address with its sockets.
type listener struct {
	address string // as the kernel has bound it
	sockets []*socket
}

// listen binds count sockets to address.
//
// The first one is bound without SO_REUSEPORT: with it, a second process on the same port
// would not fail but silently take a share of the exporters away. It joins the group of the
// others right after that.
func listen(ctx context.Context, address string, count, buffer int) (_ *listener, err error) {
	l := &listener{address: address}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	for i := range count {
		conf := net.ListenConfig{}
		if i > 0 {
			conf.Control = func(_, _ string, c syscall.RawConn) error { return control(c, reusePort) }
		}
		conn, err := conf.ListenPacket(ctx, "udp", l.address)
		if errors.Is(err, unix.EADDRINUSE) {
			return nil, fmt.Errorf("listen %s: another program has the port; stop it, or choose another with ingest.listen", address)
		}
		if err != nil {
			return nil, fmt.Errorf("listen %s (ingest.listen): %w", address, err)
		}
		s, err := newSocket(conn.(*net.UDPConn))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen %s: %w", address, err), conn.Close())
		}
		l.sockets = append(l.sockets, s)
		l.address = conn.LocalAddr().String()
		if err := control(s.raw, func(fd int) error { return s.configure(fd, buffer) }); err != nil {
			return nil, fmt.Errorf("listen %s: %w", address, err)
		}
	}
	return l, nil
}

func (l *listener) close() {
	for _, s := range l.sockets {
		_ = s.conn.Close() // nothing was written
	}
}

// granted returns the kernel buffer of all sockets, bytes.
func (l *listener) granted() int {
	sum := 0
	for _, s := range l.sockets {
		sum += s.granted
	}
	return sum
}

// configure sets the options of a bound socket and notes the buffer it got.
func (s *socket) configure(fd, buffer int) error {
	if err := reusePort(fd); err != nil {
		return err
	}
	for _, option := range []int{unix.SO_TIMESTAMPNS, unix.SO_RXQ_OVFL} {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 1); err != nil {
			return err
		}
	}
	// FORCE goes beyond net.core.rmem_max but needs CAP_NET_ADMIN.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer) != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer); err != nil {
			return err
		}
	}
	doubled, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	s.granted = doubled / 2 // socket(7): the kernel doubles it for its own bookkeeping
	return err
}

func reusePort(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}

func control(c syscall.RawConn, f func(fd int) error) error {
	var err error
	if outer := c.Control(func(fd uintptr) { err = f(int(fd)) }); outer != nil {
		return outer
	}
	return err
}
