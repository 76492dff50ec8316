// SPDX-License-Identifier: Apache-2.0

package export

import (
	"encoding/binary"
	"math"

	"github.com/weirflow/weir/services/probe/internal/meter"
	"github.com/weirflow/weir/services/probe/internal/packet"
)

// Rows writes NetFlow v1 or v5 (Cisco, NetFlow Export Datagram Format): records of a fixed
// form, of IPv4 only. It is not safe for concurrent use.
type Rows struct {
	cfg      Config
	send     Send
	sampling uint16 // mode and interval
	sequence uint32
	buf      []byte
	flows    int
}

// Elements that have a place in a row.
const (
	idProtocol, idTOS, idSrcPort, idSrcIPv4, idInIf, idDstPort, idDstIPv4, idICMPv4 = 4, 5, 7, 8, 10, 11, 12, 32
)

// NewRows makes a stream that sends nothing yet.
func NewRows(cfg Config, send Send) *Rows {
	r := &Rows{cfg: cfg, send: send}
	const deterministic, random, maxInterval = 1 << 14, 2 << 14, 1<<14 - 1
	for _, s := range cfg.Samplings {
		mode := uint16(random)
		if s.Selector.Method == meter.CountBased {
			mode = deterministic
		}
		r.sampling = mode | uint16(min(math.Round(s.Selector.OneIn()), maxInterval))
	}
	return r
}

// Record adds a flow. One of IPv6 has no place and is left out; it returns false then.
func (s *Rows) Record(now int64, r *meter.Record) bool {
	if r.Shape.Family != 4 {
		return false
	}
	const octets, most = 48, 30
	header := 24
	if s.cfg.Version == NetFlow1 {
		header = 16
	}
	if s.flows == most || len(s.buf)+octets > s.cfg.MaxOctets {
		s.Flush(now)
	}
	if len(s.buf) == 0 {
		s.buf = append(s.buf, make([]byte, header)...)
	}
	s.row(r)
	s.flows++
	return true
}

// row appends a record. Counters that are too great for their 32 bits say as much as
// they can.
func (s *Rows) row(r *meter.Record) {
	be := binary.BigEndian
	b := s.buf
	address := func(id uint16) {
		var a [4]byte
		copy(a[:], r.Bytes(id))
		b = append(b, a[:]...)
	}
	address(idSrcIPv4)
	address(idDstIPv4)
	b = append(b, 0, 0, 0, 0) // next hop
	b = be.AppendUint16(be.AppendUint16(b, uint16(r.Uint(idInIf))), 0)
	b = be.AppendUint32(b, uint32(min(r.Packets, math.MaxUint32)))
	b = be.AppendUint32(b, uint32(min(r.Octets, math.MaxUint32)))
	b = be.AppendUint32(b, uint32((r.Start-s.cfg.Boot)/1e6))
	b = be.AppendUint32(b, uint32((r.End-s.cfg.Boot)/1e6))
	proto, dstPort := byte(r.Uint(idProtocol)), uint16(r.Uint(idDstPort))
	if proto == packet.ProtoICMP {
		dstPort = uint16(r.Uint(idICMPv4))
	}
	b = be.AppendUint16(be.AppendUint16(b, uint16(r.Uint(idSrcPort))), dstPort)
	if s.cfg.Version == NetFlow1 {
		b = append(b, 0, 0, proto, byte(r.Uint(idTOS)), r.TCPFlags)
		b = append(b, make([]byte, 7)...)
	} else {
		b = append(b, 0, r.TCPFlags, proto, byte(r.Uint(idTOS)))
		b = append(b, make([]byte, 8)...) // AS numbers, prefix lengths
	}
	s.buf = b
}

// Flush sends what is there.
func (s *Rows) Flush(now int64) {
	if s.flows == 0 {
		return
	}
	be := binary.BigEndian
	be.PutUint16(s.buf, s.cfg.Version)
	be.PutUint16(s.buf[2:], uint16(s.flows))
	be.PutUint32(s.buf[4:], uint32((now-s.cfg.Boot)/1e6))
	be.PutUint32(s.buf[8:], uint32(now/1e9))
	// Time and uptime are of the same millisecond, so that one tells the boot from them.
	be.PutUint32(s.buf[12:], uint32(now%1e9/1e6*1e6))
	if s.cfg.Version == NetFlow5 {
		be.PutUint32(s.buf[16:], s.sequence)
		s.buf[20], s.buf[21] = 0, byte(s.cfg.Domain)
		be.PutUint16(s.buf[22:], s.sampling)
	}
	s.sequence += uint32(s.flows)
	message, flows := s.buf, s.flows
	s.buf, s.flows = s.buf[:0], 0
	s.send(message, flows)
}
