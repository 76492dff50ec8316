// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"testing"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/refusal"
)

// Defects that other collectors had, one test each.

func TestDefect01FieldlessTemplatesEnd(t *testing.T) {
	t.Parallel()
	nasty := nastyDatagrams()
	for _, name := range []string{
		"template without fields, then its data", "template of zero-length fields, then its data",
		"options template without fields, then its data", "options template of zero length, then its data",
	} {
		d := New(testLimits)
		if rows := feed(d, nasty[name]).Rows(); rows != 0 {
			t.Errorf("%s: %d rows", name, rows)
		}
		checkRefused(t, d, map[refusal.Reason]uint64{refusal.TemplateEmpty: 1, refusal.TemplateUnknown: 1})
	}
}

func TestDefect02CountsOfSFlowAreNotBelieved(t *testing.T) {
	t.Parallel()
	d := New(testLimits)
	if rows := feed(d, nastyDatagrams()["expanded sFlow sample with 2^31 records"]).Rows(); rows > 1 {
		t.Errorf("%d rows of one sample", rows)
	}
	checkRefused(t, d, map[refusal.Reason]uint64{refusal.RecordMalformed: 1})
}

func TestDefect03ANewSourcePortKeepsTemplatesAndSampling(t *testing.T) {
	t.Parallel()
	sampling := set(1, u16(400), u16(4), u16(4), []u16{1, 4, 34, 4})
	// feed sends each datagram from a port of its own.
	b := feed(New(testLimits), v9(1, 7, templateSet(true, 256, specifiers...), sampling), v9(2, 7, set(400, u32(0), u32(100))), v9(3, 7, set(256, dataRecord)))
	checkRow(t, b, 0, dataWant)
	checkRow(t, b, 0, values{flow.SamplingRate: 100})
}

func TestDefect04AnUnknownTemplateCostsOnlyItsSet(t *testing.T) {
	t.Parallel()
	b := feed(New(testLimits), ipfixMessage(1, 7, set(999, u32(1)), templateSet(false, 256, specifiers...), set(256, dataRecord)))
	checkRow(t, b, 0, dataWant)
}

func TestDefect05LengthsOfHeadersAreTheirOwn(t *testing.T) {
	t.Parallel()
	segment := wire(u16(443), u16(50000), u32(1), u32(2), u8(6<<4), u8(0x18), u16(512), u32(0), u32(0)) // one word of options
	packet := ethernet(0x8100, u16(0xe065), u16(0x8847), u32(3<<12|64), u32(16<<12|0x100|64),
		u8(0x46), u8(0), u16(24+8+24+24), u32(0), u8(64), u8(47), u16(0), [4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, u32(0x01010101),
		u16(0x2000), u16(0x800), u32(9), ipv4(6, 0, segment))
	b := feed(New(testLimits), sflowDatagram(1, flowSample(1, header(1, packet))))
	checkRow(t, b, 0, values{flow.VLANID: 101, flow.Proto: 47, flow.InnerSrcPort: 443, flow.InnerTCPFlags: 0x18, flow.TunnelID: 9})
	sizes := flow.AppendListNumbers[u64](nil, b, flow.LayerSize)
	for i, want := range []u64{14, 4, 4, 4, 24, 8, 20, 24} {
		if i >= len(sizes) || sizes[i] != want {
			t.Fatalf("sizes %v, want %d in place %d", sizes, want, i)
		}
	}
}

func TestDefect06TheSamplingWordOfNetFlow5HasAMode(t *testing.T) {
	t.Parallel()
	record := v5Record([4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, 6, 443)
	checkRow(t, feed(New(testLimits), v5(1, 0x4064, record)), 0, values{flow.SamplingRate: 100, flow.SamplingAlgorithm: 1})
}

func TestDefect07TheEnterpriseBitOfOptionsIsNoPartOfAnElement(t *testing.T) {
	t.Parallel()
	options := set(3, u16(400), u16(3), u16(1), enterprise(100, 2, 32473), u16(305), u16(4), enterprise(34, 4, 32473))
	b := feed(New(testLimits), ipfixMessage(1, 7, options, set(400, u16(0), u32(80), u32(7)), templateSet(false, 300, 2, 1), set(300, u8(1))))
	checkRow(t, b, 0, values{flow.SamplingRate: 80})
}

func TestDefect09DomainsHaveTemplatesOfTheirOwn(t *testing.T) {
	t.Parallel()
	b := feed(New(testLimits), ipfixMessage(1, 7, templateSet(false, 300, 1, 4)), ipfixMessage(1, 8, templateSet(false, 300, 2, 4)),
		ipfixMessage(1, 7, set(300, u32(5))), ipfixMessage(1, 8, set(300, u32(6))))
	checkRow(t, b, 0, values{flow.Bytes: 5, flow.Packets: 0})
	checkRow(t, b, 1, values{flow.Bytes: 0, flow.Packets: 6})
}

func TestDefect13ARateThatIsMissingOrZeroKeepsTheRow(t *testing.T) {
	t.Parallel()
	d := New(testLimits)
	record := templateSet(false, 300, 34, 4, 1, 4)
	b := feed(d, ipfixMessage(1, 7, record, set(300, u32(0), u32(5))))
	checkRow(t, b, 0, values{flow.Bytes: 5, flow.SamplingRate: 0, flow.Quality: int(flow.SamplingUnknown | flow.TimeFromReceipt)})
	checkRefused(t, d, nil)
}

func TestDefect10AScanOfPortsIsOneExporter(t *testing.T) {
	t.Parallel()
	d := New(testLimits)
	var datagrams [][]byte
	for range 1000 { // each from a port of its own
		datagrams = append(datagrams, v5(1, 0, v5Record([4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, 6, 443)))
	}
	feed(d, datagrams...)
	if len(d.exporters) != 1 {
		t.Errorf("%d exporters are kept, want 1: names in metrics have no ports", len(d.exporters))
	}
}

func TestDefect15BytesAreAsExportedBesideTheRate(t *testing.T) {
	t.Parallel()
	b := feed(New(testLimits), ipfixMessage(1, 7, templateSet(false, 300, 34, 4, 1, 4, 2, 4), set(300, u32(1000), u32(1500), u32(1))))
	checkRow(t, b, 0, values{flow.Bytes: 1500, flow.Packets: 1, flow.SamplingRate: 1000})
}
