// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Packet is a captured frame. Its data is valid until the next one.
type Packet struct {
	Number int    // from 1
	Ns     uint64 // capture time, Unix ns
	Link   uint32 // link type, LINKTYPE_*
	Data   []byte
}

// maxPacket bounds what a file may say a packet has: tcpdump's greatest snapshot length.
const maxPacket = 256 << 10

// ErrFormat is returned for what is neither pcap nor pcapng.
var ErrFormat = errors.New("neither pcap nor pcapng")

// ErrMalformed is returned where a file's structure is broken; what came before is good.
var ErrMalformed = errors.New("malformed capture")

// Reader reads a capture file.
type Reader struct {
	r      *bufio.Reader
	buf    []byte
	order  binary.ByteOrder
	number int
	next   func() (Packet, error)

	// Of pcap.
	link uint32
	unit uint64 // ns of a fraction

	interfaces []iface // of the section of pcapng
}

// Magic numbers of pcap, in the order of their file, and the type of the first block of pcapng.
const (
	magicMicro = 0xa1b2c3d4
	magicNano  = 0xa1b23c4d
	blockFirst = 0x0a0d0d0a
)

// NewReader looks at the beginning of a capture.
func NewReader(r io.Reader) (*Reader, error) {
	c := &Reader{r: bufio.NewReaderSize(r, 1<<16)}
	head, err := c.r.Peek(4)
	if err != nil {
		return nil, ErrFormat
	}
	little, big := binary.LittleEndian.Uint32(head), binary.BigEndian.Uint32(head)
	switch {
	case big == blockFirst: // the same in either order
		c.next = c.block
		return c, nil
	case little == magicMicro || little == magicNano:
		c.order = binary.LittleEndian
	case big == magicMicro || big == magicNano:
		c.order = binary.BigEndian
	default:
		return nil, ErrFormat
	}
	c.unit = 1000
	if c.order.Uint32(head) == magicNano {
		c.unit = 1
	}
	c.next = c.record
	p, err := c.read(24)
	if err != nil {
		return nil, err
	}
	c.link = c.order.Uint32(p[20:]) & 0xffff // the rest tells of the FCS
	return c, nil
}

// Next returns the next packet, io.EOF behind the last one.
func (c *Reader) Next() (Packet, error) {
	p, err := c.next()
	if err != nil {
		return Packet{}, err
	}
	c.number++
	p.Number = c.number
	return p, nil
}

// record reads a record of pcap.
func (c *Reader) record() (Packet, error) {
	if _, err := c.r.Peek(1); err != nil {
		return Packet{}, io.EOF
	}
	head, err := c.read(16)
	if err != nil {
		return Packet{}, err
	}
	ns := uint64(c.order.Uint32(head))*1e9 + uint64(c.order.Uint32(head[4:]))*c.unit
	data, err := c.read(int64(c.order.Uint32(head[8:])))
	if err != nil {
		return Packet{}, err
	}
	return Packet{Ns: ns, Link: c.link, Data: data}, nil
}

// read returns the next n octets, which are valid until the next read.
func (c *Reader) read(n int64) ([]byte, error) {
	if n > maxPacket {
		return nil, fmt.Errorf("%w: packet %d has %d octets, want at most %d", ErrMalformed, c.number+1, n, maxPacket)
	}
	if int(n) > cap(c.buf) {
		c.buf = make([]byte, n)
	}
	p := c.buf[:n]
	if _, err := io.ReadFull(c.r, p); err != nil {
		return nil, fmt.Errorf("%w: it ends within packet %d", ErrMalformed, c.number+1)
	}
	return p, nil
}
