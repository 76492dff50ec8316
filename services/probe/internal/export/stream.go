// SPDX-License-Identifier: Apache-2.0

package export

import (
	"encoding/binary"
	"time"

	"github.com/weirflow/weir/services/probe/internal/meter"
)

// Versions of flow export.
const (
	NetFlow1 = 1
	NetFlow5 = 5
	NetFlow9 = 9
	IPFIX    = 10
)

// Send takes a finished message with its number of flow records. It is valid during the
// call.
type Send func(message []byte, flows int)

// Config is what streams of all versions need.
type Config struct {
	Version   uint16
	Domain    uint32
	MaxOctets int   // of a message
	Boot      int64 // ns since 1970, a whole second: uptimes count from it

	// Of NetFlow v9 and IPFIX.
	Refresh         time.Duration // templates are sent again after this; 0: never
	RefreshMessages int           // or after as many messages; 0: never
	Samplings       []Sampling
	Interfaces      []Interface
}

// Interface is told in an options record.
type Interface struct {
	Index uint32
	Name  string
}

// Template is a shape of records that a stream sends.
type Template struct {
	id       uint16
	shape    *meter.Shape
	selector uint64 // told in each record; 0: none
}

// Stream writes NetFlow v9 (RFC 3954) or IPFIX (RFC 7011) for one observation domain.
// It is not safe for concurrent use.
type Stream struct {
	cfg       Config
	send      Send
	templates []*Template
	options   []options

	sequence uint32
	told     int64 // when templates were sent, ns since 1970; 0: not yet
	since    int   // messages since then

	buf     []byte
	set     int // where the present set begins; 0: none
	setID   uint16
	records int // of all kinds in the message
	data    int // data records, options included
	flows   int
}

// Overhead is what an IPFIX message of one record has besides its fields, octets: its header, that of
// the set, padding, and the selector.
const Overhead = 16 + 4 + 3 + 8

// firstTemplate is the lowest id of a template.
const firstTemplate = 256

// NewStream makes a stream that sends nothing yet.
func NewStream(cfg Config, send Send) *Stream {
	s := &Stream{cfg: cfg, send: send, buf: make([]byte, 0, cfg.MaxOctets)}
	s.options = optionsOf(cfg)
	return s
}

// Add announces a shape. selector is what its packets were selected by, 0 if by none.
func (s *Stream) Add(shape *meter.Shape, selector uint64) *Template {
	t := &Template{id: firstTemplate + uint16(len(s.templates)+len(s.options)), shape: shape, selector: selector}
	s.templates = append(s.templates, t)
	return t
}

// Record adds a flow of template t. now is ns since 1970.
func (s *Stream) Record(now int64, t *Template, r *meter.Record) {
	s.refresh(now)
	s.room(now, t.id, t.octets(s.cfg.Version, r))
	s.buf = s.appendRecord(s.buf, r)
	switch {
	case t.selector == 0:
	case s.cfg.Version == IPFIX:
		s.buf = binary.BigEndian.AppendUint64(s.buf, t.selector)
	default:
		s.buf = append(s.buf, byte(t.selector))
	}
	s.records++
	s.data++
	s.flows++
}

// Reset begins a new session: over TCP each connection counts anew.
func (s *Stream) Reset() {
	s.sequence, s.told, s.since = 0, 0, 0
	s.buf, s.set, s.records, s.data, s.flows = s.buf[:0], 0, 0, 0, 0
}

// refresh tells the templates if it is time to.
func (s *Stream) refresh(now int64) {
	due := s.told == 0 ||
		s.cfg.Refresh > 0 && now-s.told >= int64(s.cfg.Refresh) ||
		s.cfg.RefreshMessages > 0 && s.since >= s.cfg.RefreshMessages
	if !due {
		return
	}
	s.Flush(now)
	s.told, s.since = max(now, 1), 0
	s.tell(now)
}

// room makes sure that octets of set id fit into the message.
func (s *Stream) room(now int64, id uint16, octets int) {
	const setHeader, padding = 4, 3
	if len(s.buf) > 0 && len(s.buf)+setHeader+octets+padding > s.cfg.MaxOctets {
		s.Flush(now)
	}
	if len(s.buf) == 0 {
		s.buf = append(s.buf, make([]byte, s.header())...)
	}
	if s.set != 0 && s.setID == id {
		return
	}
	s.closeSet()
	s.set, s.setID = len(s.buf), id
	s.buf = append(s.buf, byte(id>>8), byte(id), 0, 0)
}

func (s *Stream) header() int {
	if s.cfg.Version == IPFIX {
		return 16
	}
	return 20
}

// closeSet writes the length of the present set. NetFlow v9 wants it to be a multiple of
// 4 octets (RFC 3954 section 5.3); IPFIX does not, and a collector has less to skip.
func (s *Stream) closeSet() {
	if s.set == 0 {
		return
	}
	for s.cfg.Version == NetFlow9 && (len(s.buf)-s.set)%4 != 0 {
		s.buf = append(s.buf, 0)
	}
	binary.BigEndian.PutUint16(s.buf[s.set+2:], uint16(len(s.buf)-s.set))
	s.set = 0
}

// Flush sends what is there.
func (s *Stream) Flush(now int64) {
	if len(s.buf) == 0 {
		return
	}
	s.closeSet()
	be := binary.BigEndian
	be.PutUint16(s.buf, s.cfg.Version)
	if s.cfg.Version == IPFIX {
		be.PutUint16(s.buf[2:], uint16(len(s.buf)))
		be.PutUint32(s.buf[4:], uint32(now/1e9))
		be.PutUint32(s.buf[8:], s.sequence)
		be.PutUint32(s.buf[12:], s.cfg.Domain)
		s.sequence += uint32(s.data)
	} else {
		// The header has whole seconds only. Uptime and time are those of the next
		// one, so that a collector that takes one from the other finds the boot.
		second := (now + 1e9 - 1) / 1e9
		be.PutUint16(s.buf[2:], uint16(s.records))
		be.PutUint32(s.buf[4:], uint32(second*1000-s.cfg.Boot/1e6))
		be.PutUint32(s.buf[8:], uint32(second))
		be.PutUint32(s.buf[12:], s.sequence)
		be.PutUint32(s.buf[16:], s.cfg.Domain)
		s.sequence++
	}
	message, flows := s.buf, s.flows
	s.buf, s.records, s.data, s.flows = s.buf[:0], 0, 0, 0
	s.since++
	s.send(message, flows)
}
