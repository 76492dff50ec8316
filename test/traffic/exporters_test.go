// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type sums struct{ Records, Packets, Bytes uint64 }

func capture(t *testing.T) (pcap string, flows []Flow) {
	t.Helper()
	pcap = filepath.Join(t.TempDir(), "packets.pcap")
	f, err := os.Create(pcap)
	if err != nil {
		t.Fatal(err)
	}
	flows, err = WriteCapture(f, CaptureConfig{Start: time.Now().Add(-2 * time.Minute), Conversations: 12, Seed: 7})
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return pcap, flows
}

func TestCaptureHoldsWhatWasSaid(t *testing.T) {
	t.Parallel()
	Require(t, "tshark")
	pcap, flows := capture(t)
	var want sums
	for _, f := range flows {
		want = sums{0, want.Packets + f.Packets, want.Bytes + f.FrameBytes}
	}
	var got sums
	for _, row := range tshark(t, pcap, 9999, "data", "frame.len", "_ws.malformed") {
		got = sums{0, got.Packets + 1, got.Bytes + number(t, row[0][0])}
		if row[1] != nil {
			t.Error("malformed packet")
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packets and frame bytes (-want +got):\n%s", diff)
	}
}

func TestNetFlowExportersExportEveryFlow(t *testing.T) {
	t.Parallel()
	for name, export := range map[string]func(context.Context, int, string, netip.AddrPort) error{
		"softflowd": Softflowd, "pmacctd": Nfprobe,
	} {
		for _, version := range []int{5, 9, 10} {
			t.Run(fmt.Sprintf("%s version %d", name, version), func(t *testing.T) {
				t.Parallel()
				Require(t, name, "tshark")
				pcap, flows := capture(t)
				want := map[uint8]sums{}
				for _, f := range flows {
					if version == 5 && f.IPv6() {
						continue
					}
					s := want[f.Proto]
					want[f.Proto] = sums{s.Records + 1, s.Packets + f.Packets, s.Bytes + f.IPBytes}
				}
				r := record(t)
				if err := export(t.Context(), version, pcap, r.addr()); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, netFlowSums(t, r.stop(), r.addr().Port())); diff != "" {
					t.Errorf("by protocol (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// netFlowSums adds up by IP protocol what tshark reads in NetFlow and IPFIX.
func netFlowSums(t *testing.T, pcap string, port uint16) map[uint8]sums {
	t.Helper()
	got := map[uint8]sums{}
	for _, row := range tshark(t, pcap, port, "cflow", "cflow.protocol", "cflow.octets", "cflow.packets") {
		for i, proto := range row[0] {
			p := uint8(number(t, proto))
			s := got[p]
			got[p] = sums{s.Records + 1, s.Packets + number(t, row[2][i]), s.Bytes + number(t, row[1][i])}
		}
	}
	return got
}

func TestSfprobeExportsEveryPacket(t *testing.T) {
	t.Parallel()
	Require(t, "pmacctd", "tshark")
	pcap, flows := capture(t)
	var want sums
	for _, f := range flows {
		const fcs = 4
		want.Packets += f.Packets
		want.Bytes += f.FrameBytes + fcs*f.Packets
	}
	r := record(t)
	if err := Sfprobe(t.Context(), pcap, netip.MustParseAddr("127.0.0.1"), r.addr()); err != nil {
		t.Fatal(err)
	}
	var got sums
	for _, row := range tshark(t, r.stop(), r.addr().Port(), "sflow",
		"sflow.flow_sample.sampling_rate", "sflow_245.header.frame_length", "ip.proto", "ipv6.nxt") {
		// The first ip.proto is the export datagram's; the samples' follow, IPv4 and IPv6 apart.
		fill := 0
		for _, proto := range row[2][1:] {
			if proto == strconv.Itoa(FillerProto) {
				fill++
			}
		}
		for _, length := range row[1][:len(row[1])-fill] {
			got = sums{0, got.Packets + 1, got.Bytes + number(t, length)}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packets and frame bytes (-want +got):\n%s", diff)
	}
}
