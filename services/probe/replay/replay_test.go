// SPDX-License-Identifier: Apache-2.0

package replay_test

import (
	"bytes"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/services/probe/replay"
	"github.com/weirflow/weir/test/corpus"
	"github.com/weirflow/weir/test/traffic"
)

// received is a datagram as a collector sees it.
type received struct {
	from netip.AddrPort
	data []byte
}

// TestDatagramsArriveAsTheyWereCaptured: tshark says what the capture holds.
func TestDatagramsArriveAsTheyWereCaptured(t *testing.T) {
	t.Parallel()
	traffic.Require(t, "tshark")
	for _, name := range []string{"cisco-ipfix-mpls-small.pcap", "softflowd-netflow5-gen.pcap", "nprobe-mixed-nf5+nf9.pcap", "derived-netflow9-port-change.pcap"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(corpus.Folder(t), name)
			out, err := exec.CommandContext(t.Context(), "tshark", "-r", file, "--disable-protocol", "cflow", "-T", "fields", "-e", "udp.payload", "udp").Output()
			if err != nil {
				t.Fatal(err)
			}
			want := bytes.Fields(out)
			conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetReadBuffer(16 << 20)
			report, err := replay.Run(t.Context(), replay.Config{File: file, To: conn.LocalAddr().(*net.UDPAddr).AddrPort()})
			if err != nil {
				t.Fatal(err)
			}
			got := receive(t, conn)
			var hex [][]byte
			sources := map[netip.AddrPort]uint64{}
			for _, r := range got {
				hex = append(hex, r.data)
				sources[r.from]++
			}
			if diff := cmp.Diff(want, hex); diff != "" {
				t.Errorf("payloads (-captured +received):\n%s", diff)
			}
			for _, e := range report.Exporters {
				if sources[e.Source] != e.Datagrams || !e.Source.Addr().IsLoopback() {
					t.Errorf("exporter %+v: %d datagrams came from its source", e, sources[e.Source])
				}
			}
			if len(sources) != len(report.Exporters) {
				t.Errorf("%d sources, want %d", len(sources), len(report.Exporters))
			}
		})
	}
}

// receive returns what is in the socket, with payloads in hex.
func receive(t *testing.T, conn *net.UDPConn) (all []received) {
	t.Helper()
	buf := make([]byte, 65535)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return all
		}
		data := make([]byte, 0, 2*n)
		for _, b := range buf[:n] {
			const digits = "0123456789abcdef"
			data = append(data, digits[b>>4], digits[b&15])
		}
		all = append(all, received{from, data})
	}
}
