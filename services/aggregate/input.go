// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/flow/rollup"
)

// input is the batch in hand, column by column: each is read once, whatever number of
// rollups use it. Texts and exporters are numbers of dictionaries that outlive the batch.
type input struct {
	batch     *flow.Batch
	rows      int
	numbers   [numColumns][]uint64
	addresses [numColumns][][16]byte
	read      [numColumns]bool // numbers
	readWhole [numColumns]bool // addresses

	texts     dictionary[string]
	exporters dictionary[[16]byte]
	saturated int // scaled values that stopped at 2^64 - 1
}

// Columns that are no fields stand behind the fields.
const (
	servicePort = 240 + iota
	scaledBytes
	scaledPackets
	ones
	numColumns
)

func (in *input) reset(b *flow.Batch) {
	in.batch, in.rows = b, b.Rows()
	in.read, in.readWhole = [numColumns]bool{}, [numColumns]bool{}
	in.saturated = 0
}

// number returns a column of numbers, or of numbers of a dictionary.
func (in *input) number(column int) []uint64 {
	if in.read[column] {
		return in.numbers[column]
	}
	in.read[column] = true
	dst := in.numbers[column][:0]
	switch column {
	case servicePort:
		dst = in.lowerPort(dst)
	case scaledBytes:
		dst = in.scaled(dst, flow.Bytes)
	case scaledPackets:
		dst = in.scaled(dst, flow.Packets)
	case ones:
		for range in.rows {
			dst = append(dst, 1)
		}
	default:
		dst = in.field(dst, flow.Field(column)) //nolint:gosec // below numColumns
	}
	in.numbers[column] = dst
	return dst
}

func (in *input) field(dst []uint64, f flow.Field) []uint64 {
	switch f.Info().Kind {
	case flow.Text:
		numbers := []uint64{0}
		for _, v := range in.batch.Texts(f) {
			numbers = append(numbers, in.texts.number(v, keepText))
		}
		dst = flow.AppendNumbers(dst, in.batch, f)
		for i, index := range dst {
			dst[i] = numbers[index]
		}
		return dst
	case flow.Address:
		last, number := [16]byte{}, uint64(0)
		for _, a := range in.address(f) {
			if a != last { // most flows of a batch are of one exporter
				last, number = a, in.exporters.number(a, keepAddress)
			}
			dst = append(dst, number)
		}
		return dst
	default:
		return flow.AppendNumbers(dst, in.batch, f)
	}
}

// address returns a column of addresses.
func (in *input) address(f flow.Field) [][16]byte {
	if !in.readWhole[f] {
		in.readWhole[f] = true
		in.addresses[f] = flow.AppendAddresses(in.addresses[f][:0], in.batch, f)
	}
	return in.addresses[f]
}

func (in *input) lowerPort(dst []uint64) []uint64 {
	dst = append(dst, in.number(int(flow.SrcPort))...)
	for i, port := range in.number(int(flow.DstPort)) {
		dst[i] = min(dst[i], port)
	}
	return dst
}

func (in *input) scaled(dst []uint64, f flow.Field) []uint64 {
	rates := in.number(int(flow.SamplingRate))
	for i, v := range in.number(int(f)) {
		dst = append(dst, in.times(v, rates[i]))
	}
	return dst
}

// times multiplies a value by a sampling interval.
func (in *input) times(v, rate uint64) uint64 {
	high, low := bits.Mul64(v, max(rate, 1))
	if high != 0 {
		in.saturated++
		return math.MaxUint64
	}
	return low
}

// measure returns the values of a measure for flows that are in one window.
func (in *input) measure(m rollup.Measure) []uint64 {
	switch {
	case m.Of == rollup.Flows:
		return in.number(ones)
	case m.Of == rollup.Scaled && m.Field == flow.Bytes:
		return in.number(scaledBytes)
	case m.Of == rollup.Scaled:
		return in.number(scaledPackets)
	default:
		return in.number(int(m.Field))
	}
}

// pack puts the values of a key into their place, in keys of words words.
func (in *input) pack(keys []uint64, words int, k rollup.Key, p place) {
	at := p.word
	if p.wide {
		var masks []uint64
		if k.Prefix.ByMask {
			masks = in.number(int(k.Prefix.Mask))
		}
		for i, a := range in.address(k.Field) {
			if k.Prefix.Set {
				a = cut(a, k.Prefix, masks, i)
			}
			keys[at], keys[at+1] = binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(a[8:])
			at += words
		}
		return
	}
	column := int(k.Field)
	if k.Source == rollup.ServicePort {
		column = servicePort
	}
	for _, v := range in.number(column) {
		keys[at] |= (v & p.mask) << p.shift
		at += words
	}
}

// cut zeroes the bits of an address behind its prefix.
func cut(a [16]byte, p rollup.Prefix, masks []uint64, row int) [16]byte {
	bits := p.V6
	v4 := netip.AddrFrom16(a).Is4In6()
	if v4 {
		bits = p.V4
	}
	if p.ByMask {
		bits = int(min(masks[row], 128)) //nolint:gosec // at most 128
	}
	if v4 {
		bits = 96 + min(bits, 32)
	}
	for i := range a {
		keep := min(max(bits-8*i, 0), 8)
		a[i] &= byte(uint16(0xff00) >> keep)
	}
	return a
}
