// SPDX-License-Identifier: Apache-2.0

package probe_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"github.com/weirflow/weir/services/probe"
	"github.com/weirflow/weir/test/traffic"
)

// inNetwork is set where the test runs in a network of its own.
const inNetwork = "WEIR_TEST_IN_NETWORK"

// runInNetwork runs the subtest "inside" of a test again, in a network of its own, which needs root.
func runInNetwork(t *testing.T, inside func(*testing.T)) {
	t.Helper()
	if os.Getenv(inNetwork) != "" {
		t.Run("inside", inside)
		return
	}
	t.Parallel()
	traffic.Require(t, "nfcapd", "nfdump", "tcpdump", "ip", "unshare")
	if os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("capturing needs root")
		}
		t.Skip("capturing needs root")
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "-n", os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inNetwork+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()+"/inside") {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestConfigurationOfGoflowdRuns and captures from a veth pair. Only the interface and the
// destination are changed.
func TestConfigurationOfGoflowdRuns(t *testing.T) { runInNetwork(t, configurationOfGoflowd) }

// TestTheKernelFilters what the probe captures.
func TestTheKernelFilters(t *testing.T) { runInNetwork(t, kernelFilter) }

// addVeth makes the pair veth0, veth1.
func addVeth(t *testing.T) {
	t.Helper()
	for _, args := range []string{
		"link set lo up", "link add veth0 type veth peer name veth1", "link set veth0 up", "link set veth1 up",
	} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", args, err, out)
		}
	}
}

func configurationOfGoflowd(t *testing.T) {
	t.Helper()
	addVeth(t)
	text, err := os.ReadFile("testdata/goflowd.json")
	if err != nil {
		t.Fatal(err)
	}
	model := filepath.Join(t.TempDir(), "config.json")
	changed := strings.NewReplacer("enp0s3", "veth0", "192.168.1.1", "127.0.0.1").Replace(string(text))
	if err := os.WriteFile(model, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	pcap, flows := writeCapture(t, 20)
	count, _, _ := totals(flows, false)
	collector := startNfcapd(t, 4739)

	cfg := probe.DefaultConfig()
	cfg.Model = model
	_, all, _ := totals(flows, true)
	captureLive(t, cfg, pcap, all)
	got := collector.stop(t, int(count)+1, "%sa,%da,%sp,%dp,%pr,%pkt,%byt")
	var want []string
	for _, f := range flows {
		if !f.IPv6() {
			port := fmt.Sprint(f.Dst.Port())
			if f.Proto == 1 {
				port = "0.0" // as nfdump shows type and code, which this layout does not have
			}
			want = append(want, fmt.Sprintf("%v,%v,%d,%s,%d,%d,%d", f.Src.Addr(), f.Dst.Addr(), f.Src.Port(), port, f.Proto, f.Packets, f.IPBytes))
		}
	}
	slices.Sort(want)
	got = slices.DeleteFunc(got, func(line string) bool { return strings.HasPrefix(line, trialSource) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flows (-sent +nfdump):\n%s", diff)
	}
}

// kernelFilter: only packets of UDP port 53 get through, of IPv4 and IPv6.
func kernelFilter(t *testing.T) {
	t.Helper()
	addVeth(t)
	pcap, flows := writeCapture(t, 20)
	packets, octets := uint64(0), uint64(0)
	for _, f := range flows {
		if f.Proto == 17 && (f.Src.Port() == 5201 || f.Dst.Port() == 5201) {
			packets += f.Packets
			octets += f.IPBytes
		}
	}
	if packets == 0 {
		t.Fatal("the capture has no such packets")
	}
	c := collect(t)
	cfg := probe.DefaultConfig()
	cfg.Interfaces, cfg.To = []string{"veth0"}, []string{c.addr().String()}
	cfg.Filter = "udp port 5201 or host " + trialSource
	captureLive(t, cfg, pcap, packets)
	var gotPackets, gotOctets uint64
	for _, row := range dissect(t, c.stop(t), "cflow", "cflow.packets", "cflow.octets", "cflow.dstport") {
		for i := range row[0] {
			if row[2][i] != "0" { // the trial frames have no ports
				gotPackets += number(t, row[0][i])
				gotOctets += number(t, row[1][i])
			}
		}
	}
	if gotPackets != packets || gotOctets != octets {
		t.Errorf("%d packets, %d octets, want %d, %d", gotPackets, gotOctets, packets, octets)
	}
}

// captureLive runs a probe while the frames of pcap are sent on veth1, until it has observed so many.
func captureLive(t *testing.T, cfg probe.Config, pcap string, packets uint64) {
	t.Helper()
	reg := prometheus.NewRegistry()
	s, err := probe.New(cfg, slog.New(slog.DiscardHandler), reg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	sendFrames(t, pcap, "veth1", func() bool { return observed(t, reg) > 0 })
	for deadline := time.Now().Add(10 * time.Second); observed(t, reg) < float64(packets) && time.Now().Before(deadline); {
		poll(t)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func observed(t *testing.T, reg *prometheus.Registry) float64 {
	t.Helper()
	return counter(t, reg, "weir_probe_packets_total")
}

// counter returns the value of a metric that has no labels.
func counter(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return 0
}

const trialSource = "192.0.2.254"

// sendFrames sends the frames of a pcap file on an interface, once a trial frame was seen.
func sendFrames(t *testing.T, pcap, name string, seen func() bool) {
	t.Helper()
	device, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	to := &unix.SockaddrLinklayer{Ifindex: device.Index}
	trial := append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0},
		0x45, 0, 0, 46, 0, 0, 0, 0, 64, 253, 0, 0, 192, 0, 2, 254, 192, 0, 2, 253)
	trial = append(trial, make([]byte, 26)...)
	for deadline := time.Now().Add(10 * time.Second); !seen(); poll(t) {
		if time.Now().After(deadline) {
			t.Fatal("the probe sees nothing")
		}
		if err := unix.Sendto(fd, trial, 0, to); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(pcap)
	if err != nil {
		t.Fatal(err)
	}
	for b := data[24:]; len(b) > 16; {
		n := binary.LittleEndian.Uint32(b[8:])
		if err := unix.Sendto(fd, b[16:16+n], 0, to); err != nil {
			t.Fatal(err)
		}
		b = b[16+n:]
	}
}
