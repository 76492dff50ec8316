// SPDX-License-Identifier: Apache-2.0

package probe_test

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/weirflow/weir/services/probe"
	"github.com/weirflow/weir/test/traffic"
)

// BenchmarkFileToFlows reads a capture, measures and sends the flows to nobody. It uses one
// core. Packets are cut to 96 octets, as captures for measurement are, or whole.
func BenchmarkFileToFlows(b *testing.B) {
	traffic.Require(b, "editcap")
	whole, flows := writeCapture(b, 3000)
	cut := filepath.Join(b.TempDir(), "cut.pcap")
	if out, err := exec.Command("editcap", "-s", "96", "-F", "pcap", whole, cut).CombinedOutput(); err != nil {
		b.Fatalf("editcap: %v: %s", err, out)
	}
	packets := 0
	for _, f := range flows {
		packets += int(f.Packets)
	}
	for name, file := range map[string]string{"cut": cut, "whole": whole} {
		b.Run(name, func(b *testing.B) {
			cfg := probe.DefaultConfig()
			cfg.Files, cfg.To = []string{file}, []string{netip.MustParseAddrPort("127.0.0.1:9").String()}
			info, err := os.Stat(file)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(info.Size())
			before := cpu(b)
			for b.Loop() {
				run(b, cfg)
			}
			b.ReportMetric(float64(packets*b.N)/b.Elapsed().Seconds(), "packets/s")
			b.ReportMetric(float64(packets*b.N)/(cpu(b)-before), "packets/cpu-s")
		})
	}
}

// cpu returns the time that the process has used so far, seconds.
func cpu(b *testing.B) float64 {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
