// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"testing"

	"github.com/weirflow/weir/flow"
)

// A sampling interval that is told late holds for what follows. The rows before it say that it was
// unknown.
func TestASamplingIntervalToldLateHoldsForWhatFollows(t *testing.T) {
	t.Parallel()
	told := set(1, u16(400), u16(4), u16(4), []u16{1, 4, 34, 4})
	data := templateSet(true, 300, 1, 4, 22, 4, 21, 4)
	record := set(300, u32(1000), u32(uptime-2000), u32(uptime-1000))
	d := New(testLimits)
	b := feed(d, v9(1, 7, data, record), v9(2, 7, told, set(400, u32(0), u32(100))), v9(3, 7, record),
		v9(4, 7, set(400, u32(0), u32(50))), v9(5, 7, record))
	checkRow(t, b, 0, values{flow.SamplingRate: 0, flow.Quality: int(flow.SamplingUnknown)})
	checkRow(t, b, 1, values{flow.SamplingRate: 100, flow.Quality: 0})
	checkRow(t, b, 2, values{flow.SamplingRate: 50, flow.Quality: 0})
	checkRefused(t, d, nil)
}

// Options templates may have any scope: none of its octets, several fields, or one that is not known.
func TestOptionsHaveAnyScope(t *testing.T) {
	t.Parallel()
	data, record := templateSet(true, 300, 1, 4), set(300, u32(1000))
	for name, datagram := range map[string][]byte{
		"system, without octets":  v9(1, 7, set(1, u16(400), u16(4), u16(4), []u16{1, 0, 34, 4}), set(400, u32(100)), data, record),
		"cache and an unknown":    v9(1, 7, set(1, u16(400), u16(8), u16(4), []u16{4, 2, 99, 3, 34, 4}), set(400, u16(1), [3]byte{1, 2, 3}, u32(100)), data, record),
		"template":                v9(1, 7, set(1, u16(400), u16(4), u16(4), []u16{5, 2, 34, 4}), set(400, u16(300), u32(100)), data, record),
		"IPFIX: two scope fields": ipfixMessage(1, 7, set(3, u16(400), u16(3), u16(2), []u16{149, 4, 143, 4, 34, 4}), set(400, u32(7), u32(1), u32(100)), templateSet(false, 300, 1, 4), record),
		"IPFIX: variable length":  ipfixMessage(1, 7, set(3, u16(400), u16(2), u16(1), []u16{335, 65535, 34, 4}), set(400, u8(3), []byte("abc"), u32(100)), templateSet(false, 300, 1, 4), record),
	} {
		d := New(testLimits)
		b := feed(d, datagram)
		if b.Rows() != 1 {
			t.Errorf("%s: %d rows, want 1", name, b.Rows())
			continue
		}
		checkRow(t, b, 0, values{flow.Bytes: 1000, flow.SamplingRate: 100})
		checkRefused(t, d, nil)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}
