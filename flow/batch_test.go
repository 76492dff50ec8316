// SPDX-License-Identifier: Apache-2.0

package flow_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

func allFields() []flow.Field {
	return slices.Collect(flow.Fields())
}

// row is a flow as the tests know it, without package flow's own code.
type row struct {
	numbers   map[flow.Field]uint64
	texts     map[flow.Field]string
	addresses map[flow.Field]netip.Addr
	lists     map[flow.Field][]uint64
	addrLists map[flow.Field][][16]byte
}

func randomNumber(r *rand.Rand, width int) uint64 {
	return (r.Uint64() >> r.IntN(64)) & (math.MaxUint64 >> (64 - 8*min(width, 8)))
}

func randomAddress(r *rand.Rand) (a [16]byte) {
	binary.BigEndian.PutUint64(a[:], r.Uint64())
	binary.BigEndian.PutUint64(a[8:], r.Uint64())
	return a
}

// randomRow fills the record with a random choice of fields and says what it put in.
func randomRow(r *rand.Rand, rec *flow.Record, b *flow.Batch) row {
	w := row{map[flow.Field]uint64{}, map[flow.Field]string{}, map[flow.Field]netip.Addr{}, map[flow.Field][]uint64{}, map[flow.Field][][16]byte{}}
	rec.Reset()
	for _, f := range allFields() {
		if r.IntN(3) == 0 {
			continue
		}
		switch info := f.Info(); info.Kind {
		case flow.Number:
			w.numbers[f] = randomNumber(r, info.Width)
			rec.SetNumber(f, w.numbers[f])
		case flow.Text:
			w.texts[f] = []string{"", "DE", "FR", "JP"}[r.IntN(4)]
			rec.SetNumber(f, b.Intern(f, w.texts[f]))
		case flow.Address:
			a := randomAddress(r)
			w.addresses[f] = netip.AddrFrom16(a)
			rec.SetAddress(f, a)
		case flow.Numbers:
			for range r.IntN(4) {
				v := randomNumber(r, info.Width)
				w.lists[f] = append(w.lists[f], v)
				rec.AddNumber(f, v)
			}
		case flow.Addresses:
			for range r.IntN(3) {
				a := randomAddress(r)
				w.addrLists[f] = append(w.addrLists[f], a)
				rec.AddAddress(f, a)
			}
		}
	}
	return w
}

func checkBatch(t *testing.T, b *flow.Batch, want []row) {
	t.Helper()
	if b.Rows() != len(want) {
		t.Fatalf("rows: got %d, want %d", b.Rows(), len(want))
	}
	for _, f := range allFields() {
		lengths := flow.AppendLengths[uint32](nil, b, f)
		var lists []uint64
		var addresses [][16]byte
		if k := f.Info().Kind; k == flow.Numbers {
			lists = flow.AppendListNumbers[uint64](nil, b, f)
		} else if k == flow.Addresses {
			addresses = flow.AppendListAddresses(nil, b, f)
		}
		for i, w := range want {
			ok := true
			switch f.Info().Kind {
			case flow.Number:
				ok = b.Number(f, i) == w.numbers[f]
			case flow.Text:
				ok = b.Text(f, i) == w.texts[f]
			case flow.Address:
				a := w.addresses[f]
				if !a.IsValid() {
					a = netip.IPv6Unspecified()
				}
				ok = b.Address(f, i) == a
			case flow.Numbers:
				n := lengths[i]
				ok = slices.Equal(lists[:n], w.lists[f])
				lists = lists[n:]
			case flow.Addresses:
				n := lengths[i]
				ok = slices.Equal(addresses[:n], w.addrLists[f])
				addresses = addresses[n:]
			}
			if !ok {
				t.Fatalf("row %d: %s differs", i, f)
			}
		}
	}
}

func fill(r *rand.Rand, b *flow.Batch, n int) []row {
	var rec flow.Record
	var rows []row
	for range n {
		rows = append(rows, randomRow(r, &rec, b))
		b.Append(&rec)
	}
	return rows
}

func TestBatchKeepsEveryValue(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var b, read flow.Batch
	for range 20 { // reused: nothing of one batch may show in the next
		b.Reset()
		want := fill(r, &b, r.IntN(50))
		checkBatch(t, &b, want)
		if err := read.UnmarshalVTUnsafe(b.AppendVT(nil)); err != nil {
			t.Fatal(err)
		}
		checkBatch(t, &read, want)
	}
}

func TestWireFormIsFlowBatch(t *testing.T) {
	t.Parallel()
	var b flow.Batch
	var rec flow.Record
	rec.SetNumber(flow.Bytes, 70_000)
	rec.SetNumber(flow.SrcCountry, b.Intern(flow.SrcCountry, "DE"))
	rec.SetIPv4(flow.SrcAddr, 0xc0000201)
	rec.AddNumber(flow.ASPath, 64496)
	b.Append(&rec)
	rec.Reset()
	b.Append(&rec)

	var got weirv1.FlowBatch
	if err := proto.Unmarshal(b.AppendVT(nil), &got); err != nil {
		t.Fatal(err)
	}
	want := &weirv1.FlowBatch{
		Rows:       2,
		Bytes:      []byte{0x70, 0x11, 1, 0, 0, 0, 0, 0},
		SrcAddr:    append([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}, make([]byte, 16)...),
		SrcCountry: &weirv1.TextColumn{Values: []string{"DE"}, Indexes: []byte{1, 0}},
		AsPath:     &weirv1.ListColumn{Lengths: []byte{1, 0}, Values: []byte{0xf0, 0xfb}},
	}
	if !proto.Equal(want, &got) {
		t.Errorf("got %v\nwant %v", &got, want)
	}
	if size := b.SizeVT(); size < len(b.AppendVT(nil)) {
		t.Errorf("SizeVT %d is less than the message's %d", size, len(b.AppendVT(nil)))
	}
}

func TestTableEqualsProto(t *testing.T) {
	t.Parallel()
	got, want := map[string]int{}, map[string]int{}
	for _, f := range allFields() {
		got[f.Info().Name] = f.Info().Number
	}
	columns := (&weirv1.FlowBatch{}).ProtoReflect().Descriptor().Fields()
	for i := range columns.Len() {
		if c := columns.Get(i); c.Kind() != protoreflect.Uint32Kind {
			want[string(c.Name())] = int(c.Number())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flow/fields.go and flows.proto (-proto +table):\n%s", diff)
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	var joined flow.Batch
	for range 20 {
		joined.Reset()
		var want []row
		for range 3 {
			var part, read flow.Batch
			want = append(want, fill(r, &part, r.IntN(20))...)
			message := part.AppendVT(nil)
			if err := read.UnmarshalVTUnsafe(message); err != nil {
				t.Fatal(err)
			}
			before := slices.Clone(message)
			joined.Join(&read)
			if !slices.Equal(before, message) {
				t.Fatal("joining wrote into the message")
			}
		}
		checkBatch(t, &joined, want)
	}
}

func TestValueOutOfRangeIsLeftOutAndFlagged(t *testing.T) {
	t.Parallel()
	var b flow.Batch
	var rec flow.Record
	rec.SetNumber(flow.SrcPort, 65536)
	rec.SetNumber(flow.DstPort, 65535)
	b.Append(&rec)
	if got := b.Number(flow.SrcPort, 0); got != 0 {
		t.Errorf("src_port: got %d, want 0", got)
	}
	if got := b.Number(flow.DstPort, 0); got != 65535 {
		t.Errorf("dst_port: got %d, want 65535", got)
	}
	if b.Number(flow.Quality, 0)&flow.ValueOutOfRange == 0 {
		t.Error("the row is not flagged")
	}
}

func TestLongListIsCutAndFlagged(t *testing.T) {
	t.Parallel()
	var rec flow.Record
	for range flow.MaxList + 1 {
		rec.AddNumber(flow.ASPath, 1)
	}
	if rec.Len(flow.ASPath) != flow.MaxList || rec.Number(flow.Quality)&flow.ListTruncated == 0 {
		t.Errorf("%d values, quality %b", rec.Len(flow.ASPath), rec.Number(flow.Quality))
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	var b flow.Batch
	var rec flow.Record
	rec.SetNumber(flow.Bytes, 1500)
	rec.SetNumber(flow.InIf, 70_000)
	rec.SetIPv4(flow.SrcAddr, 1)
	buf := make([]byte, 0, 1<<20)
	run := func() {
		b.Reset()
		for range 1000 {
			b.Append(&rec)
		}
		buf = b.AppendVT(buf[:0])
	}
	run()
	if n := testing.AllocsPerRun(10, run); n > 0 {
		t.Errorf("%v allocations for 1000 flows", n)
	}
}

func FuzzUnmarshal(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 4 {
		var b flow.Batch
		fill(r, &b, 5)
		f.Add(b.AppendVT(nil))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		var b, joined flow.Batch
		if b.UnmarshalVTUnsafe(p) != nil {
			return
		}
		for _, field := range allFields() {
			for i := range min(b.Rows(), 3) {
				switch field.Info().Kind {
				case flow.Text:
					_ = b.Text(field, i)
				case flow.Address:
					_ = b.Address(field, i)
				default:
					_ = b.Number(field, i)
				}
			}
		}
		joined.Join(&b)
		joined.Join(&b)
		if n := len(b.AppendVT(nil)); n > 2*len(p)+64*b.Rows()+1024 {
			t.Errorf("%d octets became %d", len(p), n)
		}
	})
}

func BenchmarkAppendAndMarshal(b *testing.B) {
	var batch flow.Batch
	var rec flow.Record
	n := 0
	for _, f := range allFields() {
		if f.Info().Kind == flow.Number && n < 20 {
			rec.SetNumber(f, uint64(n)<<(8*min(n%4, f.Info().Width-1)))
			n++
		}
	}
	rec.SetIPv4(flow.SrcAddr, 1)
	rec.SetIPv4(flow.DstAddr, 2)
	rec.SetIPv4(flow.SamplerAddress, 3)
	buf := make([]byte, 0, 1<<20)
	for b.Loop() {
		batch.Reset()
		for range 1000 {
			batch.Append(&rec)
		}
		buf = batch.AppendVT(buf[:0])
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/flow")
}

func TestDocSaysSomethingOfEveryField(t *testing.T) {
	t.Parallel()
	for _, f := range allFields() {
		if info := f.Info(); strings.TrimSpace(info.Doc) == "" || info.Type == "" || info.Width == 0 {
			t.Errorf("%s: incomplete row in the table", info.Name)
		}
	}
}
