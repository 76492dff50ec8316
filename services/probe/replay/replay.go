// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/weirflow/weir/services/probe/internal/capture"
	"github.com/weirflow/weir/services/probe/internal/packet"
)

// Config says what is sent where.
type Config struct {
	File  string
	To    netip.AddrPort
	Speed float64  // 1: as captured, 10: ten times faster, 0: as fast as possible
	Ports []uint16 // only datagrams to these; empty: all that begin like flow export
}

// Report is what was sent.
type Report struct {
	Exporters []Exporter `json:"exporters"`
	// Fragments are IP fragments, which are left out.
	Fragments uint64 `json:"fragments"`
	// Cut are datagrams that the capture does not have in full, which are left out.
	Cut uint64 `json:"cut"`
}

// Exporter is a socket of the capture and what stands for it.
type Exporter struct {
	Captured  netip.AddrPort `json:"captured"`
	Source    netip.AddrPort `json:"source"`
	Datagrams uint64         `json:"datagrams"`
	Bytes     uint64         `json:"bytes"` // of payload
}

// replayer sends.
type replayer struct {
	cfg       Config
	report    Report
	exporters map[netip.AddrPort]*exporter
	addresses map[netip.Addr]netip.Addr // by the captured one
}

type exporter struct {
	Exporter
	conn *net.UDPConn
}

// Run sends until the file or ctx ends, and tells what it sent.
func Run(ctx context.Context, cfg Config) (Report, error) {
	f, err := os.Open(cfg.File)
	if err != nil {
		return Report{}, err
	}
	defer f.Close()
	in, err := capture.NewReader(f)
	if err != nil {
		return Report{}, fmt.Errorf("read %s: %w", cfg.File, err)
	}
	r := &replayer{cfg: cfg, exporters: map[netip.AddrPort]*exporter{}, addresses: map[netip.Addr]netip.Addr{}}
	defer r.close()
	err = r.run(ctx, in)
	for _, e := range r.exporters {
		r.report.Exporters = append(r.report.Exporters, e.Exporter)
	}
	slices.SortFunc(r.report.Exporters, func(a, b Exporter) int { return a.Captured.Compare(b.Captured) })
	return r.report, err
}

func (r *replayer) close() {
	for _, e := range r.exporters {
		_ = e.conn.Close()
	}
}

func (r *replayer) run(ctx context.Context, in *capture.Reader) error {
	pace := capture.Pace{Speed: r.cfg.Speed}
	var raw capture.Packet
	var p packet.Packet
	for ctx.Err() == nil {
		switch err := in.Next(&raw); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read %s: %w", r.cfg.File, err)
		}
		p.Parse(raw.Data, raw.Length, raw.Link)
		payload, ok := r.payload(&p)
		if !ok {
			continue
		}
		if !pace.Wait(ctx, raw.Time) {
			return nil
		}
		if err := r.send(&p, payload); err != nil {
			return err
		}
	}
	return nil
}

const (
	udpHeader     = 8
	moreFragments = 0x20
)

// payload returns the datagram of a packet, if it has one that is to be sent.
func (r *replayer) payload(p *packet.Packet) ([]byte, bool) {
	if p.Version == 0 || p.Proto != packet.ProtoUDP {
		return nil, false
	}
	if p.FragmentOffset > 0 || p.FragmentFlags&moreFragments != 0 {
		r.report.Fragments++
		return nil, false
	}
	start := p.IPOffset + p.IPHeader + udpHeader
	end := start + int(p.UDPLength) - udpHeader
	if p.UDPLength < udpHeader || start > len(p.Frame) {
		return nil, false
	}
	if len(r.cfg.Ports) > 0 && !slices.Contains(r.cfg.Ports, p.DstPort) {
		return nil, false
	}
	if len(r.cfg.Ports) == 0 && !isExport(p.Frame[start:min(end, len(p.Frame))]) {
		return nil, false
	}
	if end > len(p.Frame) {
		r.report.Cut++
		return nil, false
	}
	return p.Frame[start:end], true
}

// isExport looks at the version: 16 bits of NetFlow and IPFIX, 32 of sFlow.
func isExport(b []byte) bool {
	if len(b) < 16 {
		return false
	}
	switch binary.BigEndian.Uint16(b) {
	case 1, 5, 6, 7, 8, 9, 10:
		return true
	}
	return binary.BigEndian.Uint32(b) == 5
}

func (r *replayer) send(p *packet.Packet, payload []byte) error {
	address := netip.AddrFrom16(p.Src)
	if p.Version == 4 {
		address = netip.AddrFrom4([4]byte(p.Src[:4]))
	}
	e, err := r.exporter(netip.AddrPortFrom(address, p.SrcPort))
	if err != nil {
		return err
	}
	if _, err := e.conn.WriteToUDPAddrPort(payload, r.cfg.To); err != nil {
		return fmt.Errorf("send to %v: %w", r.cfg.To, err)
	}
	e.Datagrams++
	e.Bytes += uint64(len(payload))
	return nil
}

// exporter returns the socket that stands for a captured one. It has the same port, if that
// is free.
func (r *replayer) exporter(captured netip.AddrPort) (*exporter, error) {
	if e := r.exporters[captured]; e != nil {
		return e, nil
	}
	source, ok := r.addresses[captured.Addr()]
	if !ok {
		source = r.nextSource()
		r.addresses[captured.Addr()] = source
	}
	network := "udp4"
	if r.cfg.To.Addr().Is6() {
		network = "udp6"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(source, captured.Port())))
	if err != nil {
		conn, err = net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(source, 0)))
	}
	if err != nil {
		return nil, fmt.Errorf("exporter %v: %w", captured, err)
	}
	e := &exporter{Exporter{Captured: captured, Source: conn.LocalAddr().(*net.UDPAddr).AddrPort()}, conn}
	r.exporters[captured] = e
	return e, nil
}

// nextSource returns 127.0.0.2 and so on for collectors on IPv4 loopback. Others see this
// machine's address, and exporters differ by their port only.
func (r *replayer) nextSource() netip.Addr {
	to := r.cfg.To.Addr()
	if !to.Is4() {
		return netip.IPv6Unspecified()
	}
	if !to.IsLoopback() {
		return netip.IPv4Unspecified()
	}
	n := uint32(len(r.addresses)) + 2
	return netip.AddrFrom4([4]byte{127, byte(n >> 16), byte(n >> 8), byte(n)})
}
