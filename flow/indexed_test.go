// SPDX-License-Identifier: Apache-2.0

package flow_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weirflow/weir/flow"
)

func TestIndexedColumnsEqualTheirValues(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(11, 12))
	var b flow.Batch
	for range 200 {
		b.Reset()
		var want []uint64
		for range 3 { // later parts may be wider, or begin behind a gap
			want = append(want, make([]uint64, rnd.IntN(3))...)
			values := make([]uint64, 1+rnd.IntN(5))
			for i, bits := 0, rnd.IntN(64); i < len(values); i++ {
				values[i] = rnd.Uint64() >> bits
			}
			row, at := len(want), make([]uint32, rnd.IntN(100))
			for i := range at {
				at[i] = rnd.Uint32N(uint32(len(values)))
				want = append(want, values[at[i]])
			}
			b.PutIndexed(flow.Bytes, row, values, at)
		}
		var got []uint64
		for row := range want {
			got = append(got, b.Number(flow.Bytes, row))
		}
		if !slices.Equal(want, got) {
			t.Fatalf("got %x, want %x", got, want)
		}
	}
}

func TestPutTextsIsADictionary(t *testing.T) {
	t.Parallel()
	var b flow.Batch
	for range 3 {
		b.Append(&flow.Record{})
	}
	texts := []string{"one", "two"}
	b.PutIndexed(flow.Tag, 0, []uint64{2, 0, 1}, []uint32{0, 1, 2})
	b.PutTexts(flow.Tag, texts)
	b.Intern(flow.Tag, "three") // is no change of what was put
	var read flow.Batch
	if err := read.UnmarshalVTUnsafe(b.AppendVT(nil)); err != nil {
		t.Fatal(err)
	}
	for row, want := range []string{"two", "", "one"} {
		if got := read.Text(flow.Tag, row); got != want {
			t.Errorf("row %d: %q, want %q", row, got, want)
		}
	}
	if !slices.Equal(texts, []string{"one", "two"}) || b.Intern(flow.Tag, "two") != 2 {
		t.Error("texts are not what was put")
	}
}
