// SPDX-License-Identifier: Apache-2.0

package probe_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/services/probe"
	"github.com/weirflow/weir/test/traffic"
)

// nfcapd is a collector of nfdump that runs.
type nfcapd struct {
	cmd *exec.Cmd
	dir string
	to  netip.AddrPort
}

func startNfcapd(t *testing.T, port uint16) *nfcapd {
	t.Helper()
	if port == 0 {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		port = c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		_ = c.Close()
	}
	n := &nfcapd{dir: t.TempDir(), to: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)}
	n.cmd = exec.Command("nfcapd", "-w", n.dir, "-p", strconv.Itoa(int(port)), "-b", "127.0.0.1", "-B", "4000000", "-t", "3600")
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.cmd.Process.Kill() })
	for deadline := time.Now().Add(10 * time.Second); ; {
		// It is there when its port is taken.
		c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(n.to))
		if errors.Is(err, syscall.EADDRINUSE) {
			return n
		}
		if err == nil {
			_ = c.Close()
		}
		if time.Now().After(deadline) {
			t.Fatal("nfcapd does not listen")
		}
		poll(t)
	}
}

// poll waits a moment.
func poll(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	<-ctx.Done()
}

// stop returns the flows that nfcapd has, one a line: keys, packets, octets and more, sorted.
func (n *nfcapd) stop(t *testing.T, want int, format string) []string {
	t.Helper()
	// nfcapd reads its socket before it looks at a signal; it has no way to say
	// that it has read all.
	time.AfterFunc(500*time.Millisecond, func() { _ = n.cmd.Process.Signal(syscall.SIGTERM) })
	_ = n.cmd.Wait()
	out, err := exec.CommandContext(t.Context(), "nfdump", "-q", "-N", "-R", n.dir, "-o", "fmt:"+format).Output()
	if err != nil {
		t.Fatalf("nfdump: %v", err)
	}
	lines := strings.FieldsFunc(strings.ReplaceAll(string(out), " ", ""), func(r rune) bool { return r == '\n' })
	if len(lines) != want {
		t.Fatalf("nfdump has %d flows, want %d", len(lines), want)
	}
	slices.Sort(lines)
	return lines
}

// TestFlowsAreThoseOfSoftflowd: what nfdump shows of the same capture is the same, whoever
// exported it. Times differ, and are checked elsewhere: softflowd keeps one start and one end for
// both directions of a conversation, and 1.1.0 has them the wrong way round in some IPFIX records.
func TestFlowsAreThoseOfSoftflowd(t *testing.T) {
	t.Parallel()
	traffic.Require(t, "softflowd", "nfcapd", "nfdump")
	pcap, flows := writeCapture(t, 40)
	for protocol, version := range map[string]int{"v5": 5, "v9": 9, "ipfix": 10} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			const format = "%sa,%da,%sp,%dp,%pr,%pkt,%byt,%flg,%tos"
			count, _, _ := totals(flows, protocol != "v5")
			theirs := startNfcapd(t, 0)
			if err := traffic.Softflowd(t.Context(), version, pcap, theirs.to); err != nil {
				t.Fatal(err)
			}
			want := theirs.stop(t, int(count), format)
			ours := startNfcapd(t, 0)
			cfg := probe.DefaultConfig()
			cfg.Files, cfg.To, cfg.Protocol = []string{pcap}, []string{ours.to.String()}, protocol
			run(t, cfg)
			if diff := cmp.Diff(want, ours.stop(t, int(count), format)); diff != "" {
				t.Errorf("flows (-softflowd +probe):\n%s", diff)
			}
		})
	}
}
