// SPDX-License-Identifier: Apache-2.0

package flow_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

func TestCounterTablesEqualProto(t *testing.T) {
	t.Parallel()
	sections := (&weirv1.CounterBatch{}).ProtoReflect().Descriptor().Fields()
	if sections.Len() != flow.NumCounterTables {
		t.Errorf("%d sections, %d tables", sections.Len(), flow.NumCounterTables)
	}
	for table := range flow.CounterTable(flow.NumCounterTables) {
		section := sections.ByNumber(protoreflect.FieldNumber(table.Number())) //nolint:gosec // small
		if section == nil || string(section.Name()) != table.Name() {
			t.Fatalf("section %d is %v, want %s", table.Number(), section, table.Name())
		}
		got, want := map[string]int{"rows": 1}, map[string]int{}
		for i, c := range table.Columns() {
			got[c.Name] = c.Number
			if table.Column(c.Name) != i || c.Doc == "" || c.Type == "" || c.Width == 0 {
				t.Errorf("%s.%s: incomplete, or there twice", table.Name(), c.Name)
			}
		}
		columns := section.Message().Fields()
		for i := range columns.Len() {
			want[string(columns.Get(i).Name())] = int(columns.Get(i).Number())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-proto +table):\n%s", table.Name(), diff)
		}
	}
}

// counterBatch has a row of interfaces, then one of an exporter's health.
func counterBatch() *flow.Counters {
	var c flow.Counters
	var r flow.CounterRow
	set := func(name string, v uint64) { r.SetNumber(flow.InterfaceCounters.Column(name), v) }
	r.SetAddress(flow.InterfaceCounters.Column("sampler_address"), [16]byte{10: 0xff, 11: 0xff, 12: 192, 13: 0, 14: 2, 15: 1})
	set("if_index", 70_000)
	set("in_octets", 1<<40)
	r.SetText(flow.InterfaceCounters.Column("if_name"), "eth0")
	c.Append(flow.InterfaceCounters, &r)
	r.Reset()
	set("if_index", 2)
	c.Append(flow.InterfaceCounters, &r)
	c.Health = append(c.Health, flow.Health{TimeS: 60, Exporter: [16]byte{15: 1}, Protocol: 4, Datagrams: 3, Missing: -2, LastSeenNs: 7})
	return &c
}

func TestWireFormIsCounterBatch(t *testing.T) {
	t.Parallel()
	c := counterBatch()
	if c.Rows() != 3 {
		t.Errorf("%d rows, want 3", c.Rows())
	}
	size := c.SizeVT()
	wire := c.AppendVT(nil)
	if size < len(wire) {
		t.Errorf("SizeVT %d is less than the message's %d", size, len(wire))
	}
	var got weirv1.CounterBatch
	if err := proto.Unmarshal(wire, &got); err != nil {
		t.Fatal(err)
	}
	want := &weirv1.CounterBatch{
		InterfaceCounters: &weirv1.InterfaceCounters{
			Rows:           2,
			SamplerAddress: append([]byte{10: 0xff, 11: 0xff, 12: 192, 13: 0, 14: 2, 15: 1}, make([]byte, 16)...),
			IfIndex:        []byte{0x70, 0x11, 1, 0, 2, 0, 0, 0},
			InOctets:       []byte{5: 1, 15: 0},
			IfName:         &weirv1.TextColumn{Values: []string{"eth0"}, Indexes: []byte{1, 0}},
		},
		ExporterHealth: &weirv1.ExporterHealth{
			Rows: 1, Time: []byte{60}, Exporter: []byte{15: 1}, Protocol: []byte{4}, Datagrams: []byte{3},
			Missing: []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, LastSeen: []byte{7},
		},
	}
	if !proto.Equal(want, &got) {
		t.Errorf("got %v\nwant %v", &got, want)
	}
	c.Reset()
	if len(c.AppendVT(nil)) != 0 || c.Rows() != 0 {
		t.Error("an empty batch is a message")
	}
}

func TestCountersComeBackRowByRow(t *testing.T) {
	t.Parallel()
	var read flow.Counters
	for range 2 { // reused: nothing of one message may show in the next
		if err := read.UnmarshalVTUnsafe(counterBatch().AppendVT(nil)); err != nil {
			t.Fatal(err)
		}
		if read.TableRows(flow.InterfaceCounters) != 2 || read.TableRows(flow.ExporterHealth) != 1 || read.Rows() != 3 {
			t.Fatalf("%d rows of interfaces and %d of health", read.TableRows(flow.InterfaceCounters), read.TableRows(flow.ExporterHealth))
		}
		var r flow.CounterRow
		read.Row(flow.InterfaceCounters, 0, &r)
		column := flow.InterfaceCounters.Column
		if r.Number(column("in_octets")) != 1<<40 || r.Text(column("if_name")) != "eth0" || r.Address()[12] != 192 {
			t.Errorf("row 0: %d octets of %q at %v", r.Number(column("in_octets")), r.Text(column("if_name")), r.Address())
		}
		read.Row(flow.InterfaceCounters, 1, &r)
		if r.Number(column("in_octets")) != 0 || r.Text(column("if_name")) != "" || r.Number(column("if_index")) != 2 {
			t.Errorf("row 1 has values of row 0, or none")
		}
	}
}

func FuzzUnmarshalCounters(f *testing.F) {
	f.Add(counterBatch().AppendVT(nil))
	f.Fuzz(func(t *testing.T, p []byte) {
		var c flow.Counters
		if c.UnmarshalVTUnsafe(p) != nil {
			return
		}
		var r flow.CounterRow
		for table := range flow.CounterTable(flow.NumCounterTables) {
			for row := range min(c.TableRows(table), 3) {
				c.Row(table, row, &r)
			}
		}
		if n := len(c.AppendVT(nil)); n > 2*len(p)+1024 {
			t.Errorf("%d octets became %d", len(p), n)
		}
	})
}
