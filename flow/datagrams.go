// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"encoding/binary"
	"errors"
	"iter"
	"net/netip"

	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// Datagram is an export datagram as it came.
type Datagram struct {
	Exporter     netip.Addr // whose flows these are: see ExporterOf
	Source       netip.AddrPort
	ListenerPort uint16 // local UDP port
	ReceivedNs   uint64 // Unix ns
	Payload      []byte
}

// ExporterOf returns the address by which an exporter is known: the agent address in an
// sFlow v5 datagram (sFlow v5, section 5, sample_datagram), else the UDP source address.
// Never the port: an exporter that restarts keeps its state.
func ExporterOf(source netip.Addr, payload []byte) netip.Addr {
	const sflow5 = 5
	if len(payload) < 8 || binary.BigEndian.Uint32(payload) != sflow5 {
		return source.Unmap()
	}
	switch kind := binary.BigEndian.Uint32(payload[4:]); {
	case kind == 1 && len(payload) >= 12:
		return netip.AddrFrom4([4]byte(payload[8:]))
	case kind == 2 && len(payload) >= 24:
		return netip.AddrFrom16([16]byte(payload[8:])).Unmap()
	}
	return source.Unmap()
}

// ErrMalformedDatagrams is returned by Datagrams.UnmarshalVTUnsafe for bytes that are not a
// DatagramBatch.
var ErrMalformedDatagrams = errors.New("malformed datagram batch")

// Datagrams is a table of datagrams: weir.v1.DatagramBatch. It is not safe for concurrent use.
type Datagrams struct {
	m weirv1.DatagramBatch
}

// Rows returns the number of datagrams.
func (d *Datagrams) Rows() int { return int(d.m.Rows) }

// PayloadBytes returns the length of all payloads together.
func (d *Datagrams) PayloadBytes() int { return len(d.m.Payloads) }

// Append adds a datagram and copies its payload, which is at most 65535 octets.
func (d *Datagrams) Append(g *Datagram) {
	m := &d.m
	exporter, source := g.Exporter.As16(), g.Source.Addr().As16()
	m.Rows++
	m.Exporter = append(m.Exporter, exporter[:]...)
	m.Source = append(m.Source, source[:]...)
	m.SourcePort = binary.LittleEndian.AppendUint16(m.SourcePort, g.Source.Port())
	m.ListenerPort = binary.LittleEndian.AppendUint16(m.ListenerPort, g.ListenerPort)
	m.ReceivedNs = binary.LittleEndian.AppendUint64(m.ReceivedNs, g.ReceivedNs)
	m.Lengths = binary.LittleEndian.AppendUint16(m.Lengths, uint16(len(g.Payload))) //nolint:gosec // a UDP payload
	m.Payloads = append(m.Payloads, g.Payload...)
}

// All yields the datagrams in order. The datagram and its payload are valid until the next one.
func (d *Datagrams) All() iter.Seq[*Datagram] {
	return func(yield func(*Datagram) bool) {
		var g Datagram
		m, payloads := &d.m, d.m.Payloads
		for i := range int(m.Rows) {
			n := int(binary.LittleEndian.Uint16(m.Lengths[2*i:]))
			g.Exporter = netip.AddrFrom16([16]byte(m.Exporter[16*i:])).Unmap()
			source := netip.AddrFrom16([16]byte(m.Source[16*i:])).Unmap()
			g.Source = netip.AddrPortFrom(source, binary.LittleEndian.Uint16(m.SourcePort[2*i:]))
			g.ListenerPort = binary.LittleEndian.Uint16(m.ListenerPort[2*i:])
			g.ReceivedNs = binary.LittleEndian.Uint64(m.ReceivedNs[8*i:])
			g.Payload, payloads = payloads[:n:n], payloads[n:]
			if !yield(&g) {
				return
			}
		}
	}
}

// Reset empties the batch and keeps its memory.
func (d *Datagrams) Reset() {
	m := &d.m
	m.Rows = 0
	for _, c := range []*[]byte{&m.Exporter, &m.Source, &m.SourcePort, &m.ListenerPort, &m.ReceivedNs, &m.Lengths, &m.Payloads} {
		*c = (*c)[:0]
	}
}

// SizeVT returns the length of the wire form.
func (d *Datagrams) SizeVT() int { return d.m.SizeVT() }

// AppendVT appends the wire form of weir.v1.DatagramBatch.
func (d *Datagrams) AppendVT(dst []byte) []byte { return d.m.AppendVT(dst) }

// UnmarshalVTUnsafe replaces the batch by the message p, and aliases it: p must stay as it
// is while the batch is used, and nothing may be appended.
func (d *Datagrams) UnmarshalVTUnsafe(p []byte) error {
	d.m.Reset()
	if err := d.m.UnmarshalVTUnsafe(p); err != nil {
		return errors.Join(ErrMalformedDatagrams, err)
	}
	m, sum := &d.m, 0
	rows := int(m.Rows)
	for column, width := range map[*[]byte]int{
		&m.Exporter: 16, &m.Source: 16, &m.SourcePort: 2, &m.ListenerPort: 2, &m.ReceivedNs: 8, &m.Lengths: 2,
	} {
		if len(*column) != rows*width {
			return ErrMalformedDatagrams
		}
	}
	for i := range rows {
		sum += int(binary.LittleEndian.Uint16(m.Lengths[2*i:]))
	}
	if sum != len(m.Payloads) {
		return ErrMalformedDatagrams
	}
	return nil
}
