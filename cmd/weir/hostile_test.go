// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// badDatagram is a datagram and the metric that counts why it, or a part of it, was refused.
type badDatagram struct {
	name    string
	payload []byte
	metric  string
	reason  string
}

func words16(v ...uint16) (b []byte) {
	for _, w := range v {
		b = binary.BigEndian.AppendUint16(b, w)
	}
	return b
}

func words32(v ...uint32) (b []byte) {
	for _, w := range v {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

func join(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func badDatagrams() []badDatagram {
	v5 := (&exporter{sequence: 1}).v5()
	// A v9 header (RFC 3954 section 5.1), a template of no fields, and data of it.
	noFields := join(words16(9, 2), words32(60_000, 1, 1, 9), words16(0, 8, 300, 0), words16(300, 12), make([]byte, 8))
	// sFlow v5 from agent 127.0.2.1 with a flow sample that claims 2^31 records.
	sample := words32(1, 0x0000001, 512, 512, 0, 1, 2, 1<<31)
	sflow := join(words32(5, 1, 0x7f000201, 0, 1, 1000, 1), words32(1, uint32(len(sample))), sample)
	return []badDatagram{
		{"random octets", randomOctets(), "weir_ingest_refused_datagrams_total", "unknown_version"},
		{"a v5 datagram that ends within a record", v5[:v5Header+v5Record*3/2], "weir_decode_refused_total", "length_mismatch"},
		{"a template without fields", noFields, "weir_decode_refused_total", "template_empty"},
		{"data of a template without fields", noFields, "weir_decode_refused_total", "template_unknown"},
		{"an sFlow sample of 2^31 records", sflow, "weir_decode_refused_total", "record_malformed"},
	}
}

// randomOctets begins with a version that no protocol has.
func randomOctets() []byte {
	r := rand.New(rand.NewPCG(7, 7))
	b := []byte{0xde, 0xad}
	for range 500 {
		b = append(b, byte(r.Uint32()))
	}
	return b
}

func TestBadInputIsCountedAndHarmless(t *testing.T) {
	t.Parallel()
	s := up(t)
	good := newExporter(t, "127.0.1.1", s.flows, 9)
	bad := newExporter(t, "127.0.2.1", s.flows, 0)
	refused := func(b badDatagram) float64 { return s.metric(b.metric, `reason="`+b.reason+`"`) }
	const times = 200
	for _, b := range badDatagrams() {
		before := refused(b)
		for range times {
			if _, err := bad.conn.Write(b.payload); err != nil {
				t.Fatal(err)
			}
		}
		s.until(b.name+" to be counted", func() bool { return refused(b) >= before+times })
	}
	memory := s.resident()
	for range 20 {
		for _, b := range badDatagrams() {
			for range times / 10 {
				_, _ = bad.conn.Write(b.payload)
			}
		}
	}
	for range 50 {
		good.send()
	}
	s.expect("SELECT count() FROM flows WHERE sampler_address = toIPv6('127.0.1.1')", strconv.Itoa(49*v9Records))
	if grown := s.resident() - memory; grown > 64<<20 {
		t.Errorf("%d MiB more memory after bad input", grown>>20)
	}
	if n := s.metric("weir_bus_dead_letters_total"); n != 0 {
		t.Errorf("%v dead letters: a parser failed rather than refuse", n)
	}
}

// resident returns the memory of the weir up process, octets.
func (s *stack) resident() int64 {
	s.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
