// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weir/test/traffic"
)

// Real exporters read a capture of known content; the rows must say the same.
func TestRealExporters(t *testing.T) {
	t.Parallel()
	traffic.Require(t, "softflowd", "pmacctd")
	start := time.Now().Add(-time.Hour).Truncate(time.Second)
	pcap, flows := capture(t, start)
	s := up(t)
	to := netip.MustParseAddrPort(s.flows)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	exports := []struct {
		name  string
		typ   int // flow type
		run   func() error
		want  string
		timed bool // by the packets, not by the receipt
	}{
		{"softflowd NetFlow v5", 2, func() error { return traffic.Softflowd(ctx, 5, pcap, to) }, totals(flows, isIPv4, ipBytes), true},
		{"softflowd NetFlow v9", 3, func() error { return traffic.Softflowd(ctx, 9, pcap, to) }, totals(flows, anyVersion, ipBytes), true},
		{"softflowd IPFIX", 4, func() error { return traffic.Softflowd(ctx, 10, pcap, to) }, totals(flows, anyVersion, ipBytes), true},
		{"pmacctd sFlow", 1, func() error { return traffic.Sfprobe(ctx, pcap, netip.MustParseAddr("127.0.3.1"), to) }, totals(flows, anyVersion, frameBytes), false},
	}
	for _, e := range exports {
		t.Run(e.name, func(t *testing.T) {
			if err := e.run(); err != nil {
				t.Fatal(err)
			}
			s.expect(fmt.Sprintf(`SELECT etype, proto, sum(packets), sum(bytes) FROM flows
				WHERE type = %d AND proto != %d GROUP BY etype, proto ORDER BY etype, proto`, e.typ, traffic.FillerProto), e.want)
			if !e.timed {
				return
			}
			s.expect(fmt.Sprintf(`SELECT min(time_flow_start_ns) >= toDateTime64(%d, 9), max(time_flow_end_ns) <= toDateTime64(%d, 9) FROM flows WHERE type = %d`,
				start.Unix()-1, start.Add(time.Minute).Unix(), e.typ), "1\t1") // v9 has whole seconds only: RFC 3954 section 5.1
		})
	}
	for protocol, typ := range map[string]int{"v5": 2, "v9": 3, "ipfix": 4} {
		t.Run("the probe's "+protocol+" is softflowd's", func(*testing.T) { s.sameFlows(pcap, protocol, typ) })
	}
	s.expectRollups()
}

// sameFlows has the probe read the capture that softflowd has read: keys, packets and octets of
// all rows are the same. It numbers the interface, and softflowd does not.
func (s *stack) sameFlows(pcap, protocol string, typ int) {
	s.t.Helper()
	probe := weir(s.t, "probe", "-r", pcap, "--to", s.flows, "--protocol", protocol)
	if out, err := probe.CombinedOutput(); err != nil {
		s.t.Fatalf("probe: %v\n%s", err, out)
	}
	rows := func(which string) string {
		return fmt.Sprintf(`SELECT src_addr, dst_addr, src_port, dst_port, proto, etype, packets, bytes, tcp_flags, ip_tos FROM flows
			WHERE type = %d AND proto != %d AND in_if %s ORDER BY ALL`, typ, traffic.FillerProto, which)
	}
	s.expect(rows("= 1"), s.query(rows("= 0")))
}

// capture writes a pcap file and says what is in it.
func capture(t *testing.T, start time.Time) (path string, flows []traffic.Flow) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "traffic.pcap")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	flows, err = traffic.WriteCapture(f, traffic.CaptureConfig{Start: start, Conversations: 40, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return path, flows
}

func isIPv4(f traffic.Flow) bool   { return !f.IPv6() }
func anyVersion(traffic.Flow) bool { return true }

func ipBytes(f traffic.Flow) uint64 { return f.IPBytes }

// fcs is the frame check sequence, which sFlow's frame_length includes.
const fcs = 4

func frameBytes(f traffic.Flow) uint64 { return f.FrameBytes + fcs*f.Packets }

// totals is the answer of the test's query: EtherType, IP protocol, packets and octets.
func totals(flows []traffic.Flow, which func(traffic.Flow) bool, octets func(traffic.Flow) uint64) string {
	packets, bytes := map[[2]int]uint64{}, map[[2]int]uint64{}
	for _, f := range flows {
		if !which(f) {
			continue
		}
		key := [2]int{0x0800, int(f.Proto)}
		if f.IPv6() {
			key[0] = 0x86dd
		}
		packets[key] += f.Packets
		bytes[key] += octets(f)
	}
	var lines []string
	for _, key := range [][2]int{{0x0800, 1}, {0x0800, 6}, {0x0800, 17}, {0x86dd, 6}, {0x86dd, 17}, {0x86dd, 58}} {
		if packets[key] > 0 {
			lines = append(lines, fmt.Sprintf("%d\t%d\t%d\t%d", key[0], key[1], packets[key], bytes[key]))
		}
	}
	return strings.Join(lines, "\n")
}
