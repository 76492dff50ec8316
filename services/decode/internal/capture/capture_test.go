// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var le = binary.LittleEndian

// udpTo4739 is a UDP datagram from port 1000 (RFC 768).
func udpTo4739(payload string) []byte {
	p := binary.BigEndian.AppendUint16([]byte{3, 0xe8, 0x12, 0x83}, uint16(8+len(payload)))
	return append(append(p, 0, 0), payload...)
}

// ipv4 is a packet from 192.0.2.1 to 192.0.2.2 (RFC 791), a fragment where word is not 0.
func ipv4(word uint16, p []byte) []byte {
	head := []byte{0x45, 0, 0, 0, 0, 7, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2}
	binary.BigEndian.PutUint16(head[2:], uint16(20+len(p)))
	binary.BigEndian.PutUint16(head[6:], word)
	return append(head, p...)
}

// ipv6 is a packet from 2001:db8::1 to 2001:db8::2 (RFC 8200).
func ipv6(next byte, p []byte) []byte {
	head := []byte{0x60, 0, 0, 0, 0, 0, next, 64, 0x20, 1, 0xd, 0xb8, 23: 1, 24: 0x20, 25: 1, 26: 0xd, 27: 0xb8, 39: 2}
	binary.BigEndian.PutUint16(head[4:], uint16(len(p)))
	return append(head, p...)
}

func before(p []byte, head ...byte) []byte { return append(head, p...) }

func TestDatagramIsFoundBehindEveryLinkLayer(t *testing.T) {
	t.Parallel()
	v4, v6 := ipv4(0, udpTo4739("hello")), ipv6(17, udpTo4739("hello"))
	macs := make([]byte, 12)
	for name, p := range map[string]Packet{
		"Ethernet":          {Link: 1, Data: slices.Concat(macs, []byte{8, 0}, v4, []byte("padding"))},
		"Ethernet IPv6":     {Link: 1, Data: slices.Concat(macs, []byte{0x86, 0xdd}, v6)},
		"802.1ad, 802.1Q":   {Link: 1, Data: slices.Concat(macs, []byte{0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0}, v4)},
		"PPPoE":             {Link: 1, Data: slices.Concat(macs, []byte{0x88, 0x64, 0x11, 0, 0, 1, 0, 0, 0, 0x21}, v4)},
		"null, little":      {Link: 0, Data: before(v4, 2, 0, 0, 0)},
		"loopback":          {Link: 108, Data: before(v6, 0, 0, 0, 30)},
		"raw":               {Link: 101, Data: v6},
		"Linux cooked":      {Link: 113, Data: slices.Concat(make([]byte, 14), []byte{8, 0}, v4)},
		"Linux cooked 2":    {Link: 276, Data: slices.Concat([]byte{8, 0}, make([]byte, 18), v4)},
		"PPP":               {Link: 9, Data: before(v4, 0xff, 3, 0, 0x21)},
		"Cisco HDLC":        {Link: 104, Data: before(v4, 0x0f, 0, 8, 0)},
		"extension headers": {Link: 229, Data: ipv6(0, slices.Concat([]byte{60, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0}, udpTo4739("hello")))},
	} {
		var a Assembler
		d, outcome := a.Datagram(p)
		if outcome != Whole || string(d.Payload) != "hello" || d.Source.Port() != 1000 || d.Destination.Port() != 4739 {
			t.Errorf("%s: outcome %d, %v", name, outcome, d)
		}
		if from := d.Source.Addr(); from != netip.MustParseAddr("192.0.2.1") && from != netip.MustParseAddr("2001:db8::1") {
			t.Errorf("%s: from %v", name, from)
		}
	}
}

// TestDatagramIsFoundBehindUnknownLinkLayers: a frame of IEEE 802.11 with LLC and SNAP behind a radiotap header
// of 18 octets, the log of a packet filter, and a link type that nobody has.
func TestDatagramIsFoundBehindUnknownLinkLayers(t *testing.T) {
	t.Parallel()
	v4, v6 := ipv4(0, udpTo4739("hello")), ipv6(17, udpTo4739("hello"))
	copy(v4[10:], []byte{0xf6, 0xc1}) // the checksum, by RFC 1071
	snap := []byte{0xaa, 0xaa, 3, 0, 0, 0, 8, 0}
	for name, p := range map[string]Packet{
		"radiotap, 802.11": {Link: 127, Data: slices.Concat([]byte{0, 0, 18, 0}, make([]byte, 14), []byte{0x88, 2}, make([]byte, 24), snap, v4, make([]byte, 4))},
		"pflog":            {Link: 117, Data: slices.Concat([]byte{61, 2, 0, 0}, []byte("em0"), make([]byte, 57), v4)},
		"unknown, IPv6":    {Link: 147, Data: slices.Concat(make([]byte, 9), v6)},
	} {
		var a Assembler
		if d, outcome := a.Datagram(p); outcome != Whole || string(d.Payload) != "hello" {
			t.Errorf("%s: outcome %d, %v", name, outcome, d)
		}
	}
	copy(v4[10:], []byte{1, 1})
	var a Assembler
	if _, outcome := a.Datagram(Packet{Link: 127, Data: v4}); outcome != UnknownLink {
		t.Errorf("a wrong checksum: outcome %d", outcome)
	}
}

func TestFragmentsMakeTheDatagramInAnyOrder(t *testing.T) {
	t.Parallel()
	whole := udpTo4739(strings.Repeat("0123456789", 10))
	const more = 0x2000
	parts := []Packet{
		{Link: 101, Data: ipv4(more, whole[:40])},
		{Link: 101, Data: ipv4(more|5, whole[40:80])},
		{Link: 101, Data: ipv4(10, whole[80:])},
	}
	parts6 := make([]Packet, 0, 3)
	for i, word := range []byte{1, 41, 80} { // the offset is in the upper 13 bits
		p := whole[40*i : min(40*i+40, len(whole))]
		parts6 = append(parts6, Packet{Link: 101, Data: ipv6(44, before(p, 17, 0, 0, word, 0, 0, 0, 9))})
	}
	for _, packets := range [][]Packet{parts, parts6} {
		for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 1, 2, 0}} {
			var a Assembler
			var got string
			for _, i := range order {
				if d, outcome := a.Datagram(packets[i]); outcome == Whole {
					got = string(d.Payload)
				}
			}
			if got != string(whole[8:]) || a.Waiting() != 0 {
				t.Errorf("order %v: %q, %d wait", order, got, a.Waiting())
			}
		}
	}
}

func TestFragmentsThatOverlapAreNoDatagram(t *testing.T) {
	t.Parallel()
	whole := udpTo4739(strings.Repeat("x", 100))
	var a Assembler
	_, first := a.Datagram(Packet{Link: 101, Data: ipv4(0x2000, whole[:48])})
	_, second := a.Datagram(Packet{Link: 101, Data: ipv4(5, whole[40:])})
	if first != Waiting || second != BadFragment || a.Waiting() != 0 {
		t.Errorf("outcomes %d and %d, %d wait", first, second, a.Waiting())
	}
}

func TestFragmentsThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	var a Assembler
	p := ipv4(0x2000, make([]byte, 8))
	for i := range 3 * maxOpen {
		binary.BigEndian.PutUint16(p[4:], uint16(i))
		a.Datagram(Packet{Link: 101, Data: p})
	}
	if len(a.pieces.open) > maxOpen || len(a.pieces.order) > maxOpen || a.Waiting() != 3*maxOpen {
		t.Errorf("%d are kept, %d counted", len(a.pieces.open), a.Waiting())
	}
}

// pcap is a classic file of raw IP in either order, with one packet at 2 s and 3 units.
func pcap(order binary.AppendByteOrder, magic uint32) []byte {
	p := order.AppendUint32(nil, magic)
	p = order.AppendUint16(order.AppendUint16(p, 2), 4)
	for _, v := range []uint32{0, 0, 65535, 101, 2, 3, 4, 4} {
		p = order.AppendUint32(p, v)
	}
	return append(p, "data"...)
}

// pcapng is a section of two interfaces, the second with nanoseconds and an offset of 1 s, and a packet of
// each (draft-ietf-opsawg-pcapng).
func pcapng() []byte {
	block := func(kind uint32, body []byte) []byte {
		n := uint32(12 + len(body))
		return le.AppendUint32(append(le.AppendUint32(le.AppendUint32(nil, kind), n), body...), n)
	}
	section := le.AppendUint64(le.AppendUint16(le.AppendUint16(le.AppendUint32(nil, 0x1a2b3c4d), 1), 0), 1<<64-1)
	options := []byte{9, 0, 1, 0, 9, 0, 0, 0, 14, 0, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	packet := func(i, stamp uint32) []byte {
		p := le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, i), 0), stamp)
		return append(le.AppendUint32(le.AppendUint32(p, 4), 4), "data"...)
	}
	return slices.Concat(block(0x0a0d0d0a, section), block(1, []byte{101, 0, 0, 0, 0, 0, 0, 0}), block(5, make([]byte, 12)),
		block(1, append([]byte{1, 0, 0, 0, 0, 0, 0, 0}, options...)), block(6, packet(0, 2_000_003)), block(6, packet(1, 1_000_000_003)))
}

func TestReaderReadsEveryFormat(t *testing.T) {
	t.Parallel()
	micro := []Packet{{Number: 1, Ns: 2_000_003_000, Link: 101, Data: []byte("data")}}
	nano := []Packet{{Number: 1, Ns: 2_000_000_003, Link: 101, Data: []byte("data")}}
	for name, tt := range map[string]struct {
		file []byte
		want []Packet
	}{
		"pcap, little": {pcap(binary.LittleEndian, magicMicro), micro},
		"pcap, big":    {pcap(binary.BigEndian, magicMicro), micro},
		"pcap, ns":     {pcap(binary.LittleEndian, magicNano), nano},
		"pcapng":       {pcapng(), append(slices.Clone(micro), Packet{Number: 2, Ns: 2_000_000_003, Link: 1, Data: []byte("data")})},
	} {
		r, err := NewReader(bytes.NewReader(tt.file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []Packet
		p, err := r.Next()
		for ; err == nil; p, err = r.Next() {
			p.Data = slices.Clone(p.Data)
			got = append(got, p)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v, -want +got:\n%s", name, err, diff)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add(pcap(binary.LittleEndian, magicMicro))
	f.Add(pcap(binary.BigEndian, magicNano))
	f.Add(pcapng())
	for _, kind := range []uint32{1, 6, 99} { // a block of 2^32-1 octets, which is 0 when it is padded in 32 bits
		f.Add(slices.Concat(pcapng()[:28], le.AppendUint32(le.AppendUint32(nil, kind), 1<<32-1), make([]byte, 8)))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := NewReader(bytes.NewReader(file))
		if err != nil {
			return
		}
		octets := 0
		for {
			p, err := r.Next()
			if err != nil {
				break
			}
			octets += len(p.Data)
		}
		if octets > len(file) {
			t.Fatalf("%d octets of packets in a file of %d", octets, len(file))
		}
	})
}

func FuzzDatagram(f *testing.F) {
	f.Add(uint32(101), ipv4(0x2000, udpTo4739("hello")), ipv4(2, []byte("more")))
	f.Add(uint32(1), slices.Concat(make([]byte, 12), []byte{0x81, 0, 0, 1, 8, 0}, ipv4(0, udpTo4739("hello"))), []byte{})
	f.Add(uint32(127), before(ipv6(17, udpTo4739("hello")), 1, 2, 3), ipv4(2, []byte("more")))
	f.Add(uint32(229), ipv6(44, before(udpTo4739("hello"), 17, 0, 0, 1, 0, 0, 0, 9)), ipv6(43, make([]byte, 8)))
	f.Fuzz(func(t *testing.T, link uint32, first, second []byte) {
		var a Assembler
		for _, p := range [][]byte{first, second, first} {
			d, outcome := a.Datagram(Packet{Link: link, Data: p})
			if (outcome == Whole || outcome == Cut) && len(d.Payload) > len(first)+len(second) {
				t.Fatalf("%d octets of %d and %d", len(d.Payload), len(first), len(second))
			}
		}
	})
}
