// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weirflow/weir/flow"
)

// The load of the crash tests: NetFlow v5, and v9 with one template that is sent once, at the
// start, so that what comes after a crash needs what was learned before. Every datagram has
// its exporter's next sequence number, by which its rows are found.
const (
	v5Records, v5Header, v5Record = 30, 24, 48
	v9Records, v9Header, v9Record = 25, 20, 24
	v9Template                    = 256
)

// exporter sends one kind of datagram from its own address.
type exporter struct {
	conn     *net.UDPConn
	version  uint16
	sequence uint32
}

func newExporter(t *testing.T, from, to string, version uint16) *exporter {
	t.Helper()
	local := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(from + ":0"))
	conn, err := net.DialUDP("udp", local, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &exporter{conn: conn, version: version, sequence: 1}
}

// send sends the next datagram. Nobody may be listening: then it is lost, as on a network.
func (e *exporter) send() {
	if e.version == 9 {
		_, _ = e.conn.Write(e.v9())
	} else {
		_, _ = e.conn.Write(e.v5())
	}
	e.sequence++
}

// octets is the value of bytes in record i of the datagram with a sequence number.
func octets(sequence uint32, i int) uint32 { return sequence*100 + uint32(i) }

func (e *exporter) v5() []byte {
	now := time.Now()
	b := binary.BigEndian.AppendUint16(nil, 5)
	b = binary.BigEndian.AppendUint16(b, v5Records)
	b = binary.BigEndian.AppendUint32(b, 60_000) // SysUptime, ms
	b = binary.BigEndian.AppendUint32(b, uint32(now.Unix()))
	b = binary.BigEndian.AppendUint32(b, uint32(now.Nanosecond()))
	b = binary.BigEndian.AppendUint32(b, e.sequence)
	b = append(b, 0, 0, 0, 0) // engine, sampling
	for i := range v5Records {
		r := make([]byte, v5Record)
		copy(r, []byte{10, 1, byte(e.sequence), byte(i), 192, 0, 2, byte(i)})
		binary.BigEndian.PutUint32(r[16:], 3)
		binary.BigEndian.PutUint32(r[20:], octets(e.sequence, i))
		binary.BigEndian.PutUint32(r[24:], 50_000)
		binary.BigEndian.PutUint32(r[28:], 59_000)
		r[38] = 17
		b = append(b, r...)
	}
	return b
}

func (e *exporter) v9() []byte {
	now := time.Now()
	b := binary.BigEndian.AppendUint16(nil, 9)
	b = binary.BigEndian.AppendUint16(b, v9Records)
	b = binary.BigEndian.AppendUint32(b, 60_000)
	b = binary.BigEndian.AppendUint32(b, uint32(now.Unix()))
	b = binary.BigEndian.AppendUint32(b, e.sequence)
	b = binary.BigEndian.AppendUint32(b, 7) // source id
	if e.sequence == 1 {
		return e.template(b)
	}
	b = binary.BigEndian.AppendUint16(b, v9Template)
	b = binary.BigEndian.AppendUint16(b, 4+v9Records*v9Record)
	for i := range v9Records {
		b = append(b, 10, 9, byte(e.sequence), byte(i), 198, 51, 100, byte(i))
		b = binary.BigEndian.AppendUint32(b, octets(e.sequence, i))
		b = binary.BigEndian.AppendUint32(b, 2)
		b = binary.BigEndian.AppendUint32(b, 50_000)
		b = binary.BigEndian.AppendUint32(b, 59_000)
	}
	return b
}

// template appends the template set (RFC 3954 section 5.2) to a header.
func (e *exporter) template(header []byte) []byte {
	fields := [][2]uint16{{8, 4}, {12, 4}, {1, 4}, {2, 4}, {22, 4}, {21, 4}}
	set := binary.BigEndian.AppendUint16(nil, 0)
	set = binary.BigEndian.AppendUint16(set, uint16(8+4*len(fields)))
	set = binary.BigEndian.AppendUint16(set, v9Template)
	set = binary.BigEndian.AppendUint16(set, uint16(len(fields)))
	for _, f := range fields {
		set = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(set, f[0]), f[1])
	}
	return append(header, set...)
}

// accepted returns what ingest has stored, in the form of acceptedSQL: a line per datagram with
// exporter, sequence number, flows and octets, computed from the raw datagrams in the stream.
func (s *stack) accepted() string {
	s.t.Helper()
	var lines []string
	for d := range s.datagrams() {
		if line := expectedRows(d); line != "" {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// datagrams are those in the stream DATAGRAMS. Each is good until the next.
func (s *stack) datagrams() iter.Seq[*flow.Datagram] {
	s.t.Helper()
	nc, err := nats.Connect("nats://"+s.nats, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		s.t.Fatal(err)
	}
	var stream jetstream.Stream
	s.until("NATS to answer", func() bool {
		ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
		defer cancel()
		stream, err = js.Stream(ctx, "DATAGRAMS")
		return err == nil
	})
	state := stream.CachedInfo().State
	if state.FirstSeq > 1 {
		s.t.Fatal("the start of DATAGRAMS was truncated: there is nothing to compare with")
	}
	return func(yield func(*flow.Datagram) bool) {
		consumer, err := stream.OrderedConsumer(s.t.Context(), jetstream.OrderedConsumerConfig{})
		if err != nil {
			s.t.Fatal(err)
		}
		messages, err := consumer.Messages(jetstream.PullHeartbeat(time.Second))
		if err != nil {
			s.t.Fatal(err)
		}
		defer messages.Stop()
		for seq := uint64(0); seq < state.LastSeq; {
			m, err := messages.Next()
			if err != nil {
				s.t.Fatal(err)
			}
			md, err := m.Metadata()
			if err != nil {
				s.t.Fatal(err)
			}
			seq = md.Sequence.Stream
			var batch flow.Datagrams
			if err := batch.UnmarshalVTUnsafe(m.Data()); err != nil {
				s.t.Fatal(err)
			}
			for d := range batch.All() {
				if !yield(d) {
					return
				}
			}
		}
	}
}

const acceptedSQL = `SELECT replaceOne(toString(sampler_address), '::ffff:', ''), leftPad(toString(sequence_num), 8, '0'), count(), sum(bytes)
	FROM flows GROUP BY sampler_address, sequence_num ORDER BY 1, 2`

// expectedRows is the line of one datagram, by arithmetic on the raw octets.
func expectedRows(d *flow.Datagram) string {
	header, record, at := v5Header, v5Record, 20
	sequence := binary.BigEndian.Uint32(d.Payload[16:])
	if binary.BigEndian.Uint16(d.Payload) == 9 {
		header, record, at = v9Header+4, v9Record, 8
		sequence = binary.BigEndian.Uint32(d.Payload[12:])
		if sequence == 1 {
			return "" // the template
		}
	}
	flows, sum := 0, uint64(0)
	for r := d.Payload[header:]; len(r) >= record; r = r[record:] {
		flows++
		sum += uint64(binary.BigEndian.Uint32(r[at:]))
	}
	return fmt.Sprintf("%s\t%08d\t%d\t%d", d.Exporter, sequence, flows, sum)
}
