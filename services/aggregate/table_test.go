// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow/rollup"
)

func TestTableAgreesWithAMap(t *testing.T) {
	t.Parallel()
	type cell struct {
		Key    [2]uint64
		Window uint64
	}
	table := newTable(2, []uint64{0, 0}, 60)
	rnd := rand.New(rand.NewPCG(1, 1))
	for round := range 3 { // a cleared table starts anew
		want := map[cell][2]uint64{}
		for range 50_000 {
			c := cell{[2]uint64{rnd.Uint64N(20) << 40, rnd.Uint64N(50)}, 60 * rnd.Uint64N(200)}
			n := rnd.Uint64N(10)
			sums := table.sums(c.Key[:], c.Window)
			sums[0] += n
			sums[1]++
			want[c] = [2]uint64{want[c][0] + n, want[c][1] + 1}
		}
		got := map[cell][2]uint64{}
		table.each(func(key []uint64, window uint64, sums []uint64) {
			got[cell{[2]uint64(key), window}] = [2]uint64(sums)
		})
		if diff := cmp.Diff(want, got); diff != "" || len(got) != table.len() {
			t.Fatalf("round %d: %d entries, %d different; -want +got:\n%s", round, table.len(), len(got), diff)
		}
		table.clear()
	}
}

// TestListsOfWindowsAreShort: what times flows claim does not make sums slow to find.
func TestListsOfWindowsAreShort(t *testing.T) {
	t.Parallel()
	table := newTable(1, []uint64{0}, 60)
	for window := range uint64(10_000) {
		table.sums([]uint64{7}, 60*window)
	}
	for _, at := range table.records {
		n := 1
		for next := table.words[at] & half; next != 0; next = table.words[next] {
			n++
		}
		if n > 2*windowsOfRecord {
			t.Errorf("a record of %d windows", n)
		}
	}
}

func TestKeysDoNotOverlap(t *testing.T) {
	t.Parallel()
	var keys []rollup.Key
	for _, text := range []string{"proto", "src_mac", "src_addr", "etype", "sampler_address", "src_country", "src_port", "ip_tos", "in_if", "dst_addr/24/48", "dst_mac"} {
		k, err := rollup.ParseKey(text)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	l := newLayout(keys)
	words := make([]uint64, l.words)
	for i, p := range l.places {
		if p.wide {
			if words[p.word]|words[p.word+1] != 0 {
				t.Errorf("%s overlaps another", keys[i].Name)
			}
			words[p.word], words[p.word+1] = ^uint64(0), ^uint64(0)
			continue
		}
		if words[p.word]&(p.mask<<p.shift) != 0 || p.mask<<p.shift>>p.shift != p.mask {
			t.Errorf("%s overlaps another or crosses its word", keys[i].Name)
		}
		words[p.word] |= p.mask << p.shift
	}
	// 16+16+8+8+4+4+4+2+2+1+1 octets
	if l.words != 9 {
		t.Errorf("%d words, want 9", l.words)
	}
}

func TestColumnsHaveTheLeastWidth(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   []uint64
		want []byte
	}{
		{nil, nil},
		{[]uint64{0, 0}, []byte{0, 0}},
		{[]uint64{1, 255}, []byte{1, 255}},
		{[]uint64{1, 256}, []byte{1, 0, 0, 1}},
		{[]uint64{1 << 16}, []byte{0, 0, 1, 0}},
		{[]uint64{1 << 32}, []byte{0, 0, 0, 0, 1, 0, 0, 0}},
	} {
		if diff := cmp.Diff(tt.want, new(encoder).fixedWidth(tt.in)); diff != "" {
			t.Errorf("%v: -want +got:\n%s", tt.in, diff)
		}
	}
}
