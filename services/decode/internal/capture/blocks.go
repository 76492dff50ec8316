// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

// Blocks of pcapng (draft-ietf-opsawg-pcapng §4).
const (
	blockInterface = 1
	blockObsolete  = 2
	blockSimple    = 3
	blockPacket    = 6

	byteOrderMagic = 0x1a2b3c4d
)

// iface is an interface of a section.
type iface struct {
	link     uint32
	snapshot uint32 // octets kept of a packet, 0 for all
	perUnit  uint64 // units of time in a second
	offset   uint64 // s
}

const maxInterfaces = 4096

// block reads blocks up to the next packet.
func (c *Reader) block() (Packet, error) {
	for {
		if _, err := c.r.Peek(1); err != nil {
			return Packet{}, io.EOF
		}
		kind, body, err := c.blockBody()
		if err != nil {
			return Packet{}, err
		}
		switch {
		case kind == blockInterface && len(body) >= 8:
			if len(c.interfaces) == maxInterfaces {
				return Packet{}, fmt.Errorf("%w: more than %d interfaces", ErrMalformed, maxInterfaces)
			}
			c.interfaces = append(c.interfaces, c.describe(body))
		case kind == blockPacket && len(body) >= 20:
			return c.packet(c.order.Uint32(body), body)
		case kind == blockObsolete && len(body) >= 20:
			return c.packet(uint32(c.order.Uint16(body)), body)
		case kind == blockSimple && len(body) >= 4 && len(c.interfaces) != 0:
			i, n := c.interfaces[0], min(c.order.Uint32(body), uint32(len(body)-4)) //nolint:gosec // at most maxPacket
			if i.snapshot != 0 {
				n = min(n, i.snapshot)
			}
			return Packet{Link: i.link, Data: body[4:][:n]}, nil
		}
	}
}

// blockBody reads a block and returns its type and what is between its lengths.
func (c *Reader) blockBody() (kind uint32, body []byte, err error) {
	head, err := c.r.Peek(12)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: it ends within a block", ErrMalformed)
	}
	if binary.BigEndian.Uint32(head) == blockFirst { // a section says its order
		switch uint32(byteOrderMagic) {
		case binary.LittleEndian.Uint32(head[8:]):
			c.order = binary.LittleEndian
		case binary.BigEndian.Uint32(head[8:]):
			c.order = binary.BigEndian
		default:
			return 0, nil, fmt.Errorf("%w: a section without byte order", ErrMalformed)
		}
		c.interfaces = c.interfaces[:0]
	}
	kind, length := c.order.Uint32(head), c.order.Uint32(head[4:])
	if length < 12 {
		return 0, nil, fmt.Errorf("%w: a block of %d octets", ErrMalformed, length)
	}
	padded := (int64(length) + 3) &^ 3
	if padded > maxPacket && !isRead(kind) {
		_, err = c.r.Discard(int(padded)) // of names, secrets and others
		return kind, nil, err
	}
	p, err := c.read(padded)
	if err != nil {
		return 0, nil, err
	}
	return kind, p[8 : len(p)-4], nil
}

// isRead tells whether there is something in a block that is wanted.
func isRead(kind uint32) bool {
	return kind == blockPacket || kind == blockObsolete || kind == blockSimple || kind == blockInterface
}

// packet reads an enhanced packet block, and its obsolete form, which differs in the first word.
func (c *Reader) packet(i uint32, body []byte) (Packet, error) {
	if i >= uint32(len(c.interfaces)) { //nolint:gosec // at most maxInterfaces
		return Packet{}, fmt.Errorf("%w: packet %d of an interface that is not there", ErrMalformed, c.number+1)
	}
	n := c.order.Uint32(body[12:])
	if n > uint32(len(body)-20) { //nolint:gosec // at most maxPacket
		return Packet{}, fmt.Errorf("%w: packet %d ends beyond its block", ErrMalformed, c.number+1)
	}
	at := c.interfaces[i]
	stamp := uint64(c.order.Uint32(body[4:]))<<32 | uint64(c.order.Uint32(body[8:]))
	return Packet{Ns: at.ns(stamp), Link: at.link, Data: body[20:][:n]}, nil
}

// ns converts a time stamp to Unix ns.
func (i iface) ns(stamp uint64) uint64 {
	hi, lo := bits.Mul64(stamp%i.perUnit, 1e9)
	fraction, _ := bits.Div64(hi, lo, i.perUnit) // the fraction is below a second
	return (stamp/i.perUnit+i.offset)*1e9 + fraction
}

// Options of an interface.
const (
	optionEnd        = 0
	optionResolution = 9
	optionOffset     = 14
)

// describe reads an interface description block.
func (c *Reader) describe(body []byte) iface {
	i := iface{link: uint32(c.order.Uint16(body)), snapshot: c.order.Uint32(body[4:]), perUnit: 1e6}
	for p := body[8:]; len(p) >= 4; {
		code, n := c.order.Uint16(p), int(c.order.Uint16(p[2:]))
		if p = p[4:]; code == optionEnd || n > len(p) {
			break
		}
		switch {
		case code == optionResolution && n == 1:
			i.perUnit = resolution(p[0])
		case code == optionOffset && n == 8:
			i.offset = c.order.Uint64(p)
		}
		p = p[min((n+3)&^3, len(p)):]
	}
	return i
}

// resolution returns the units in a second: a power of 10, or of 2 with the highest bit set.
func resolution(v byte) uint64 {
	if v&0x80 != 0 {
		return 1 << min(v&0x7f, 63)
	}
	perUnit := uint64(1)
	for range min(v, 19) {
		perUnit *= 10
	}
	return perUnit
}
