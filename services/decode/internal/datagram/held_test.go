// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"net/netip"
	"testing"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/held"
	"github.com/weirflow/weir/services/decode/internal/refusal"
)

var testHeld = held.Limits{AgeNs: 3600 * second, ExporterSets: 2000, ExporterOctets: 1 << 20, Octets: 4 << 20}

// holding is a decoder that holds, with inputs one a second.
type holding struct {
	t *testing.T
	*Decoder
	log  *held.Log
	next held.Input
}

func newHolding(t *testing.T, limits held.Limits) *holding {
	t.Helper()
	d := New(testLimits)
	return &holding{t, d, d.Hold(limits), held.Input{Sequence: 1, TimeNs: second}}
}

// feed decodes payloads of one exporter as the next input.
func (h *holding) feed(payloads ...[]byte) *flow.Batch {
	return h.feedFrom(netip.MustParseAddr("192.0.2.1"), payloads...)
}

func (h *holding) feedFrom(exporter netip.Addr, payloads ...[]byte) *flow.Batch {
	h.Begin(h.next)
	h.next.Sequence, h.next.TimeNs = h.next.Sequence+1, h.next.TimeNs+second
	var in flow.Datagrams
	for _, p := range payloads {
		in.Append(&flow.Datagram{Exporter: exporter, Source: netip.AddrPortFrom(exporter, 2055), ListenerPort: 4739, ReceivedNs: receivedNs, Payload: p})
	}
	var out flow.Batch
	h.Decode(&in, &out)
	return &out
}

// counts checks what became of sets without a template.
func (h *holding) counts(want map[held.Outcome]uint64) {
	h.t.Helper()
	for outcome, n := range h.Take().Held {
		if n != want[held.Outcome(outcome)] {
			h.t.Errorf("%d sets of outcome %s, want %d", n, held.Outcome(outcome), want[held.Outcome(outcome)])
		}
	}
}

func TestThousandDataDatagramsThenTheTemplateGiveAllRecords(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		name            string
		data, templates func(n u32) []byte
	}{
		{
			"NetFlow v9", func(n u32) []byte { return v9(n, 7, set(256, dataRecord, dataRecord)) },
			func(n u32) []byte { return v9(n, 7, templateSet(true, 256, specifiers...)) },
		},
		{
			"IPFIX", func(n u32) []byte { return ipfixMessage(n, 7, set(256, wire(u32(4000), u64(n)))) },
			func(n u32) []byte { return ipfixMessage(n, 7, templateSet(false, 256, 1, 4, 2, 8)) },
		},
	} {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			h := newHolding(t, testHeld)
			h.limits.Rows.Records = 100 // of a datagram, not of all that waited
			for n := range u32(1000) {
				if b := h.feed(v.data(n)); b.Rows() != 0 {
					t.Fatalf("%d rows without a template", b.Rows())
				}
			}
			b := h.feed(v.templates(1000))
			rows := b.Rows()
			if rows < 1000 {
				t.Fatalf("%d rows of 1000 datagrams", rows)
			}
			for _, row := range []int{0, rows / 2, rows - 1} {
				checkRow(t, b, row, values{
					flow.Bytes: 4000, flow.SamplerAddress: "192.0.2.1", flow.TimeReceivedNs: receivedNs,
					flow.SequenceNum: row * 1000 / rows, flow.ObservationDomainID: 7,
				})
				if b.Number(flow.Quality, row)&flow.DecodedLate == 0 {
					t.Errorf("row %d is not marked as late", row)
				}
			}
			h.counts(map[held.Outcome]uint64{held.Held: 1000, held.Released: 1000})
			if h.Held().Sets() != 0 || h.Held().Octets() != 0 || h.Held().Oldest() != nil {
				t.Error("something is held after all was released")
			}
			b = h.feed(v.data(1001))
			if b.Rows() != rows/1000 || b.Number(flow.Quality, 0)&flow.DecodedLate != 0 {
				t.Errorf("%d rows after the template, quality %b", b.Rows(), b.Number(flow.Quality, 0))
			}
		})
	}
}

func TestHeldDataAreNotDecodedByALaterDefinition(t *testing.T) {
	t.Parallel()
	h := newHolding(t, testHeld)
	old, renewed := templateSet(false, 256, 1, 4), templateSet(false, 256, 2, 4) // octets, then packets
	h.feed(ipfixMessage(0, 7, set(256, u32(11))))
	b := h.feed(ipfixMessage(1, 7, old, set(256, u32(12)), renewed, set(256, u32(13))))
	if b.Rows() != 3 {
		t.Fatalf("%d rows, want 3", b.Rows())
	}
	for row, want := range []values{{flow.Bytes: 12, flow.Packets: 0}, {flow.Bytes: 0, flow.Packets: 13}, {flow.Bytes: 11, flow.Packets: 0}} {
		checkRow(t, b, row, want)
	}
	// Nothing waits for a template that is known, whatever comes in its place.
	if b = h.feed(ipfixMessage(3, 7, old)); b.Rows() != 0 {
		t.Errorf("%d rows of a template alone", b.Rows())
	}
}

func TestHeldOptionsDataTellTheirSampling(t *testing.T) {
	t.Parallel()
	h := newHolding(t, testHeld)
	h.feed(ipfixMessage(0, 7, set(257, u32(7), u32(512)))) // observation domain 7 samples 1 in 512
	h.feed(ipfixMessage(1, 7, set(3, u16(257), u16(2), u16(1), []u16{149, 4, 34, 4})))
	b := h.feed(ipfixMessage(1, 7, templateSet(false, 256, 1, 4), set(256, u32(11))))
	checkRow(t, b, 0, values{flow.Bytes: 11, flow.SamplingRate: 512})
}

func TestHeldDataAreLimited(t *testing.T) {
	t.Parallel()
	data := ipfixMessage(0, 7, set(256, make([]byte, 744))) // 764 octets, 1020 with what a set takes
	template := ipfixMessage(0, 7, templateSet(false, 256, 1, 4, 210, 740))
	for _, tt := range []struct {
		name   string
		limits held.Limits
		want   map[held.Outcome]uint64
		rows   int
	}{
		{"by sets", held.Limits{AgeNs: 600 * second, ExporterSets: 3, ExporterOctets: 1 << 20, Octets: 1 << 20}, map[held.Outcome]uint64{held.Held: 3, held.ExporterSets: 7, held.Released: 3}, 3},
		{"by octets", held.Limits{AgeNs: 600 * second, ExporterSets: 100, ExporterOctets: 4100, Octets: 1 << 20}, map[held.Outcome]uint64{held.Held: 4, held.ExporterOctets: 6, held.Released: 4}, 4},
		{"by octets of all", held.Limits{AgeNs: 600 * second, ExporterSets: 100, ExporterOctets: 1 << 20, Octets: 2100}, map[held.Outcome]uint64{held.Held: 2, held.Octets: 8, held.Released: 2}, 2},
		// Inputs are a second apart: when the eleventh comes those up to the fifth are older than 5 s.
		{"by age", held.Limits{AgeNs: 5 * second, ExporterSets: 100, ExporterOctets: 1 << 20, Octets: 1 << 20}, map[held.Outcome]uint64{held.Held: 10, held.Aged: 5, held.Released: 5}, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHolding(t, tt.limits)
			for range 10 {
				h.feed(data)
			}
			if b := h.feed(template); b.Rows() != tt.rows {
				t.Errorf("%d rows, want %d", b.Rows(), tt.rows)
			}
			h.counts(tt.want)
		})
	}
}

func TestExportersDoNotTakeEachOthersRoom(t *testing.T) {
	t.Parallel()
	h := newHolding(t, held.Limits{AgeNs: 600 * second, ExporterSets: 5, ExporterOctets: 1 << 20, Octets: 1 << 20})
	data := ipfixMessage(0, 7, set(256, u32(11)))
	for range 100 {
		h.feedFrom(netip.MustParseAddr("192.0.2.66"), data)
	}
	for range 5 {
		h.feed(data)
	}
	if b := h.feed(ipfixMessage(0, 7, templateSet(false, 256, 1, 4))); b.Rows() != 5 {
		t.Errorf("%d rows, want 5", b.Rows())
	}
}

// The log read back up to any input gives a store that goes on as the first one did.
func TestTheLogGivesTheStoreBack(t *testing.T) {
	t.Parallel()
	const inputs = 60
	payload := func(n int) []byte { // templates 256 to 260 come after some of their data
		id := u16(256 + n%5)
		if n%7 == 6 {
			return ipfixMessage(u32(n), 7, templateSet(false, id, 1, 4))
		}
		return ipfixMessage(u32(n), 7, set(id, u32(n)))
	}
	limits := held.Limits{AgeNs: 20 * second, ExporterSets: 8, ExporterOctets: 1 << 20, Octets: 1 << 20}
	whole := newHolding(t, limits)
	var want []*flow.Batch
	states := [][]byte{}
	for n := range inputs {
		want = append(want, whole.feed(payload(n)))
		var state []byte
		if x := whole.exporters[netip.MustParseAddr("192.0.2.1")]; x != nil {
			state = x.state.Append(nil)
		}
		states = append(states, state)
	}
	wire := whole.log.AppendVT(nil)
	for cut := 1; cut < inputs; cut++ {
		h := newHolding(t, limits)
		if err := h.Restore(netip.MustParseAddr("192.0.2.1"), states[cut-1]); err != nil {
			t.Fatal(err)
		}
		var log held.Log
		if err := log.UnmarshalVTUnsafe(wire); err != nil {
			t.Fatal(err)
		}
		at := held.Input{Sequence: uint64(cut), TimeNs: int64(cut) * second}
		if err := h.Held().Load(&log, func(in held.Input) bool { return in.Sequence <= at.Sequence }); err != nil {
			t.Fatal(err)
		}
		h.Resume(at)
		h.next = held.Input{Sequence: uint64(cut) + 1, TimeNs: int64(cut+1) * second}
		for n := cut; n < inputs; n++ {
			if got := h.feed(payload(n)); string(got.AppendVT(nil)) != string(want[n].AppendVT(nil)) {
				t.Fatalf("cut after %d: input %d gives %d rows, want %d", cut, n, got.Rows(), want[n].Rows())
			}
		}
	}
}

func TestHeldSetsAreCountedAsRefusedToo(t *testing.T) {
	t.Parallel()
	h := newHolding(t, testHeld)
	h.feed(ipfixMessage(0, 7, set(256, u32(11))))
	checkRefused(t, h.Decoder, map[refusal.Reason]uint64{refusal.TemplateUnknown: 1})
}

func TestMuchThatWasHeldIsReleasedOverSeveralInputs(t *testing.T) {
	t.Parallel()
	h := newHolding(t, held.Limits{AgeNs: 600 * second, ExporterSets: 1 << 20, ExporterOctets: 8 << 20, Octets: 8 << 20})
	big := ipfixMessage(0, 7, set(256, make([]byte, 60_000)))
	for range 100 { // 6 MB: more than twice releaseOctets
		h.feed(big)
	}
	outputs, rows := 0, 0
	for b := h.feed(ipfixMessage(0, 7, templateSet(false, 256, 1, 4, 210, 59_996))); b.Rows() != 0; b = h.feed() {
		outputs, rows = outputs+1, rows+b.Rows()
	}
	if rows != 100 || outputs != 3 {
		t.Errorf("%d rows in %d outputs, want 100 in 3", rows, outputs)
	}
}

// Whatever comes, what is held and released is bounded by what came, and the log tells the same.
func FuzzHeld(f *testing.F) {
	f.Add(v9(1, 7, set(256, dataRecord)), v9(2, 7, templateSet(true, 256, specifiers...)))
	f.Add(ipfixMessage(1, 7, set(256, u32(1)), set(257, u8(255), u16(3))), ipfixMessage(2, 7, templateSet(false, 256, 1, 4), templateSet(false, 257, 96, 65535)))
	f.Add(ipfixMessage(1, 7, set(257, u32(7), u32(512))), ipfixMessage(1, 7, set(3, u16(257), u16(2), u16(1), []u16{149, 4, 34, 4})))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		if len(first) > 65000 || len(second) > 65000 {
			return
		}
		h := newHolding(t, testHeld)
		rows := h.feed(first).Rows() + h.feed(second).Rows() + h.feed().Rows()
		if rows > 2*(len(first)+len(second)) {
			t.Fatalf("%d rows of %d octets", rows, len(first)+len(second))
		}
		var log held.Log
		if err := log.UnmarshalVTUnsafe(h.log.AppendVT(nil)); err != nil {
			t.Fatal(err)
		}
		back := held.New(testHeld, &held.Log{})
		if err := back.Load(&log, func(held.Input) bool { return true }); err != nil {
			t.Fatal(err)
		}
		if back.Sets() != h.Held().Sets() || back.Octets() != h.Held().Octets() {
			t.Fatalf("%d sets of %d octets are held, and %d of %d by the log", h.Held().Sets(), h.Held().Octets(), back.Sets(), back.Octets())
		}
	})
}
