// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/weirflow/weir/flow"
)

const (
	// readBatch is how many datagrams one system call fetches.
	readBatch = 64
	// maxDatagram holds every UDP payload.
	maxDatagram = 65535
	// slot is the distance of two payload buffers. It is not a power of two, so that
	// the first lines of all slots do not fall into the same set of the CPU's caches.
	slot = 1<<16 + 17*64
	// controlBytes holds a time stamp and a drop counter.
	controlBytes = 64
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
}

// socket reads one UDP socket in batches, without allocation. It is not safe for
// concurrent use, apart from stop.
type socket struct {
	conn    *net.UDPConn
	raw     syscall.RawConn
	port    uint16
	granted int    // kernel buffer, bytes
	drops   uint32 // dropped by the kernel, as last told; wraps

	msgs     []mmsghdr
	iovs     []unix.Iovec
	names    []unix.RawSockaddrInet6
	control  []byte
	payloads []byte

	receive func(fd uintptr) (done bool) // recvmmsg into n and errno, made once
	n       int
	errno   syscall.Errno
}

func newSocket(conn *net.UDPConn) (*socket, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &socket{
		conn:     conn,
		raw:      raw,
		port:     conn.LocalAddr().(*net.UDPAddr).AddrPort().Port(),
		msgs:     make([]mmsghdr, readBatch),
		iovs:     make([]unix.Iovec, readBatch),
		names:    make([]unix.RawSockaddrInet6, readBatch),
		control:  make([]byte, readBatch*controlBytes),
		payloads: make([]byte, readBatch*slot),
	}
	for i := range s.msgs {
		h := &s.msgs[i].hdr
		s.iovs[i].Base = &s.payloads[i*slot]
		s.iovs[i].SetLen(maxDatagram)
		h.Iov = &s.iovs[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&s.names[i]))
		h.Control = &s.control[i*controlBytes]
		s.rearm(i)
	}
	s.receive = s.recvmmsg
	return s, nil
}

// rearm resets what the kernel has written into header i.
func (s *socket) rearm(i int) {
	h := &s.msgs[i].hdr
	h.Namelen = unix.SizeofSockaddrInet6
	h.SetControllen(controlBytes)
	h.Flags = 0
}

func (s *socket) recvmmsg(fd uintptr) bool {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&s.msgs[0])), readBatch, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			s.n, s.errno = 0, 0
			return false
		}
		s.n, s.errno = int(n), errno
		return true
	}
}

// read waits for datagrams and returns how many came. After stop it fails with
// os.ErrDeadlineExceeded.
func (s *socket) read() (int, error) { return s.call(s.raw.Read) }

// poll is read without the wait.
func (s *socket) poll() (int, error) {
	return s.call(func(receive func(uintptr) bool) error {
		return s.raw.Control(func(fd uintptr) { receive(fd) })
	})
}

func (s *socket) call(with func(func(uintptr) bool) error) (int, error) {
	for i := range s.n {
		s.rearm(i)
	}
	s.n, s.errno = 0, 0
	if err := with(s.receive); err != nil {
		return 0, err
	}
	if s.errno != 0 {
		s.n = 0
		return 0, os.NewSyscallError("recvmmsg", s.errno)
	}
	return s.n, nil
}

// stop ends read.
func (s *socket) stop() error { return s.conn.SetReadDeadline(time.Unix(1, 0)) }

// datagram fills d with the one numbered i of the last read; its payload is valid until the
// next read. whole is false when it was longer than the buffer.
func (s *socket) datagram(i int, d *flow.Datagram) (whole bool) {
	m := &s.msgs[i]
	d.Source = source(&s.names[i])
	d.ListenerPort = s.port
	d.ReceivedNs = 0
	start := i * slot
	d.Payload = s.payloads[start : start+int(m.len) : start+int(m.len)]
	s.readControl(s.control[i*controlBytes:][:m.hdr.Controllen], d)
	if d.ReceivedNs == 0 {
		d.ReceivedNs = uint64(time.Now().UnixNano()) //nolint:gosec // after 1970
	}
	return m.hdr.Flags&unix.MSG_TRUNC == 0
}

// readControl takes receive time and drop counter out of control messages.
func (s *socket) readControl(control []byte, d *flow.Datagram) {
	for len(control) >= unix.SizeofCmsghdr {
		hdr, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			return
		}
		control = rest
		if hdr.Level != unix.SOL_SOCKET {
			continue
		}
		switch {
		case hdr.Type == unix.SO_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(unix.Timespec{})):
			t := (*unix.Timespec)(unsafe.Pointer(&data[0]))
			d.ReceivedNs = uint64(t.Nano()) //nolint:gosec // after 1970
		case hdr.Type == unix.SO_RXQ_OVFL && len(data) >= 4:
			s.drops = binary.NativeEndian.Uint32(data)
		}
	}
}

// source reads a socket address of either family.
func source(name *unix.RawSockaddrInet6) netip.AddrPort {
	if name.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), networkOrder(v4.Port))
	}
	return netip.AddrPortFrom(netip.AddrFrom16(name.Addr).Unmap(), networkOrder(name.Port))
}

func networkOrder(port uint16) uint16 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], port)
	return binary.BigEndian.Uint16(b[:])
}
