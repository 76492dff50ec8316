// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"encoding/binary"
	"net/netip"
)

// MaxList is how many values of a list a Record holds; what is beyond is cut and
// flagged ListTruncated.
const MaxList = 64

const (
	numAddresses = int(endAddress) - firstAddress
	numLists     = int(endList) - firstList
)

// Record is one flow while it is decoded: flat, without pointers, reused. Only fields
// that were set since Reset count, so resetting costs nothing.
type Record struct {
	set     [(numFields + 63) / 64]uint64
	numbers [numNumbers]uint64
	addrs   [numAddresses][16]byte
	lists   [numLists]list
}

type list struct {
	n       int
	numbers [MaxList]uint64
	addrs   [MaxList][16]byte
}

// Reset forgets all fields.
func (r *Record) Reset() { r.set = [(numFields + 63) / 64]uint64{} }

// Has tells whether f was set.
func (r *Record) Has(f Field) bool { return r.set[f/64]&(1<<(f%64)) != 0 }

// SetNumber sets a field of kind Number, or of kind Text to an index from Batch.Intern.
func (r *Record) SetNumber(f Field, v uint64) {
	r.numbers[f] = v
	r.set[f/64] |= 1 << (f % 64)
}

// Number returns a field of kind Number or Text, 0 where it was not set.
func (r *Record) Number(f Field) uint64 {
	if !r.Has(f) {
		return 0
	}
	return r.numbers[f]
}

// Flag sets bits of the field Quality.
func (r *Record) Flag(bits uint64) { r.SetNumber(Quality, r.Number(Quality)|bits) }

// SetAddress sets a field of kind Address to 16 octets.
func (r *Record) SetAddress(f Field, a [16]byte) {
	r.addrs[f-firstAddress] = a
	r.set[f/64] |= 1 << (f % 64)
}

// SetIPv4 sets a field of kind Address from the 4 octets of an IPv4 address, mapped.
func (r *Record) SetIPv4(f Field, a uint32) {
	p := &r.addrs[f-firstAddress]
	binary.BigEndian.PutUint64(p[:8], 0)
	binary.BigEndian.PutUint64(p[8:], 0xffff<<32|uint64(a))
	r.set[f/64] |= 1 << (f % 64)
}

// Address returns a field of kind Address, `::` where it was not set.
func (r *Record) Address(f Field) netip.Addr {
	if !r.Has(f) {
		return netip.IPv6Unspecified()
	}
	return netip.AddrFrom16(r.addrs[f-firstAddress])
}

// AddNumber adds a value to a field of kind Numbers.
func (r *Record) AddNumber(f Field, v uint64) {
	if l := r.grow(f); l != nil {
		l.numbers[l.n-1] = v
	}
}

// AddAddress adds a value to a field of kind Addresses.
func (r *Record) AddAddress(f Field, a [16]byte) {
	if l := r.grow(f); l != nil {
		l.addrs[l.n-1] = a
	}
}

// Len returns how many values a list field has.
func (r *Record) Len(f Field) int {
	if !r.Has(f) {
		return 0
	}
	return r.lists[f-firstList].n
}

// grow makes room for one more value; nil when the list is full.
func (r *Record) grow(f Field) *list {
	l := &r.lists[f-firstList]
	if !r.Has(f) {
		l.n = 0
		r.set[f/64] |= 1 << (f % 64)
	}
	if l.n == MaxList {
		r.Flag(ListTruncated)
		return nil
	}
	l.n++
	return l
}
