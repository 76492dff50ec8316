// SPDX-License-Identifier: Apache-2.0

package probe_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirflow/weir/services/probe"
	"github.com/weirflow/weir/test/traffic"
)

// TestFilterTakesThePacketsThatTcpdumpTakes of the same file.
func TestFilterTakesThePacketsThatTcpdumpTakes(t *testing.T) {
	t.Parallel()
	traffic.Require(t, "tcpdump", "tshark")
	pcap, _ := writeCapture(t, 20)
	for _, expression := range []string{"tcp", "udp port 5201", "ip6 and not icmp6", "greater 1000", "tcp[tcpflags] & tcp-syn != 0", "host 192.0.2.77"} {
		t.Run(expression, func(t *testing.T) {
			t.Parallel()
			out, err := exec.CommandContext(t.Context(), "tcpdump", "-nnqtr", pcap, expression).Output()
			if err != nil {
				t.Fatal(err)
			}
			want := uint64(strings.Count(string(out), "\n"))
			program, err := exec.CommandContext(t.Context(), "tcpdump", "-ddd", "-y", "EN10MB", expression).Output()
			if err != nil {
				t.Fatal(err)
			}
			for form, filter := range map[string]string{"expression": expression, "program": string(program)} {
				var got uint64
				datagrams := export(t, pcap, func(c *probe.Config) { c.Filter = filter })
				for _, row := range dissect(t, datagrams, "cflow", "cflow.packets") {
					got += sum(t, row[0])
				}
				if got != want {
					t.Errorf("%s: %d packets, tcpdump takes %d", form, got, want)
				}
			}
		})
	}
}

// TestWrongFilterIsRefusedAtStart with its key and what tcpdump says.
func TestWrongFilterIsRefusedAtStart(t *testing.T) {
	t.Parallel()
	traffic.Require(t, "tcpdump")
	for filter, want := range map[string]string{
		"udp prt 53":           `filter: "udp prt 53": tcpdump: `,
		"2 40 0 0":             "filter: program of 2 instructions and 3 numbers",
		"1 6 0 256 4294967295": "filter: instruction 1 of the program",
		"-w/tmp/x":             `filter: "-w/tmp/x": tcpdump: `,
	} {
		cfg := probe.DefaultConfig()
		cfg.Files, cfg.To, cfg.Filter = []string{filepath.Join(t.TempDir(), "x.pcap")}, []string{"127.0.0.1:9"}, filter
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", filter, err, want)
		}
	}
}
