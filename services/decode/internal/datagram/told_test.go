// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/refusal"
)

func enterprise(id, length u16, pen u32) []byte { return wire(0x8000|id, length, pen) }

// A biflow template of addresses, ports, counters, flags and times, and a record of it.
var (
	biflowTemplate = set(2, u16(300), u16(13), []u16{8, 4, 12, 4, 7, 2, 11, 2, 4, 1, 10, 4, 1, 4, 2, 4, 6, 1, 152, 8},
		enterprise(1, 4, 29305), enterprise(2, 4, 29305), enterprise(6, 1, 29305))
	biflowRecord = wire([4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, u16(50000), u16(443), u8(6), u32(7),
		u32(100), u32(1), u8(2), u64(exportTime*1000), u32(9000), u32(9), u8(0x12))
)

func TestBiflows(t *testing.T) {
	t.Parallel()
	unanswered := slices.Clone(biflowRecord)
	copy(unanswered[len(unanswered)-9:], make([]byte, 9))
	d := New(testLimits)
	b := feed(d, ipfixMessage(1, 7, biflowTemplate, set(300, unanswered, biflowRecord)), ipfixMessage(3, 7))
	if b.Rows() != 3 {
		t.Fatalf("%d rows, want 3: a flow without answer is one row, one with an answer two", b.Rows())
	}
	checkRow(t, b, 1, values{flow.SrcAddr: "10.0.0.1", flow.DstPort: 443, flow.Bytes: 100, flow.Packets: 1, flow.TCPFlags: 2, flow.InIf: 7, flow.ResponderBytes: 0})
	checkRow(t, b, 2, values{
		flow.SrcAddr: "10.0.0.2", flow.DstAddr: "10.0.0.1", flow.SrcPort: 443, flow.DstPort: 50000, flow.Proto: 6, flow.EType: 0x800,
		flow.Bytes: 9000, flow.Packets: 9, flow.TCPFlags: 0x12, flow.InIf: 0, flow.OutIf: 7, flow.TimeFlowStartNs: exportTime * second,
	})
	checkRefused(t, d, nil)
	if s := sumOf(d.Take().Health); s.Missing != 0 || s.Duplicates != 0 || s.Records != 2 {
		t.Errorf("%+v: a biflow counts once in the sequence (RFC 5103 §3)", s)
	}
}

// Lists of RFC 6313; the communities are RFC 8549's.
func TestStructuredData(t *testing.T) {
	t.Parallel()
	communities := wire(u8(3), u16(483), u16(4), u32(0xfde80001), u32(0xfde80002))
	nested := wire(u8(255), u16(291), u16(len(communities)), communities)
	flags := wire(u8(3), u16(302), u8(0x12), u8(0x18))
	for _, tt := range []struct {
		name    string
		element u16
		list    []byte
		want    values
		lists   []u64 // communities
		refused map[refusal.Reason]uint64
	}{
		{"a basic list", 484, communities, nil, []u64{0xfde80001, 0xfde80002}, nil},
		{"a list in a list", 291, nested, nil, []u64{0xfde80001, 0xfde80002}, nil},
		{"records of a template: what the record lacks", 292, flags, values{flow.TCPFlags: 0x12, flow.Bytes: 5}, nil, nil},
		{"records of several templates", 293, wire(u8(3), u16(303), u16(8), u32(99), u16(302), u16(5), u8(0x12)), values{flow.TCPFlags: 0x12, flow.Bytes: 5}, nil, nil},
		{"a list that ends within a value", 484, communities[:len(communities)-1], values{flow.Bytes: 5}, []u64{0xfde80001}, map[refusal.Reason]uint64{refusal.ListMalformed: 1}},
		{"values without octets", 291, wire(u8(3), u16(483), u16(0), u32(1)), values{flow.Bytes: 5}, nil, map[refusal.Reason]uint64{refusal.ListMalformed: 1}},
		{"a template that is not known", 292, wire(u8(3), u16(999), u32(1)), values{flow.Bytes: 5}, nil, map[refusal.Reason]uint64{refusal.TemplateUnknown: 1}},
		{"lists beyond the depth", 291, deepList(9), values{flow.Bytes: 5}, nil, map[refusal.Reason]uint64{refusal.NestingLimit: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := New(testLimits)
			b := feed(d, ipfixMessage(1, 7, templateSet(false, 302, 6, 1), templateSet(false, 303, 1, 4), templateSet(false, 300, tt.element, 65535, 1, 4),
				set(300, u8(len(tt.list)), tt.list, u32(5))))
			checkRow(t, b, 0, tt.want)
			if got := flow.AppendListNumbers[u64](nil, b, flow.BGPCommunities); !slices.Equal(got, tt.lists) {
				t.Errorf("communities %x, want %x", got, tt.lists)
			}
			checkRefused(t, d, tt.refused)
		})
	}
	t.Run("in a field of fixed length", func(t *testing.T) {
		t.Parallel()
		b := feed(New(testLimits), ipfixMessage(1, 7, templateSet(false, 300, 484, u16(len(communities)), 1, 4), set(300, communities, u32(5), communities, u32(6))))
		checkRow(t, b, 1, values{flow.Bytes: 6})
		if got := flow.AppendListNumbers[u64](nil, b, flow.BGPCommunities); len(got) != 4 {
			t.Errorf("communities %x, want two of each record", got)
		}
	})
}

func deepList(depth int) []byte {
	b := wire(u8(3), u16(483), u16(4))
	for range depth {
		b = wire(u8(3), u16(291), u16(len(b)), b)
	}
	return b
}

func TestSamplingByInterface(t *testing.T) {
	t.Parallel()
	d := New(testLimits)
	options := set(3, u16(400), u16(2), u16(1), []u16{10, 4, 305, 4})
	data := set(300, wire(u32(7), u32(0)), wire(u32(0), u32(8)), wire(u32(9), u32(0)))
	b := feed(d, ipfixMessage(1, 7, options, set(400, []u32{7, 100, 8, 200}), templateSet(false, 300, 10, 4, 14, 4), data),
		ipfixMessage(4, 7, set(3, u16(401), u16(2), u16(1), []u16{149, 4, 34, 4}), set(401, u32(7), u32(5000)), data))
	for row, want := range []int{100, 200, 0, 100, 200, 5000} {
		checkRow(t, b, row, values{flow.SamplingRate: want})
	}
	checkRow(t, b, 2, values{flow.Quality: int(flow.SamplingUnknown | flow.TimeFromReceipt)})

	// NetFlow v9: scope 2 is an interface.
	opt := set(1, u16(400), u16(4), u16(4), []u16{2, 4, 34, 4})
	b = feed(New(testLimits), v9(1, 7, opt, set(400, u32(7), u32(100)), templateSet(true, 300, 10, 4), set(300, u32(7), u32(8))))
	checkRow(t, b, 0, values{flow.SamplingRate: 100})
	checkRow(t, b, 1, values{flow.SamplingRate: 0})
}

// namesTold are options of interface 7, VRF 3 and application 13:1, and flows of them.
func namesTold() []byte {
	ports := set(3, u16(400), u16(3), u16(1), []u16{10, 4, 82, 8, 83, 65535})
	vrfs := set(3, u16(401), u16(2), u16(1), []u16{234, 4, 236, 8})
	applications := set(3, u16(402), u16(2), u16(1), []u16{95, 4, 96, 8})
	flows := wire(u32(7), u32(8), u32(3), u32(13<<24|1))
	return ipfixMessage(1, 7, ports, vrfs, applications, set(400, u32(7), []byte("ge-0/0/7"), u8(6), []byte("uplink")),
		set(401, u32(3), []byte("blue\x00\x00\x00\x00")), set(402, u32(13<<24|1), []byte("http\xff\x00\x00\x00")),
		templateSet(false, 300, 10, 4, 14, 4, 234, 4, 95, 4), set(300, flows, make([]byte, 16), flows))
}

func TestNames(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, b *flow.Batch, row int, want map[flow.Field]string) {
		t.Helper()
		for _, f := range []flow.Field{flow.InIfName, flow.InIfDescription, flow.OutIfName, flow.IngressVRFName, flow.ApplicationName} {
			if got := b.Text(f, row); got != want[f] {
				t.Errorf("row %d: %s is %q, want %q", row, f, got, want[f])
			}
		}
	}
	want := map[flow.Field]string{flow.InIfName: "ge-0/0/7", flow.InIfDescription: "uplink", flow.IngressVRFName: "blue", flow.ApplicationName: "http\uFFFD"}
	d := New(testLimits)
	b := feed(d, namesTold())
	check(t, b, 0, want)
	check(t, b, 1, nil)
	check(t, b, 2, want)
	checkRefused(t, d, nil)

	t.Run("survive the decoder", func(t *testing.T) {
		t.Parallel()
		next := New(testLimits)
		if err := next.Restore(testExporter, d.changed[testExporter].Append(nil)); err != nil {
			t.Fatal(err)
		}
		b := feed(next, ipfixMessage(4, 7, set(300, make([]byte, 16))), ipfixMessage(5, 7, set(300, u32(9), u32(7), u32(3), u32(0))))
		check(t, b, 0, nil)
		check(t, b, 1, map[flow.Field]string{flow.OutIfName: "ge-0/0/7", flow.IngressVRFName: "blue"})
	})
	t.Run("are bounded", func(t *testing.T) {
		t.Parallel()
		limits := testLimits
		limits.Templates.Names = 1
		d := New(limits)
		feed(d, namesTold())
		checkRefused(t, d, map[refusal.Reason]uint64{refusal.NameLimit: 2})
	})
	t.Run("give their memory back", func(t *testing.T) {
		t.Parallel()
		d := New(testLimits)
		feed(d, namesTold())
		d.exporters[testExporter].state.Forget()
		if d.budget.Left != testLimits.State {
			t.Errorf("%d octets are left, want %d", d.budget.Left, testLimits.State)
		}
	})
	t.Run("of an application in the record itself", func(t *testing.T) {
		t.Parallel()
		b := feed(New(testLimits), ipfixMessage(1, 7, templateSet(false, 300, 96, 6), set(300, []byte("tls\x00\x00\x00"))))
		check(t, b, 0, map[flow.Field]string{flow.ApplicationName: "tls"})
	})
}

func TestExporterAddress(t *testing.T) {
	t.Parallel()
	options := set(3, u16(400), u16(2), u16(1), []u16{144, 4, 130, 4})
	b := feed(New(testLimits), ipfixMessage(1, 7, options, set(400, u32(1), [4]byte{192, 0, 2, 77}),
		templateSet(false, 300, 1, 4), set(300, u32(1)), templateSet(false, 301, 130, 4), set(301, [4]byte{192, 0, 2, 78})))
	checkRow(t, b, 0, values{flow.ExporterAddress: "192.0.2.77", flow.SamplerAddress: "192.0.2.1"})
	checkRow(t, b, 1, values{flow.ExporterAddress: "192.0.2.78"})
}

func TestTemplatesExpire(t *testing.T) {
	t.Parallel()
	limits := testLimits
	limits.Templates.LifetimeNs = 600 * second
	d := New(limits)
	var b flow.Batch
	at := func(seconds u64, payload []byte) {
		g := flow.Datagram{Exporter: testExporter, Source: netip.AddrPortFrom(testExporter, 1), ReceivedNs: receivedNs + seconds*second, Payload: payload}
		d.decode(&g, &b)
	}
	tmpl, data := ipfixMessage(0, 7, templateSet(false, 256, specifiers...)), ipfixMessage(0, 7, set(256, dataRecord))
	at(0, tmpl)
	at(500, tmpl) // comes again
	at(1100, data)
	if b.Rows() != 1 {
		t.Fatalf("%d rows, want 1: the template came 600 s before", b.Rows())
	}
	at(1101, data)
	if b.Rows() != 1 {
		t.Errorf("%d rows: the template expired", b.Rows())
	}
	checkRefused(t, d, map[refusal.Reason]uint64{refusal.TemplateExpired: 1, refusal.TemplateUnknown: 1})
	at(1102, tmpl)
	if at(1103, data); b.Rows() != 2 {
		t.Errorf("%d rows, want 2: it came anew", b.Rows())
	}
}
