// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Require skips the test when a program is missing, and fails it where CI is set.
func Require(t testing.TB, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := find(name); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
}

// Softflowd has softflowd export all flows of a pcap file as NetFlow v5, v9 or IPFIX (10), and
// returns when it has. Observed of softflowd 1.1.0:
//
//   - it makes two records of a conversation, one in either direction, and counts from the
//     IP header on; v5 leaves IPv6 out;
//   - it reads the whole file at once and exports at its end, in a few milliseconds;
//   - without -a it takes its own start for the exporter's, so that the flows' uptimes are
//     negative: their times come out 49.7 days (2^32 ms) late;
//   - with -r it reads an uninitialised poll result of its control socket and may wait for
//     a connection for ever, hence -c none.
func Softflowd(ctx context.Context, version int, pcap string, to netip.AddrPort) error {
	dir, err := os.MkdirTemp("", "softflowd")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return run(ctx, "softflowd", "-r", pcap, "-n", to.String(), "-v", strconv.Itoa(version),
		"-d", "-a", "-c", "none", "-p", filepath.Join(dir, "pid"))
}

// Nfprobe has pmacctd export all flows of a pcap file as NetFlow v5, v9 or IPFIX (10). It takes
// some four seconds, in which pmacctd 1.7.7 sleeps. Records are as those of Softflowd.
func Nfprobe(ctx context.Context, version int, pcap string, to netip.AddrPort) error {
	return pmacctd(ctx, pcap, fmt.Sprintf(`aggregate: src_host, dst_host, src_port, dst_port, proto, tos
plugins: nfprobe[probe]
nfprobe_receiver[probe]: %v
nfprobe_version[probe]: %d
`, to, version))
}

// FillerProto is the IP protocol of the packets that Sfprobe puts behind a capture. It is
// reserved for experiments (RFC 3692); who compares totals has to leave it out.
const FillerProto = 253

// Sfprobe has pmacctd export a sample of every packet of a pcap file (sampling 1 in 1) as sFlow
// v5, from the given IPv4 agent. It takes some four seconds. Observed of pmacctd 1.7.7:
//
//   - frame_length is the captured length plus 4 octets of FCS, and stripped is 4;
//   - input and output are 0x3fffffff, unknown;
//   - it loses up to a handful of the last packets when it ends. Sfprobe puts packets of
//     protocol FillerProto behind the capture, of which it then loses some instead.
func Sfprobe(ctx context.Context, pcap string, agent netip.Addr, to netip.AddrPort) error {
	dir, err := os.MkdirTemp("", "sfprobe")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	data, err := os.ReadFile(pcap)
	if err != nil {
		return err
	}
	filled := filepath.Join(dir, "filled.pcap")
	if err := os.WriteFile(filled, appendFiller(data), 0o600); err != nil {
		return err
	}
	return pmacctd(ctx, filled, fmt.Sprintf(`plugins: sfprobe[probe]
sfprobe_receiver[probe]: %v
sfprobe_agentip[probe]: %v
`, to, agent))
}

// pmacctd reads a pcap file with one plugin and ends.
func pmacctd(ctx context.Context, pcap, plugin string) error {
	dir, err := os.MkdirTemp("", "pmacctd")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "conf")
	conf := fmt.Sprintf("daemonize: false\npidfile: %s/pid\npcap_savefile: %s\n%s", dir, pcap, plugin)
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return err
	}
	err = run(ctx, "pmacctd", "-f", file)
	// The core may see that its plugin has ended before it ends itself, and call that a failure.
	if failed, ok := errors.AsType[*exec.ExitError](err); ok && failed.ExitCode() == 1 &&
		strings.Contains(err.Error(), "no more plugins active") && strings.Contains(err.Error(), "on user request") {
		return nil
	}
	return err
}

// run runs a program to its end, or kills it with its children when ctx ends.
func run(ctx context.Context, name string, args ...string) error {
	path, err := find(name)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s: %w: %s", name, err, bytes.TrimSpace(out.Bytes()))
	}
	return nil
}

// find looks on the PATH and where Debian has daemons, which is not on everybody's.
func find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + name)
}
