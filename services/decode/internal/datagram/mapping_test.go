// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"testing"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/ie"
	"github.com/weirflow/weir/services/decode/internal/packet"
)

func TestMappedElementsAndBits(t *testing.T) {
	t.Parallel()
	limits := testLimits
	limits.Templates.Elements = ie.Mapping{
		{ID: 252}:          ie.Custom(flow.InIf, false),
		{PEN: 9999, ID: 7}: ie.Custom(flow.Custom1, true),
	}
	udpLayer := packet.LayersOf("udp")[0]
	limits.Bits = []packet.Bits{
		{Layer: udpLayer, Offset: 48, Length: 16, Field: flow.Custom2},
		{Layer: udpLayer, Offset: 48, Length: 16, Field: flow.Custom4, Little: true},
		{Layer: udpLayer, Offset: 3, Length: 7, Field: flow.Custom3, Inner: true},
	}
	tmpl := set(2, u16(300), u16(3), []u16{252, 4, 10, 4}, enterprise(7, 2, 9999))
	d := New(limits)
	b := feed(d, ipfixMessage(1, 7, tmpl, set(300, u32(5), u32(6), u16(0x0102), u32(0), u32(6), u16(0))))
	checkRow(t, b, 0, values{flow.InIf: 5, flow.InPhysicalIf: 5, flow.Custom1: 0x0201})
	checkRow(t, b, 1, values{flow.InIf: 6, flow.InPhysicalIf: 0, flow.Custom1: 0})

	in := ipv4(17, 0, u16(0x1fe0), u16(53), u16(8), u16(0)) // 7 bits from the fourth on: all ones
	b = feed(d, sflowDatagram(1, flowSample(1, header(11, ipv4(17, 0, u16(1), u16(4789), u16(8), u16(0xbeef), u64(0x08<<56), ethernet(0x800, in))))))
	checkRow(t, b, 0, values{flow.Custom2: 0xbeef, flow.Custom4: 0xefbe, flow.Custom3: 0x7f, flow.InnerSrcPort: 0x1fe0})
}
