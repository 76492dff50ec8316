// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is struct mmsghdr of sendmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
}

// sender sends datagrams in batches. The socket is not connected: a connected one would report
// that nobody listens as an error of the next datagram, which then would not be sent.
type sender struct {
	conn *net.UDPConn
	raw  syscall.RawConn
	to   []byte // socket address
	msgs []mmsghdr
	iovs []unix.Iovec
	n    int // added
	sent int
	err  error
}

// newSender binds to source, or to any address if it is not valid.
func newSender(source netip.Addr, to netip.AddrPort) (*sender, error) {
	network := "udp4"
	if to.Addr().Unmap().Is6() {
		network = "udp6"
	}
	var local *net.UDPAddr
	if source.IsValid() {
		local = net.UDPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
	}
	conn, err := net.ListenUDP(network, local)
	if err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	const room = burst + 1 // templates
	s := &sender{conn: conn, raw: raw, to: socketAddress(to), msgs: make([]mmsghdr, room), iovs: make([]unix.Iovec, room)}
	for i := range s.msgs {
		h := &s.msgs[i].hdr
		h.Name, h.Namelen = &s.to[0], uint32(len(s.to))
		h.Iov = &s.iovs[i]
		h.SetIovlen(1)
	}
	return s, nil
}

func (s *sender) close() { _ = s.conn.Close() }

// add takes a datagram, which must stay as it is until flush.
func (s *sender) add(data []byte) {
	s.iovs[s.n].Base = &data[0]
	s.iovs[s.n].SetLen(len(data))
	s.n++
}

// flush sends what was added, and waits while the socket takes no more.
func (s *sender) flush() error {
	s.sent, s.err = 0, nil
	defer func() { s.n = 0 }()
	if err := s.raw.Write(s.sendmmsg); err != nil {
		return err
	}
	return s.err
}

func (s *sender) sendmmsg(fd uintptr) (done bool) {
	for s.sent < s.n {
		n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&s.msgs[s.sent])), uintptr(s.n-s.sent), 0, 0, 0)
		switch errno {
		case 0:
			s.sent += int(n)
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			s.err = os.NewSyscallError("sendmmsg", errno)
			return true
		}
	}
	return true
}

// socketAddress is struct sockaddr_in or sockaddr_in6.
func socketAddress(a netip.AddrPort) []byte {
	addr := a.Addr().Unmap()
	if addr.Is4() {
		b := binary.NativeEndian.AppendUint16(nil, unix.AF_INET)
		b = binary.BigEndian.AppendUint16(b, a.Port())
		return append(append(b, addr.AsSlice()...), make([]byte, 8)...)
	}
	b := binary.NativeEndian.AppendUint16(nil, unix.AF_INET6)
	b = binary.BigEndian.AppendUint16(b, a.Port())
	b = append(b, 0, 0, 0, 0) // flow label
	b = append(b, addr.AsSlice()...)
	return append(b, 0, 0, 0, 0) // scope
}
