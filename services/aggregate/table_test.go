// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
)

func TestTableAgreesWithAMap(t *testing.T) {
	t.Parallel()
	table := newTable(3, 2)
	rnd := rand.New(rand.NewPCG(1, 1))
	for round := range 3 { // a cleared table starts anew
		want := map[[3]uint64][2]uint64{}
		for range 50_000 {
			k := [3]uint64{rnd.Uint64N(3), rnd.Uint64N(100) << 40, rnd.Uint64N(50)}
			n := rnd.Uint64N(10)
			sums := table.sums(k[:])
			sums[0] += n
			sums[1]++
			want[k] = [2]uint64{want[k][0] + n, want[k][1] + 1}
		}
		got := map[[3]uint64][2]uint64{}
		for i := range table.len() {
			k, sums := table.entry(i)
			got[[3]uint64(k)] = [2]uint64(sums)
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got) != table.len() {
			t.Fatalf("round %d: %d entries, %d different; -want +got:\n%s", round, table.len(), len(got), diff)
		}
		table.clear()
	}
}

func TestKeyFieldsDoNotOverlap(t *testing.T) {
	t.Parallel()
	fields := []flow.Field{flow.Proto, flow.SrcMAC, flow.EType, flow.SrcOriginAS, flow.SrcPort, flow.IPTOS, flow.InIf, flow.DstMAC}
	list, words := places(fields)
	key := make([]uint64, words)
	for i, p := range list {
		if p.field != fields[i] {
			t.Errorf("field %d is %v, want %v", i, p.field, fields[i])
		}
		if key[p.word]&(p.mask<<p.shift) != 0 || p.mask<<p.shift>>p.shift != p.mask {
			t.Errorf("%v overlaps another or crosses its word", p.field)
		}
		key[p.word] |= p.mask << p.shift
	}
	if key[0] != 0 {
		t.Error("a field is in the word of the window")
	}
	// 1+8+2+4+2+1+4+8 octets and the window
	if words != 1+4 {
		t.Errorf("%d words, want 5", words)
	}
}

func TestColumnsHaveTheLeastWidth(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   []uint64
		want []byte
	}{
		{nil, []byte{}},
		{[]uint64{0, 0}, []byte{0, 0}},
		{[]uint64{1, 255}, []byte{1, 255}},
		{[]uint64{1, 256}, []byte{1, 0, 0, 1}},
		{[]uint64{1 << 16}, []byte{0, 0, 1, 0}},
		{[]uint64{1 << 32}, []byte{0, 0, 0, 0, 1, 0, 0, 0}},
	} {
		if diff := cmp.Diff(tt.want, fixedWidth(tt.in)); diff != "" {
			t.Errorf("%v: -want +got:\n%s", tt.in, diff)
		}
	}
}
