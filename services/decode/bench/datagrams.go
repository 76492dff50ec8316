// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"fmt"
	"time"
)

const (
	flows      = 25 // of a NetFlow or IPFIX datagram
	samples    = 7  // of an sFlow datagram
	templateID = 300
	uptime     = 86_400_000 // ms
)

// field is an element and its octets.
type field struct {
	id, length uint16
}

// The fields of a record, what a router exports for IPv4: v9 with uptime stamps and counters
// of 4 octets, IPFIX with absolute stamps and counters of 8.
var (
	common = []field{
		{8, 4},
		{12, 4},
		{15, 4},
		{10, 4},
		{14, 4},
		{7, 2},
		{11, 2},
		{4, 1},
		{5, 1},
		{6, 1},
		{16, 4},
		{17, 4},
		{9, 1},
		{13, 1},
		{52, 1},
		{89, 1},
		{58, 2},
		{56, 6},
		{80, 6},
	}
	fields9  = append([]field{{1, 4}, {2, 4}, {22, 4}, {21, 4}}, common...)
	fields10 = append([]field{{1, 8}, {2, 8}, {152, 8}, {153, 8}}, common...)
)

// now is the time of all datagrams.
var now = time.Now()

func header9(sets []byte) []byte {
	p := binary.BigEndian.AppendUint16(nil, 9)
	p = binary.BigEndian.AppendUint16(p, flows)
	for _, v := range []uint32{uptime, uint32(now.Unix()), 1, 7} { //nolint:gosec // before 2106
		p = binary.BigEndian.AppendUint32(p, v)
	}
	return append(p, sets...)
}

func header10(sets []byte) []byte {
	p := binary.BigEndian.AppendUint16(nil, 10)
	p = binary.BigEndian.AppendUint16(p, uint16(16+len(sets))) //nolint:gosec // a datagram
	for _, v := range []uint32{uint32(now.Unix()), 1, 7} {     //nolint:gosec // before 2106
		p = binary.BigEndian.AppendUint32(p, v)
	}
	return append(p, sets...)
}

func set(id uint16, body []byte) []byte {
	p := binary.BigEndian.AppendUint16(nil, id)
	p = binary.BigEndian.AppendUint16(p, uint16(4+len(body))) //nolint:gosec // a datagram
	return append(p, body...)
}

func specifiers(fields []field) []byte {
	p := binary.BigEndian.AppendUint16(nil, templateID)
	p = binary.BigEndian.AppendUint16(p, uint16(len(fields))) //nolint:gosec // few
	for _, f := range fields {
		p = binary.BigEndian.AppendUint16(p, f.id)
		p = binary.BigEndian.AppendUint16(p, f.length)
	}
	return p
}

func template9() [][]byte  { return [][]byte{header9(set(0, specifiers(fields9)))} }
func template10() [][]byte { return [][]byte{header10(set(2, specifiers(fields10)))} }

// interfaces is how many a router has.
const interfaces = 200

// named are the template of IPFIX, and options data with a name and a description of each interface.
func named() [][]byte {
	all := template10()
	const options, name, description = templateID + 1, 16, 32
	var told []byte
	for i := range uint32(interfaces) {
		told = binary.BigEndian.AppendUint32(told, 1+i)
		told = fmt.Appendf(told, "%-*s", name, fmt.Sprintf("xe-0/0/%d", i))
		told = fmt.Appendf(told, "%-*s", description, fmt.Sprintf("customer %d", i))
	}
	var specifiers []byte
	for _, v := range []uint16{options, 3, 1, 10, 4, 82, name, 83, description} {
		specifiers = binary.BigEndian.AppendUint16(specifiers, v)
	}
	return append(all, header10(append(set(3, specifiers), set(options, told)...)))
}

func netFlow9(n int) []byte { return header9(set(templateID, records(n, fields9))) }
func ipfix(n int) []byte    { return header10(set(templateID, records(n, fields10))) }

// records makes the records of datagram n, no two alike.
func records(n int, fields []field) []byte {
	var p []byte
	for i := range flows {
		seed := uint64(n*flows+i) * 0x9e3779b97f4a7c15
		for _, f := range fields {
			v := value(f.id, seed>>8)
			for b := int(f.length) - 1; b >= 0; b-- {
				p = append(p, byte(v>>(8*b)))
			}
		}
	}
	return p
}

// value returns a value of an element as it could be on a network.
func value(id uint16, seed uint64) uint64 {
	switch id {
	case 1: // octets
		return 40 + seed%60_000
	case 2: // packets
		return 1 + seed%40
	case 22, 21: // uptime
		return uptime - seed%30_000
	case 152, 153: // Unix ms
		return uint64(now.UnixMilli()) - seed%30_000 //nolint:gosec // after 1970
	case 8, 12, 15:
		return 10<<24 | seed&0xffffff
	case 10, 14:
		return 1 + seed%interfaces
	case 4:
		return 6
	case 9, 13:
		return 16 + seed%17
	case 16, 17:
		return 64_500 + seed%1000
	case 58:
		return seed & 0xfff
	default:
		return seed
	}
}

// sflow makes datagram n: flow samples with a raw header of 128 octets of Ethernet, IPv4 and TCP,
// extended switch and extended router data.
func sflow(n int) []byte {
	p := words(nil, 5, 1, 0xc0000201, 0, uint32(n), uptime, samples) //nolint:gosec // few
	for i := range samples {
		sample := words(nil, uint32(i), 3, 1024, 99, 0, 3, 4, 3) //nolint:gosec // few
		sample = words(sample, 1, 16+128, 1, 1518, 4, 128)
		sample = append(sample, frame(uint64(n*samples+i)*0x9e3779b97f4a7c15>>8)...)
		sample = words(sample, 1001, 16, 100, 0, 200, 0)
		sample = words(sample, 1002, 16, 1, 0xc00002fe, 24, 25)
		p = words(p, 1, uint32(len(sample))) //nolint:gosec // a datagram
		p = append(p, sample...)
	}
	return p
}

func words(p []byte, values ...uint32) []byte {
	for _, v := range values {
		p = binary.BigEndian.AppendUint32(p, v)
	}
	return p
}

// frame makes the first 128 octets of a packet.
func frame(seed uint64) []byte {
	p := make([]byte, 128)
	copy(p, []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0x08, 0x05, 0xdc})
	binary.BigEndian.PutUint16(p[18:], uint16(seed)) //nolint:gosec // any
	p[20], p[22], p[23] = 0x40, 61, 6
	binary.BigEndian.PutUint32(p[26:], 10<<24|uint32(seed&0xffffff))     //nolint:gosec // masked
	binary.BigEndian.PutUint32(p[30:], 10<<24|uint32(seed>>24&0xffffff)) //nolint:gosec // masked
	binary.BigEndian.PutUint16(p[34:], 443)
	binary.BigEndian.PutUint16(p[36:], uint16(seed>>16)) //nolint:gosec // any
	p[46], p[47] = 5<<4, 0x18
	return p
}
