// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/weirflow/weir/flow"
)

// Limits of what waits for templates. What is beyond is refused as the service refuses it.
const (
	maxHeldOctets = 64 << 20
	maxHeldKeys   = 1024 // templates of an exporter that are waited for
)

const (
	versionIPFIX = 10
	setHeader    = 4 // octets
)

// key names a template of an exporter.
type key struct {
	version uint16
	domain  uint32
	id      uint16
}

// set is a data set that waits for its template, with the header of its message.
type set struct {
	number  int // in the order in which they came
	packet  *packet
	message []byte
	source  flow.Datagram // without payload
}

// packet is a packet of which sets wait.
type packet struct {
	number int
	rows   int // that it has had
}

// held keeps data sets until their templates come.
type held struct {
	sets   map[netip.Addr]map[key][]*set
	octets int
	number int

	// Of the datagram that is decoded now.
	current *flow.Datagram
	packet  *packet
}

// begin says whose sets come to add.
func (h *held) begin(number int, g *flow.Datagram) {
	h.current, h.packet = g, &packet{number: number}
}

// end says how many flows the datagram has had; until the next begin nothing is kept.
func (h *held) end(rows int) { h.current, h.packet.rows = nil, rows }

// add keeps a set.
func (h *held) add(header []byte, id uint16, records []byte) {
	size := len(header) + setHeader + len(records)
	if h.current == nil || h.octets+size > maxHeldOctets {
		return
	}
	k := key{version: binary.BigEndian.Uint16(header), domain: binary.BigEndian.Uint32(header[len(header)-4:]), id: id}
	of := h.sets[h.current.Exporter]
	if of == nil {
		of = make(map[key][]*set)
		if h.sets == nil {
			h.sets = make(map[netip.Addr]map[key][]*set)
		}
		h.sets[h.current.Exporter] = of
	}
	if len(of) >= maxHeldKeys && of[k] == nil {
		return
	}
	m := append(make([]byte, 0, size), header...)
	if k.version == versionIPFIX {
		binary.BigEndian.PutUint16(m[2:], uint16(size)) //nolint:gosec // a part of a datagram
	}
	m = binary.BigEndian.AppendUint16(m, id)
	m = binary.BigEndian.AppendUint16(m, uint16(setHeader+len(records))) //nolint:gosec // a part of a datagram
	h.number++
	h.octets += size
	s := &set{number: h.number, packet: h.packet, message: append(m, records...), source: *h.current}
	s.source.Payload = nil
	of[k] = append(of[k], s)
}

// take returns the sets of an exporter whose templates are known, in the order in which they came.
func (h *held) take(exporter netip.Addr, known func(key) bool) []*set {
	var all []*set
	for k, sets := range h.sets[exporter] {
		if known(k) {
			all = append(all, sets...)
			delete(h.sets[exporter], k)
		}
	}
	slices.SortFunc(all, func(a, b *set) int { return cmp.Compare(a.number, b.number) })
	for _, s := range all {
		h.octets -= len(s.message)
	}
	return all
}

// datagram returns the set as a datagram of its own.
func (s *set) datagram() *flow.Datagram {
	g := s.source
	g.Payload = s.message
	return &g
}
