// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"net/netip"
	"slices"
)

// key names a datagram in fragments. Only those of UDP are kept.
type key struct {
	src, dst netip.Addr
	id       uint32
}

// Limits of what is kept.
const (
	maxOpen      = 512  // datagrams that lack fragments; the oldest gives way
	maxFragments = 1024 // of a datagram
)

// fragments keeps the fragments of datagrams that are not whole.
type fragments struct {
	open  map[key]*pieces
	order []key // of open, oldest first
	given int   // datagrams that were given up
}

// pieces are the fragments of a datagram, by place.
type pieces struct {
	parts []piece
	total int // octets, 0 before the last fragment came
	have  int
}

type piece struct {
	at   int
	data []byte
}

// add keeps a fragment and returns the datagram if it is whole now. ok says that the fragment
// makes sense beside the others; one that does not ends the datagram (RFC 5722 §3).
func (f *fragments) add(k key, at int, more bool, p []byte) (whole []byte, ok bool) {
	d := f.open[k]
	if d == nil {
		d = f.start(k)
	}
	if !d.put(at, more, p) {
		f.forget(k)
		return nil, false
	}
	if d.total == 0 || d.have != d.total {
		return nil, true
	}
	whole = make([]byte, 0, d.total)
	for _, part := range d.parts {
		whole = append(whole, part.data...)
	}
	f.forget(k)
	return whole, true
}

func (f *fragments) start(k key) *pieces {
	if f.open == nil {
		f.open = make(map[key]*pieces)
	}
	if len(f.order) >= maxOpen {
		f.forget(f.order[0])
		f.given++
	}
	d := &pieces{}
	f.open[k] = d
	f.order = append(f.order, k)
	return d
}

func (f *fragments) forget(k key) {
	delete(f.open, k)
	f.order = slices.DeleteFunc(f.order, func(o key) bool { return o == k })
}

// put places a fragment; false says that it is impossible or overlaps others.
func (d *pieces) put(at int, more bool, p []byte) bool {
	end := at + len(p)
	beyond := end > maxDatagram || d.total != 0 && end > d.total
	if beyond || len(p) == 0 || more && len(p)%8 != 0 || len(d.parts) == maxFragments {
		return false
	}
	i, found := slices.BinarySearchFunc(d.parts, at, func(o piece, at int) int { return o.at - at })
	if found {
		return len(d.parts[i].data) == len(p) // it came twice
	}
	if !d.free(i, at, end) {
		return false
	}
	if !more {
		if d.total != 0 || i < len(d.parts) {
			return false
		}
		d.total = end
	}
	d.parts = slices.Insert(d.parts, i, piece{at, slices.Clone(p)})
	d.have += len(p)
	return true
}

// free tells whether there is nothing yet between two places, before part i.
func (d *pieces) free(i, at, end int) bool {
	if i > 0 && d.parts[i-1].at+len(d.parts[i-1].data) > at {
		return false
	}
	return i == len(d.parts) || end <= d.parts[i].at
}
