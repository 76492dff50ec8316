// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// goodDatagrams are one datagram or more of every protocol, in an order in which all is decoded.
func goodDatagrams() [][]byte {
	return [][]byte{
		v5(2, 0, v5Record([4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, 6, 443), v5Record([4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, 1, 0)),
		v9(1, 7, templateSet(true, 256, specifiers...), set(1, u16(400), u16(4), u16(8), []u16{1, 4, 48, 1, 34, 2})),
		v9(2, 7, set(400, u32(5), u8(2), u16(50)), set(256, dataRecord, dataRecord, u8(0))),
		ipfixMessage(1, 7, templateSet(false, 256, 82, 65535, 313, 65535, 8, 4), set(3, u16(400), u16(2), u16(1), []u16{302, 4, 305, 4})),
		ipfixMessage(1, 7, set(256, u8(2), u16(0), u8(40), ipv4(6, 0, tcp), u32(9)), set(400, u32(1), u32(10))),
		sflowDatagram(2,
			flowSample(3, header(1, ethernet(0x8100, u16(5), u16(0x86dd), ipv6(43, u8(6), u8(2), u8(4), u8(1), u8(0), [3]byte{}, [16]byte{}, tcp))),
				flowRecord(1003, u32(1), u32(0), u32(1), u32(0), u32(0), u32(1), u32(2), u32(1), u32(5), u32(0), u32(1)), flowRecord(1001, [16]byte{})),
			flowSample(1, header(13, wire(u32(0x100), u32(0), ethernet(0x800, ipv4(47, 0, u16(0x2000), u16(0x6558), u32(0), ethernet(0x800, ipv4(17, 0, udp)))))))),
	}
}

const goodRows = 7

// nastyDatagrams are shapes that have brought collectors down.
func nastyDatagrams() map[string][]byte {
	allVariable := []u16{82, 65535, 83, 65535, 94, 65535}
	return map[string][]byte{
		"template without fields, then its data":           v9(1, 0, set(0, u16(300), u16(0)), set(300, make([]byte, 1000))),
		"template of zero-length fields, then its data":    ipfixMessage(1, 0, templateSet(false, 300, 1, 0, 2, 0), set(300, make([]byte, 1000))),
		"options template without fields, then its data":   v9(1, 0, set(1, u16(300), u16(0), u16(0)), set(300, make([]byte, 1000))),
		"options template of zero length, then its data":   v9(1, 0, set(1, u16(300), u16(4), u16(4), []u16{1, 0, 34, 0}), set(300, make([]byte, 1000))),
		"records of variable length only, all empty":       ipfixMessage(1, 0, templateSet(false, 300, allVariable...), set(300, make([]byte, 60000))),
		"a variable length beyond the set":                 ipfixMessage(1, 0, templateSet(false, 300, allVariable...), set(300, u8(255), u16(65535), u8(1))),
		"a template that claims 65535 fields":              ipfixMessage(1, 0, set(2, u16(300), u16(65535), []u16{1, 4})),
		"a template longer than any datagram":              ipfixMessage(1, 0, templateSet(false, 300, 1, 65534, 2, 65534)),
		"a set of length 0":                                ipfixMessage(1, 0, u16(256), u16(0), u32(0)),
		"a set beyond the message":                         ipfixMessage(1, 0, u16(256), u16(60000), u32(0)),
		"a message beyond the datagram":                    ipfixMessage(1, 0)[:16],
		"records of one octet":                             ipfixMessage(1, 0, templateSet(false, 300, 4, 1), set(300, make([]byte, 65000))),
		"zeros behind a header":                            v9(1, 0, make([]byte, 1400)),
		"sFlow with 2^32-1 samples":                        sflowDatagram(1<<32-1, flowSample(0)),
		"sFlow sample with 2^31 records":                   sflowDatagram(1, flowSample(1<<31, flowRecord(4242, u32(0)))),
		"expanded sFlow sample with 2^31 records":          sflowDatagram(1, u32(3), u32(44), make([]byte, 40), u32(1<<31)),
		"sFlow sample of 2^32-1 octets":                    sflowDatagram(1, u32(1), u32(1<<32-1), u32(0)),
		"sFlow gateway with 2^32-1 segments":               sflowDatagram(1, flowSample(1, flowRecord(1003, u32(0), u32(1), u32(2), u32(3), u32(1<<32-1), u32(1), u32(0)))),
		"sFlow gateway with a path of 2^32-1":              sflowDatagram(1, flowSample(1, flowRecord(1003, u32(0), u32(1), u32(2), u32(3), u32(1), u32(1), u32(1<<32-1)))),
		"sFlow header longer than its record":              sflowDatagram(1, flowSample(1, flowRecord(1, u32(1), u32(64), u32(0), u32(1<<32-1), ethernet(0x800)))),
		"a packet of VLAN tags":                            sflowDatagram(1, flowSample(1, header(1, ethernet(0x8100, bytesOf(0x81, 0x00, 500))))),
		"a packet of MPLS labels without bottom":           sflowDatagram(1, flowSample(1, header(13, make([]byte, 1000)))),
		"IP in IP in IP":                                   sflowDatagram(1, flowSample(1, header(11, nested(40)))),
		"NetFlow v5 with 65535 records":                    v5(65535, 0),
		"IPv6 extension headers that lead round in a ring": sflowDatagram(1, flowSample(1, header(12, ipv6(60, bytesOf(60, 0, 500))))),
	}
}

func bytesOf(a, b byte, n int) []byte {
	var all []byte
	for range n {
		all = append(all, a, b)
	}
	return all
}

func nested(depth int) []byte {
	b := ipv4(17, 0, udp)
	for range depth {
		b = ipv4(4, 0, b)
	}
	return b
}

func TestNastyDatagramsAreCountedAndHarmless(t *testing.T) {
	t.Parallel()
	for name, p := range nastyDatagrams() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := New(testLimits)
			b := feed(d, p)
			if b.Rows() > testLimits.Rows.Records || b.Rows() > len(p) {
				t.Errorf("%d rows of %d octets", b.Rows(), len(p))
			}
			if rows := feed(d, goodDatagrams()...).Rows(); rows != goodRows {
				t.Errorf("afterwards %d rows, want %d", rows, goodRows)
			}
		})
	}
}

func TestNastyDatagramsHaveTheirReason(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]map[refusal.Reason]uint64{
		"template without fields, then its data":         {refusal.TemplateEmpty: 1, refusal.TemplateUnknown: 1},
		"template of zero-length fields, then its data":  {refusal.TemplateEmpty: 1, refusal.TemplateUnknown: 1},
		"options template of zero length, then its data": {refusal.TemplateEmpty: 1, refusal.TemplateUnknown: 1},
		"a variable length beyond the set":               {refusal.RecordMalformed: 1},
		"a template that claims 65535 fields":            {refusal.TemplateMalformed: 1},
		"a template longer than any datagram":            {refusal.TemplateLimit: 1},
		"a set of length 0":                              {refusal.SetMalformed: 1},
		"records of one octet":                           {refusal.RecordLimit: 1},
		"zeros behind a header":                          nil,
		"sFlow sample with 2^31 records":                 {refusal.RecordMalformed: 1},
		"sFlow sample of 2^32-1 octets":                  {refusal.SampleMalformed: 2},
		"NetFlow v5 with 65535 records":                  {refusal.LengthMismatch: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := New(testLimits)
			feed(d, nastyDatagrams()[name])
			checkRefused(t, d, want)
		})
	}
}

func TestTruncatedDatagrams(t *testing.T) {
	t.Parallel()
	for i, p := range goodDatagrams() {
		for n := range p {
			d := New(testLimits)
			feed(d, goodDatagrams()[:i]...)
			whole := feed(d, p).Rows()
			if cut := feed(d, p[:n]).Rows(); cut > whole {
				t.Fatalf("datagram %d cut to %d octets: %d rows, of the whole %d", i, n, cut, whole)
			}
			if d.rows.Refused.Total() == 0 && n < 16 {
				t.Fatalf("datagram %d cut to %d octets: nothing counted", i, n)
			}
		}
	}
}

func TestRandomOctets(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test wants the same numbers again
	d := New(testLimits)
	const datagrams = 20_000
	for range datagrams {
		p := make([]byte, r.IntN(1500))
		for i := range p {
			p[i] = byte(r.Uint32())
		}
		feed(d, p)
	}
	if n := d.rows.Refused.Total(); n < datagrams {
		t.Errorf("%d refused, want at least %d", n, datagrams)
	}
	if rows := feed(d, goodDatagrams()...).Rows(); rows != goodRows {
		t.Errorf("afterwards %d rows, want %d", rows, goodRows)
	}
}

func tightLimits() Limits {
	limits := testLimits
	limits.Rows.Records = 5
	limits.Templates = template.Limits{Domains: 2, Templates: 2, Fields: 3, Samplers: 2}
	return limits
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		datagrams [][]byte
		want      map[refusal.Reason]uint64
	}{
		{"templates", [][]byte{ipfixMessage(0, 0, templateSet(false, 300, 1, 1), templateSet(false, 301, 1, 1), templateSet(false, 302, 1, 1), templateSet(false, 301, 2, 1))}, map[refusal.Reason]uint64{refusal.TemplateLimit: 1}},
		{"fields", [][]byte{ipfixMessage(0, 0, templateSet(false, 300, 1, 1, 2, 1, 3, 1, 4, 1))}, map[refusal.Reason]uint64{refusal.TemplateLimit: 1}},
		{"domains", [][]byte{ipfixMessage(0, 1), ipfixMessage(0, 2), ipfixMessage(0, 3), ipfixMessage(0, 2)}, map[refusal.Reason]uint64{refusal.ExporterLimit: 1}},
		{"samplers", [][]byte{ipfixMessage(0, 1, set(3, u16(400), u16(2), u16(1), []u16{302, 4, 305, 4}), set(400, []u32{1, 10, 2, 10, 3, 10, 2, 20}))}, map[refusal.Reason]uint64{refusal.SamplerLimit: 1}},
		{"records", [][]byte{ipfixMessage(0, 1, templateSet(false, 300, 4, 1), set(300, make([]byte, 9)))}, map[refusal.Reason]uint64{refusal.RecordLimit: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := New(tightLimits())
			feed(d, tt.datagrams...)
			checkRefused(t, d, tt.want)
		})
	}
}

func TestMemoryIsLimited(t *testing.T) {
	t.Parallel()
	limits := tightLimits()
	limits.State = 1768
	d := New(limits)
	feed(d, ipfixMessage(0, 0, templateSet(false, 300, 1, 1, 2, 1), templateSet(false, 301, 1, 1)), ipfixMessage(0, 0, templateSet(false, 300, 1, 1)))
	checkRefused(t, d, map[refusal.Reason]uint64{refusal.TemplateLimit: 1})
}

func TestExportersAreLimited(t *testing.T) {
	t.Parallel()
	limits := tightLimits()
	limits.Exporters = 1
	d := New(limits)
	feed(d, v9(0, 0)) // the only one that fits
	agent := sflowDatagram(1, flowSample(1, header(11, ipv4(6, 0, tcp))))
	agent[11] = 9 // another address
	if rows := feed(d, agent).Rows(); rows != 1 {
		t.Errorf("%d rows, want 1: what needs no templates is decoded", rows)
	}
	if len(d.exporters) != 1 {
		t.Errorf("%d exporters are kept, want 1", len(d.exporters))
	}
}

func TestAnIdleExporterGivesWayAndIsForgottenInTheBucketToo(t *testing.T) {
	t.Parallel()
	limits := tightLimits()
	limits.Exporters, limits.IdleNs = 1, 3600*second
	d := New(limits)
	feed(d, ipfixMessage(0, 0, templateSet(false, 300, 1, 1)))
	clear(d.changed)
	left := d.budget.Left
	var b flow.Batch
	other := flow.Datagram{Exporter: netip.MustParseAddr("192.0.2.99"), ReceivedNs: receivedNs + 1800*second, Payload: v9(0, 0)}
	if d.decode(&other, &b); d.exporters[other.Exporter] != nil {
		t.Error("the other exporter was taken up while the first was not idle")
	}
	other.ReceivedNs += 1801 * second
	if d.decode(&other, &b); d.exporters[other.Exporter] == nil || d.budget.Left <= left {
		t.Errorf("the other exporter was not taken up; %d octets are left, before %d", d.budget.Left, left)
	}
	err := d.Save(func(a netip.Addr, state []byte) error {
		if next := New(limits); a != testExporter || next.Restore(a, state) != nil || len(next.exporters) != 0 {
			t.Errorf("exporter %s: state of %d octets is something", a, len(state))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
