// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/row"
	"github.com/weirflow/weir/services/decode/internal/template"
)

type (
	u8  = uint8
	u16 = uint16
	u32 = uint32
	u64 = uint64
)

// wire puts values one after the other, numbers big-endian.
func wire(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		var err error
		if b, err = binary.Append(b, binary.BigEndian, p); err != nil {
			panic(err)
		}
	}
	return b
}

func set(id u16, body ...any) []byte {
	b := wire(body...)
	return wire(id, u16(len(b)+4), b)
}

const (
	second     = 1_000_000_000 // ns
	ms         = 1_000_000     // ns
	exportTime = 1_800_000_000 // Unix s
	uptime     = 1_000_000     // ms
	receivedNs = exportTime*second + 5*ms
)

func v9(number, domain u32, sets ...any) []byte {
	return wire(u16(9), u16(1), u32(uptime), u32(exportTime), number, domain, wire(sets...))
}

func ipfixMessage(number, domain u32, sets ...any) []byte {
	b := wire(sets...)
	return wire(u16(10), u16(16+len(b)), u32(exportTime), number, domain, b)
}

// v5 makes a datagram of records of 48 octets; count is what its header says.
func v5(count, sampling u16, records ...any) []byte {
	return wire(u16(5), count, u32(uptime), u32(exportTime), u32(250_000_000), u32(77), u8(0), u8(3), sampling, wire(records...))
}

func v5Record(src, dst [4]byte, proto u8, dstPort u16) []byte {
	return wire(src, dst, [4]byte{192, 0, 2, 254}, u16(7), u16(8), u32(10), u32(1500), u32(uptime-2000), u32(uptime-1000),
		u16(4321), dstPort, u8(0), u8(0x1b), proto, u8(0x10), u16(64500), u16(64501), u8(24), u8(25), u16(0))
}

// sflow makes a datagram of an IPv4 agent.
func sflowDatagram(count u32, samples ...any) []byte {
	return wire(u32(5), u32(1), [4]byte{192, 0, 2, 1}, u32(0), u32(99), u32(uptime), count, wire(samples...))
}

// flowSample makes a sample of 1 in 512 from interface 3 to 4.
func flowSample(records u32, body ...any) []byte {
	b := wire(u32(1), u32(3), u32(512), u32(1000), u32(0), u32(3), u32(4), records, wire(body...))
	return wire(u32(1), u32(len(b)), b)
}

func flowRecord(format u32, body ...any) []byte {
	b := wire(body...)
	return wire(format, u32(len(b)), b)
}

// header makes a raw header record of a frame of 1000 octets.
func header(protocol u32, b []byte) []byte {
	padded := append(b[:len(b):len(b)], make([]byte, -len(b)&3)...)
	return flowRecord(1, protocol, u32(1000), u32(4), u32(len(b)), padded)
}

// testLimits are the defaults of the service.
var testLimits = Limits{
	Exporters: 4096,
	Layers:    16,
	Nesting:   4,
	State:     64 << 20,
	Rows:      row.Limits{Records: 4096, AheadNs: 86400 * second, PastNs: 30 * 86400 * second},
	Templates: template.Limits{Domains: 256, Templates: 512, Fields: 256, Samplers: 1024, Names: 4096},
}

// testExporter is the source of what feed decodes.
var testExporter = netip.MustParseAddr("192.0.2.1")

// feed decodes datagrams of one exporter, each from a source port of its own.
func feed(d *Decoder, datagrams ...[]byte) *flow.Batch {
	var in flow.Datagrams
	var out flow.Batch
	for i, p := range datagrams {
		source := netip.AddrPortFrom(testExporter, uint16(40000+i)) //nolint:gosec // few
		in.Append(&flow.Datagram{Exporter: flow.ExporterOf(source.Addr(), p), Source: source, ReceivedNs: receivedNs, Payload: p})
	}
	d.Decode(&in, &out)
	return &out
}

// values are what a row should have, by field; addresses are text.
type values map[flow.Field]any

func checkRow(t *testing.T, b *flow.Batch, row int, want values) {
	t.Helper()
	if row >= b.Rows() {
		t.Fatalf("%d rows, want row %d", b.Rows(), row)
	}
	for f, v := range want {
		if s, ok := v.(string); ok {
			if got := b.Address(f, row).Unmap().String(); got != s {
				t.Errorf("row %d: %s is %s, want %s", row, f, got, s)
			}
			continue
		}
		want := uint64(v.(int)) //nolint:gosec // test values are positive
		if got := b.Number(f, row); got != want {
			t.Errorf("row %d: %s is %d, want %d", row, f, got, want)
		}
	}
}

func checkRefused(t *testing.T, d *Decoder, want map[refusal.Reason]uint64) {
	t.Helper()
	var counts refusal.Counts
	for r, n := range want {
		counts[r] = n
	}
	for r, n := range d.rows.Refused {
		if reason := refusal.Reason(r); n != counts[r] { //nolint:gosec // of the list
			t.Errorf("refused %s: %d, want %d", reason, n, counts[r])
		}
	}
}
