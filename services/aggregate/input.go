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
	skewed // 1 where the clock of the exporter is wrong
	numColumns
)

func (in *input) reset(b *flow.Batch) {
	in.batch, in.rows = b, b.Rows()
	in.read, in.readWhole = [numColumns]bool{}, [numColumns]bool{}
	in.saturated = 0
	in.numbers[skewed], in.read[skewed] = in.clocks(in.numbers[skewed][:0]), true
}

// clocks tells whose time decode did not believe; times adds what it doesn't.
func (in *input) clocks(dst []uint64) []uint64 {
	for _, quality := range in.number(int(flow.Quality)) {
		skew := uint64(0)
		if quality&flow.TimeSkewed != 0 {
			skew = 1
		}
		dst = append(dst, skew)
	}
	return dst
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

// measure returns the values of a measure for flows that are in one window, and are counted
// for one side.
func (in *input) measure(m rollup.Measure, side int) []uint64 {
	switch {
	case m.Of == rollup.Flows:
		return in.number(ones)
	case m.Of == rollup.Skewed:
		return in.number(skewed)
	case m.Of == rollup.Scaled && m.Field == flow.Bytes:
		return in.number(scaledBytes)
	case m.Of == rollup.Scaled:
		return in.number(scaledPackets)
	case m.Side && side == 1:
		return in.number(int(m.Output))
	default:
		return in.number(int(m.Field))
	}
}

// pack puts the values of a key into their place in the keys of a chunk, of words words each.
func (in *input) pack(c *chunk, words int, k rollup.Key, p place) {
	if p.wide {
		in.packAddress(c, words, k, p)
		return
	}
	column := int(fieldOf(k, c.side))
	switch k.Source {
	case rollup.ServicePort:
		column = servicePort
	case rollup.Direction:
		if c.side == 0 {
			return
		}
		column = ones
	case rollup.FromField, rollup.Interface:
		if !in.batch.Has(flow.Field(column)) { //nolint:gosec // a field
			return
		}
	default:
	}
	at := p.word
	for _, v := range in.number(column)[c.from:c.to] {
		c.keys[at] |= (v & p.mask) << p.shift
		at += words
	}
}

func (in *input) packAddress(c *chunk, words int, k rollup.Key, p place) {
	f := fieldOf(k, c.side)
	prefix := k.Prefix
	var masks []uint64
	if prefix.ByMask {
		masks = in.number(int(rollup.MaskOf(f)))
	}
	at := p.word
	for row, a := range in.address(f)[c.from:c.to] {
		if prefix.ByMask {
			prefix.V4, prefix.V6 = int(min(masks[c.from+row], 32)), int(min(masks[c.from+row], 128)) //nolint:gosec // at most 128
		}
		if prefix.Set {
			a = cut(a, prefix)
		}
		c.keys[at], c.keys[at+1] = binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(a[8:])
		at += words
	}
}

// fieldOf is the field that a key is of, for one side.
func fieldOf(k rollup.Key, side int) flow.Field {
	fields := [2]flow.Field{k.Field, k.Field}
	switch k.Source {
	case rollup.Interface:
		fields = [2]flow.Field{flow.InIf, flow.OutIf}
	case rollup.Host:
		fields = [2]flow.Field{flow.SrcAddr, flow.DstAddr}
	default:
	}
	return fields[side]
}

// cut zeroes the bits of an address behind its prefix.
func cut(a [16]byte, p rollup.Prefix) [16]byte {
	bits := p.V6
	if netip.AddrFrom16(a).Is4In6() {
		bits = 96 + p.V4
	}
	for i := range a {
		keep := min(max(bits-8*i, 0), 8)
		a[i] &= byte(uint16(0xff00) >> keep)
	}
	return a
}
