// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// recorder receives datagrams for tshark to read.
type recorder struct {
	t    *testing.T
	conn *net.UDPConn
	done chan struct{}
	got  []captured
}

func record(t *testing.T) *recorder {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadBuffer(8 << 20)
	r := &recorder{t: t, conn: conn, done: make(chan struct{})}
	go r.read()
	return r
}

func (r *recorder) addr() netip.AddrPort { return r.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (r *recorder) read() {
	defer close(r.done)
	buf := make([]byte, 65535)
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		r.got = append(r.got, captured{time.Now(), frameUDP(from, r.addr(), buf[:n])})
	}
}

// stop takes what has come and writes it to a pcap file.
func (r *recorder) stop() (pcap string) {
	r.t.Helper()
	// What was sent on loopback is in the socket: a read that finds nothing ends it.
	if err := r.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		r.t.Fatal(err)
	}
	<-r.done
	if err := r.conn.Close(); err != nil {
		r.t.Fatal(err)
	}
	pcap = filepath.Join(r.t.TempDir(), "recorded.pcap")
	f, err := os.Create(pcap)
	if err == nil {
		err = errors.Join(writePcap(f, r.got), f.Close())
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return pcap
}

func frameUDP(from, to netip.AddrPort, payload []byte) []byte {
	be := binary.BigEndian
	frame := append(make([]byte, 12), 8, 0, 0x45, 0)
	frame = be.AppendUint16(frame, uint16(28+len(payload)))
	frame = append(frame, 0, 0, 0, 0, 64, protoUDP, 0, 0)
	frame = append(append(frame, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
	for _, v := range []uint16{from.Port(), to.Port(), uint16(8 + len(payload)), 0} {
		frame = be.AppendUint16(frame, v)
	}
	return append(frame, payload...)
}

// tshark returns the fields of each datagram to port, each with its values.
func tshark(t *testing.T, pcap string, port uint16, dissector string, fields ...string) [][][]string {
	t.Helper()
	args := []string{"-r", pcap, "-d", "udp.port==" + strconv.Itoa(int(port)) + "," + dissector, "-T", "fields", "-E", "aggregator=;"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	var stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), "tshark", args...)
	cmd.Stderr = &stderr
	cmd.Env = append(os.Environ(), "TZ=UTC")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v: %s", err, stderr.String())
	}
	var datagrams [][][]string
	for line := range strings.Lines(string(out)) {
		var row [][]string
		for column := range strings.SplitSeq(strings.TrimSuffix(line, "\n"), "\t") {
			var values []string
			if column != "" {
				values = strings.Split(column, ";")
			}
			row = append(row, values)
		}
		datagrams = append(datagrams, row)
	}
	return datagrams
}

func number(t *testing.T, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
