// SPDX-License-Identifier: Apache-2.0

package flow_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/weirflow/weir/flow"
)

func TestStridedColumnsEqualTheOctets(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	var b flow.Batch
	for range 50 {
		b.Reset()
		first, rows, stride := r.IntN(4), 1+r.IntN(150), 16+r.IntN(20)
		data := make([]byte, rows*stride)
		for i := range data {
			data[i] = byte(r.Uint32() >> r.IntN(32))
		}
		var rec flow.Record
		for range first + rows { // rows that have other fields
			b.Append(&rec)
		}
		sizes := []int{1, 2, 3, 4, 6, 8}
		for i, size := range sizes {
			b.PutStrided(flow.Bytes+flow.Field(i), first, rows, data, stride, min(size, (flow.Bytes+flow.Field(i)).Info().Width))
		}
		b.PutStridedIPv4(flow.SrcAddr, first, rows, data, stride)
		b.PutStridedIPv6(flow.DstAddr, first, rows, data, stride)
		for row := range rows {
			octets := data[row*stride:]
			for i, size := range sizes {
				f := flow.Bytes + flow.Field(i)
				want := uint64(0)
				for _, o := range octets[:min(size, f.Info().Width)] {
					want = want<<8 | uint64(o)
				}
				if got := b.Number(f, first+row); got != want {
					t.Fatalf("row %d: %s is %x, want %x", first+row, f, got, want)
				}
			}
			if got, want := b.Address(flow.SrcAddr, first+row).Unmap(), netip.AddrFrom4([4]byte(octets)); got != want {
				t.Fatalf("row %d: %s, want %s", first+row, got, want)
			}
			if got, want := b.Address(flow.DstAddr, first+row), netip.AddrFrom16([16]byte(octets)); got != want {
				t.Fatalf("row %d: %s, want %s", first+row, got, want)
			}
		}
	}
}

func TestZeroColumnIsAbsent(t *testing.T) {
	t.Parallel()
	var b flow.Batch
	var rec flow.Record
	b.Append(&rec)
	b.PutStrided(flow.SrcPort, 0, 1, make([]byte, 2), 2, 2)
	if b.Has(flow.SrcPort) || b.Number(flow.SrcPort, 0) != 0 {
		t.Error("a column of zeros is there")
	}
}
