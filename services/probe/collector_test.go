// SPDX-License-Identifier: Apache-2.0

package probe_test

import (
	"encoding/binary"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/services/probe"
	"github.com/weirflow/weir/test/traffic"
)

// collector receives datagrams for tshark to read.
type collector struct {
	conn *net.UDPConn
	done chan struct{}
	got  [][]byte
}

func collect(t *testing.T) *collector {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadBuffer(8 << 20)
	c := &collector{conn: conn, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		buf := make([]byte, 65535)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			c.got = append(c.got, append([]byte(nil), buf[:n]...))
		}
	}()
	return c
}

func (c *collector) addr() netip.AddrPort { return c.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// stop returns what has come.
func (c *collector) stop(t *testing.T) [][]byte {
	t.Helper()
	// What was sent on loopback is in the socket: a read that finds nothing ends it.
	if err := c.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	<-c.done
	_ = c.conn.Close()
	return c.got
}

// writeDatagrams writes a pcap file of UDP datagrams to a port.
func writeDatagrams(t *testing.T, datagrams [][]byte, port uint16) string {
	t.Helper()
	le, be := binary.LittleEndian, binary.BigEndian
	out := le.AppendUint32(nil, 0xa1b2c3d4)
	out = le.AppendUint16(le.AppendUint16(out, 2), 4)
	const linkRaw = 101
	for _, v := range []uint32{0, 0, 65535, linkRaw} {
		out = le.AppendUint32(out, v)
	}
	for _, d := range datagrams {
		for _, v := range []uint32{0, 0, uint32(28 + len(d)), uint32(28 + len(d))} {
			out = le.AppendUint32(out, v)
		}
		out = be.AppendUint16(append(out, 0x45, 0), uint16(28+len(d)))
		out = append(out, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1)
		for _, v := range []uint16{40000, port, uint16(8 + len(d)), 0} {
			out = be.AppendUint16(out, v)
		}
		out = append(out, d...)
	}
	name := filepath.Join(t.TempDir(), "export.pcap")
	if err := os.WriteFile(name, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// frameSection is a frame inside of a packet report.
const frameSection = "cflow.data_link_frame_section"

// dissect has tshark read datagrams and returns the fields of each, with all their values.
// It fails the test where tshark calls one malformed or warns of it.
func dissect(t *testing.T, datagrams [][]byte, dissector string, fields ...string) [][][]string {
	t.Helper()
	const port = 40001
	args := []string{
		"-r", writeDatagrams(t, datagrams, port), "-d", "udp.port==" + strconv.Itoa(port) + "," + dissector,
		"-T", "fields", "-E", "aggregator=;",
	}
	if slices.Contains(fields, frameSection) {
		args = append(args, "--disable-protocol", "eth") // it gives a message up where a frame inside was cut
	}
	for _, f := range append(fields, "_ws.malformed", "_ws.expert.message") {
		args = append(args, "-e", f)
	}
	cmd := exec.CommandContext(t.Context(), "tshark", args...)
	cmd.Env = append(os.Environ(), "TZ=UTC")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	var all [][][]string
	for line := range strings.Lines(string(out)) {
		var row [][]string
		for column := range strings.SplitSeq(strings.TrimSuffix(line, "\n"), "\t") {
			var values []string
			if column != "" {
				values = strings.Split(column, ";")
			}
			row = append(row, values)
		}
		// What it says of a sampled packet's payload does not count.
		if n := len(fields); row[n] != nil || row[n+1] != nil && dissector != "sflow" {
			t.Errorf("tshark objects to datagram %d: %v", len(all), row[n:])
		}
		all = append(all, row[:len(fields)])
	}
	if len(all) != len(datagrams) {
		t.Fatalf("tshark reads %d of %d datagrams", len(all), len(datagrams))
	}
	return all
}

func number(t *testing.T, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func sum(t *testing.T, values []string) (s uint64) {
	t.Helper()
	for _, v := range values {
		s += number(t, v)
	}
	return s
}

// start is when the captures of these tests begin.
func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// writeCapture writes a pcap file and says what is in it.
func writeCapture(t testing.TB, conversations int) (string, []traffic.Flow) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "traffic.pcap")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	flows, err := traffic.WriteCapture(f, traffic.CaptureConfig{Start: start(), Conversations: conversations, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return name, flows
}

// run runs a probe until its files end.
func run(t testing.TB, cfg probe.Config) *prometheus.Registry {
	t.Helper()
	reg := prometheus.NewRegistry()
	s, err := probe.New(cfg, slog.New(slog.DiscardHandler), reg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return reg
}

// export returns the datagrams that a probe makes of a capture.
func export(t *testing.T, pcap string, change func(*probe.Config)) [][]byte {
	t.Helper()
	c := collect(t)
	cfg := probe.DefaultConfig()
	cfg.Files, cfg.To = []string{pcap}, []string{c.addr().String()}
	change(&cfg)
	run(t, cfg)
	return c.stop(t)
}
