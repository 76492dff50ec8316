// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Packet is a packet of a file.
type Packet struct {
	Time   int64  // ns since 1970
	Data   []byte // as captured; valid until the next packet is read
	Length int    // on the wire, octets
	Link   uint32 // link type of its interface
}

// Reader reads a file in its order. It is not safe for concurrent use.
type Reader struct {
	in     *bufio.Reader
	order  binary.ByteOrder
	buf    []byte // of a packet greater than in's buffer
	unread int    // octets of the last packet, to be skipped

	next       func(*Packet) error
	link       uint32        // classic format
	perSecond  int64         // classic format: fractions of a second
	interfaces []description // pcapng
}

const (
	bufferBytes = 1 << 20
	// maxRecord is beyond what any capture has in one record.
	maxRecord = 64 << 20

	magicMicro   = 0xa1b2c3d4
	magicNano    = 0xa1b23c4d
	magicSection = 0x0a0d0d0a
)

// NewReader reads the beginning of a file and tells its format by that.
func NewReader(r io.Reader) (*Reader, error) {
	c := &Reader{in: bufio.NewReaderSize(r, bufferBytes)}
	b, err := c.in.Peek(4)
	if err != nil {
		return nil, fmt.Errorf("read magic: %w", err)
	}
	little, big := binary.LittleEndian.Uint32(b), binary.BigEndian.Uint32(b)
	switch {
	case little == magicSection:
		c.next = c.nextBlock
		return c, nil
	case little == magicMicro, little == magicNano:
		return c, c.header(binary.LittleEndian, little)
	case big == magicMicro, big == magicNano:
		return c, c.header(binary.BigEndian, big)
	}
	return nil, fmt.Errorf("magic %08x: neither pcap nor pcapng", big)
}

// Next reads the next packet. At the end, also within a packet, it returns io.EOF.
func (c *Reader) Next(p *Packet) error {
	err := c.next(p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF // the capture was stopped while it wrote
	}
	return err
}

// header reads the rest of the header of a classic file.
func (c *Reader) header(order binary.ByteOrder, magic uint32) error {
	b, err := c.take(24)
	if err != nil {
		return fmt.Errorf("read header: %w", err)
	}
	c.order, c.next, c.perSecond = order, c.nextRecord, 1e6
	if magic == magicNano {
		c.perSecond = 1e9
	}
	c.link = order.Uint32(b[20:]) & 0xffff // above it: FCS length
	return nil
}

// nextRecord reads a record of the classic format.
func (c *Reader) nextRecord(p *Packet) error {
	b, err := c.take(16)
	if err != nil {
		return err
	}
	seconds, fraction := int64(c.order.Uint32(b)), int64(c.order.Uint32(b[4:]))
	captured := c.order.Uint32(b[8:])
	p.Time = seconds*1e9 + fraction*(1e9/c.perSecond)
	p.Length, p.Link = int(c.order.Uint32(b[12:])), c.link
	if captured > maxRecord {
		return fmt.Errorf("record of %d octets: the file is broken", captured)
	}
	p.Data, err = c.take(int(captured))
	return err
}

// take returns the next n octets, which are valid until it is called again.
func (c *Reader) take(n int) ([]byte, error) {
	if c.unread > 0 {
		if _, err := c.in.Discard(c.unread); err != nil {
			return nil, err
		}
		c.unread = 0
	}
	if n <= bufferBytes {
		b, err := c.in.Peek(n)
		if err != nil {
			if len(b) > 0 && errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		c.unread = n
		return b, nil
	}
	if cap(c.buf) < n {
		c.buf = make([]byte, n)
	}
	b := c.buf[:n]
	_, err := io.ReadFull(c.in, b)
	return b, err
}
