// SPDX-License-Identifier: Apache-2.0

package probe_test

import (
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/services/probe"
	"github.com/weirflow/weir/services/probe/internal/capture"
	"github.com/weirflow/weir/test/traffic"
)

// TestPacketReportsHoldThePackets: tshark finds each frame of a capture in them, as much of it
// as was captured and fits into a message, with its length on the wire.
func TestPacketReportsHoldThePackets(t *testing.T) {
	t.Parallel()
	traffic.Require(t, "tshark", "editcap")
	whole, _ := writeCapture(t, 5)
	cut := filepath.Join(t.TempDir(), "cut.pcap")
	if out, err := exec.CommandContext(t.Context(), "editcap", "-s", "96", "-F", "pcap", whole, cut).CombinedOutput(); err != nil {
		t.Fatalf("editcap: %v: %s", err, out)
	}
	for name, tt := range map[string]struct {
		file      string
		maxPacket int
		most      int // octets of a section
	}{
		"cut":   {cut, 1500, 96},
		"whole": {whole, 9000, 1514},
		// 576 of which 28 are IP and UDP headers, 31 those of IPFIX with the selector, 3 the
		// section's length, 8 the time, 4 the interface, 1 the direction, 2 the frame's length.
		"little room": {whole, 576, 499},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			datagrams := export(t, tt.file, func(c *probe.Config) { c.Protocol, c.MaxPacket = "psamp", tt.maxPacket })
			var got []string
			for _, row := range dissect(t, datagrams, "cflow", frameSection, "cflow.data_link_frame_size") {
				for i, section := range row[0] {
					got = append(got, row[1][i]+" "+strings.ReplaceAll(section, ":", ""))
				}
			}
			if diff := cmp.Diff(frames(t, tt.file, tt.most), got); diff != "" {
				t.Errorf("frames (-capture +reports):\n%s", diff)
			}
			for i, d := range datagrams {
				if len(d)+28 > tt.maxPacket {
					t.Errorf("datagram %d has %d octets", i, len(d))
				}
			}
		})
	}
}

// frames returns the packets of a file: length on the wire and, in hexadecimal, the first octets.
func frames(t *testing.T, name string, most int) (all []string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := capture.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for p := (capture.Packet{}); r.Next(&p) == nil; {
		all = append(all, strings.Join([]string{strconv.Itoa(p.Length), hex.EncodeToString(p.Data[:min(most, len(p.Data))])}, " "))
	}
	return slices.Clip(all)
}
