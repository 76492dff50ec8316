// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/weirflow/weir/services/probe/internal/model"
	"github.com/weirflow/weir/services/probe/internal/packet"
)

// The ring of a socket: the kernel fills blocks and hands each over when it is full or its
// time is over (packet_mmap, TPACKET_V3).
const (
	blockBytes   = 1 << 20
	blocks       = 32
	frameBytes   = 1 << 11
	blockTimeout = 100 // ms
	pollTimeout  = 200 // ms; how late the end of a context is seen
)

// ring captures from an interface.
type ring struct {
	name  string
	index uint32
	point int
	link  uint32
	keeps model.Direction
	fd    int
	mem   []byte
	next  int // block
	lo    bool
}

// frame is a packet of a block, valid while it is handed over.
type frame struct {
	time   int64
	data   []byte
	length int
	tag    uint16 // that the kernel took off
	tagged bool
	egress bool
}

// openRing needs the capability net_raw.
func openRing(ctx context.Context, name string, point int, p model.Point) (*ring, error) {
	device, err := net.InterfaceByName(name)
	if err != nil {
		return nil, err
	}
	r := &ring{name: name, index: uint32(device.Index), point: point, keeps: p.Direction, lo: device.Flags&net.FlagLoopback != 0}
	// Protocol 0: nothing is captured before the socket is bound to the interface.
	if r.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0); err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := r.prepare(ctx, p); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *ring) prepare(ctx context.Context, p model.Point) error {
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return os.NewSyscallError("setsockopt PACKET_VERSION", err)
	}
	if err := r.filter(ctx, p); err != nil {
		return err
	}
	req := unix.TpacketReq3{
		Block_size: blockBytes, Block_nr: blocks, Frame_size: frameBytes, Frame_nr: blockBytes / frameBytes * blocks,
		Retire_blk_tov: blockTimeout,
	}
	if err := unix.SetsockoptTpacketReq3(r.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return os.NewSyscallError("setsockopt PACKET_RX_RING", err)
	}
	var err error
	if r.mem, err = unix.Mmap(r.fd, 0, blockBytes*blocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return os.NewSyscallError("mmap", err)
	}
	if p.Promiscuous {
		mreq := unix.PacketMreq{Ifindex: int32(r.index), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(r.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &mreq); err != nil {
			return os.NewSyscallError("setsockopt PACKET_ADD_MEMBERSHIP", err)
		}
	}
	all := binary.NativeEndian.Uint16([]byte{unix.ETH_P_ALL >> 8, unix.ETH_P_ALL & 0xff}) // in network order
	if err := unix.Bind(r.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: int(r.index)}); err != nil {
		return os.NewSyscallError("bind", err)
	}
	return r.setLink()
}

// filter has the kernel keep the packets that pass, and of each only the first octets.
func (r *ring) filter(ctx context.Context, p model.Point) error {
	if p.Filter == "" {
		return attach(r.fd, []bpf.RawInstruction{{Op: unix.BPF_RET | unix.BPF_K, K: uint32(p.SnapLength)}})
	}
	program, err := filterProgram(ctx, p.Filter, p.SnapLength, "-i", r.name)
	if err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	return attach(r.fd, program)
}

// setLink tells the format of the interface's frames from its hardware type.
func (r *ring) setLink() error {
	address, err := unix.Getsockname(r.fd)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	device, ok := address.(*unix.SockaddrLinklayer)
	if !ok {
		return fmt.Errorf("socket address %T is none of a link", address)
	}
	switch device.Hatype {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		r.link = packet.LinkEthernet
	case unix.ARPHRD_NONE, unix.ARPHRD_PPP, unix.ARPHRD_RAWIP, unix.ARPHRD_TUNNEL, unix.ARPHRD_SIT:
		r.link = packet.LinkRaw
	default:
		return fmt.Errorf("link type %d is none that the probe reads", device.Hatype)
	}
	return nil
}

func (r *ring) close() {
	if r.mem != nil {
		_ = unix.Munmap(r.mem)
	}
	_ = unix.Close(r.fd)
}

// drops returns how many packets the kernel dropped since it was asked last.
func (r *ring) drops() uint32 {
	stats, err := unix.GetsockoptTpacketStatsV3(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0
	}
	return stats.Drops
}

// read hands blocks to take until ctx ends; what is in the ring then is handed over too.
func (r *ring) read(ctx context.Context, take func(*ring, func(func(*frame)))) error {
	poll := []unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN | unix.POLLERR}}
	for {
		status := r.status()
		if atomic.LoadUint32(status)&unix.TP_STATUS_USER != 0 {
			take(r, r.frames)
			atomic.StoreUint32(status, unix.TP_STATUS_KERNEL)
			r.next = (r.next + 1) % blocks
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		poll[0].Revents = 0
		if _, err := unix.Poll(poll, pollTimeout); err != nil && err != unix.EINTR {
			return os.NewSyscallError("poll", err)
		}
		if poll[0].Revents&unix.POLLERR != 0 {
			if code, err := unix.GetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_ERROR); err == nil && code != 0 && unix.Errno(code) != unix.ENETDOWN {
				return os.NewSyscallError("poll", unix.Errno(code))
			}
		}
	}
}

// Places in the header of a block: version, offset of private data, then tpacket_hdr_v1.
const (
	blockStatus  = 8
	blockPackets = 12
	blockFirst   = 16
)

func (r *ring) status() *uint32 {
	return (*uint32)(unsafe.Pointer(&r.mem[r.next*blockBytes+blockStatus]))
}

// frames gives each packet of the next block to f.
func (r *ring) frames(f func(*frame)) {
	block := r.mem[r.next*blockBytes : (r.next+1)*blockBytes]
	native := binary.NativeEndian
	n, at := native.Uint32(block[blockPackets:]), native.Uint32(block[blockFirst:])
	var out frame
	for range n {
		h := (*unix.Tpacket3Hdr)(unsafe.Pointer(&block[at]))
		// A sockaddr_ll stands behind the header; its type tells the direction.
		const pktType = 10
		out.egress = block[at+uint32(unsafe.Sizeof(*h))+pktType] == unix.PACKET_OUTGOING
		if r.wants(out.egress) {
			out.time = int64(h.Sec)*1e9 + int64(h.Nsec)
			start := at + uint32(h.Mac)
			out.data, out.length = block[start:start+h.Snaplen], int(h.Len)
			out.tag, out.tagged = uint16(h.Hv1.Vlan_tci), h.Status&unix.TP_STATUS_VLAN_VALID != 0
			f(&out)
		}
		at += h.Next_offset
	}
}

// wants tells whether packets of a direction are observed. Loopback shows each packet twice,
// as it leaves and as it comes in; one of them counts.
func (r *ring) wants(egress bool) bool {
	if r.lo {
		return !egress
	}
	return r.keeps == model.Both || egress == (r.keeps == model.Egress)
}
