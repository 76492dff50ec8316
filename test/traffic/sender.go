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
	n    int  // datagrams added
	m    int  // messages that they make
	join bool // datagrams of the same length go into one message (udp(7), UDP_SEGMENT)
	size [][]byte
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
	const room = 2*burst + 1 // templates, and each datagram may be sent twice
	s := &sender{
		conn: conn, raw: raw, to: socketAddress(to), msgs: make([]mmsghdr, room), iovs: make([]unix.Iovec, room),
		join: to.Addr().IsLoopback(), size: make([][]byte, room),
	}
	for i := range s.msgs {
		h := &s.msgs[i].hdr
		h.Name, h.Namelen = &s.to[0], uint32(len(s.to))
		s.size[i] = segmentSize()
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

// segmentSize makes room for the control message UDP_SEGMENT, whose value is set later.
func segmentSize() []byte {
	b := make([]byte, unix.CmsgSpace(2))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	return b
}

// pack makes messages of what was added. On loopback the kernel takes datagrams of the same
// length as one, and takes them apart where they arrive.
func (s *sender) pack() {
	const maxJoined = 44 // of 1472 octets in a message
	s.m = 0
	for i := 0; i < s.n; {
		size := s.iovs[i].Len
		end := i + 1
		for s.join && end < s.n && end-i < maxJoined && s.iovs[end].Len == size {
			end++
		}
		h := &s.msgs[s.m].hdr
		h.Iov = &s.iovs[i]
		h.SetIovlen(end - i)
		h.Control = nil
		h.SetControllen(0)
		if end-i > 1 {
			control := s.size[s.m]
			binary.NativeEndian.PutUint16(control[unix.CmsgLen(0):], uint16(size))
			h.Control = &control[0]
			h.SetControllen(len(control))
		}
		s.m++
		i = end
	}
}

// flush sends what was added, and waits while the socket takes no more.
func (s *sender) flush() error {
	s.pack()
	s.sent, s.err = 0, nil
	defer func() { s.n = 0 }()
	if err := s.raw.Write(s.sendmmsg); err != nil {
		return err
	}
	return s.err
}

func (s *sender) sendmmsg(fd uintptr) (done bool) {
	for s.sent < s.m {
		n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&s.msgs[s.sent])), uintptr(s.m-s.sent), 0, 0, 0)
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
