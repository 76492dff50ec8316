// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

// Blocks of pcapng (draft-ietf-opsawg-pcapng).
const (
	blockInterface = 1
	blockPacket    = 2 // obsolete
	blockSimple    = 3
	blockEnhanced  = 6
)

// description is an interface of a section.
type description struct {
	link      uint32
	snap      uint32
	perSecond uint64 // units of its time stamps
	offset    int64  // seconds added to them
}

// nextBlock reads blocks up to the next packet.
func (c *Reader) nextBlock(p *Packet) error {
	for {
		kind, body, err := c.block()
		if err != nil {
			return err
		}
		found := false
		switch kind {
		case blockInterface:
			err = c.describe(body)
		case blockEnhanced:
			found, err = true, c.enhanced(p, body)
		case blockSimple:
			found, err = true, c.simple(p, body)
		case blockPacket:
			return fmt.Errorf("packet block of type 2: the format is obsolete; convert the file with editcap")
		}
		if err != nil || found {
			return err
		}
	}
}

// block reads a block and returns what is between its lengths. A section header begins
// anew: its octet order and its interfaces count from here.
func (c *Reader) block() (kind uint32, body []byte, err error) {
	head, err := c.take(8)
	if err != nil {
		return 0, nil, err
	}
	if binary.LittleEndian.Uint32(head) == magicSection {
		return c.section(head)
	}
	kind = c.order.Uint32(head)
	size := c.order.Uint32(head[4:])
	if size < 12 || size%4 != 0 || size > maxRecord {
		return 0, nil, fmt.Errorf("block of %d octets: the file is broken", size)
	}
	body, err = c.take(int(size) - 8)
	if err != nil {
		return 0, nil, unexpected(err)
	}
	return kind, body[:len(body)-4], nil
}

func (c *Reader) section(head []byte) (kind uint32, body []byte, err error) {
	length := [4]byte(head[4:8])
	b, err := c.take(4)
	if err != nil {
		return 0, nil, unexpected(err)
	}
	const byteOrder = 0x1a2b3c4d
	switch {
	case binary.LittleEndian.Uint32(b) == byteOrder:
		c.order = binary.LittleEndian
	case binary.BigEndian.Uint32(b) == byteOrder:
		c.order = binary.BigEndian
	default:
		return 0, nil, fmt.Errorf("section header: the file is broken")
	}
	size := c.order.Uint32(length[:])
	if size < 28 || size%4 != 0 || size > maxRecord {
		return 0, nil, fmt.Errorf("section header of %d octets: the file is broken", size)
	}
	c.interfaces = nil
	_, err = c.take(int(size) - 12)
	return magicSection, nil, unexpected(err)
}

// unexpected is an end inside of a block.
func unexpected(err error) error {
	if err == io.EOF { //nolint:errorlint // as bufio returns it
		return io.ErrUnexpectedEOF
	}
	return err
}

func (c *Reader) describe(b []byte) error {
	if len(b) < 8 {
		return fmt.Errorf("interface block of %d octets: the file is broken", len(b))
	}
	d := description{link: uint32(c.order.Uint16(b)), snap: c.order.Uint32(b[4:]), perSecond: 1e6}
	const ifTsresol, ifTsoffset = 9, 14
	for o := b[8:]; len(o) >= 4; {
		code, size := c.order.Uint16(o), int(c.order.Uint16(o[2:]))
		if len(o) < 4+size {
			break
		}
		switch value := o[4 : 4+size]; {
		case code == ifTsresol && size >= 1:
			d.perSecond = resolution(value[0])
		case code == ifTsoffset && size >= 8:
			d.offset = int64(c.order.Uint64(value))
		}
		o = o[min(4+(size+3)&^3, len(o)):]
	}
	if d.perSecond == 0 {
		return fmt.Errorf("interface block: time stamps finer than we can count")
	}
	c.interfaces = append(c.interfaces, d)
	return nil
}

// resolution is a power of 2 if the highest bit is set, else of 10; 0 if it is too great.
func resolution(v byte) uint64 {
	if v&0x80 != 0 {
		if v&0x7f > 63 {
			return 0
		}
		return 1 << (v & 0x7f)
	}
	if v > 19 {
		return 0
	}
	n := uint64(1)
	for range v {
		n *= 10
	}
	return n
}

func (c *Reader) enhanced(p *Packet, b []byte) error {
	if len(b) < 20 {
		return fmt.Errorf("packet block of %d octets: the file is broken", len(b))
	}
	i, captured := c.order.Uint32(b), c.order.Uint32(b[12:])
	if uint64(i) >= uint64(len(c.interfaces)) || uint64(captured) > uint64(len(b)-20) {
		return fmt.Errorf("packet block of interface %d with %d octets: the file is broken", i, captured)
	}
	d := &c.interfaces[i]
	stamp := uint64(c.order.Uint32(b[4:]))<<32 | uint64(c.order.Uint32(b[8:]))
	seconds, rest := stamp/d.perSecond, stamp%d.perSecond
	hi, lo := bits.Mul64(rest, 1e9)
	fraction, _ := bits.Div64(hi, lo, d.perSecond)
	p.Time = (int64(seconds)+d.offset)*1e9 + int64(fraction)
	p.Data, p.Length, p.Link = b[20:20+captured], int(c.order.Uint32(b[16:])), d.link
	return nil
}

// simple reads a packet that has no time: it keeps that of the packet before.
func (c *Reader) simple(p *Packet, b []byte) error {
	if len(b) < 4 || len(c.interfaces) == 0 {
		return fmt.Errorf("simple packet block: the file is broken")
	}
	d := &c.interfaces[0]
	p.Length, p.Link = int(c.order.Uint32(b)), d.link
	captured := p.Length
	if d.snap > 0 {
		captured = min(captured, int(d.snap))
	}
	p.Data = b[4:min(4+captured, len(b))]
	return nil
}
