// SPDX-License-Identifier: Apache-2.0

package capture_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/services/probe/internal/capture"
	"github.com/weirflow/weir/test/traffic"
)

// read returns all packets of a file.
func read(t *testing.T, file []byte) []capture.Packet {
	t.Helper()
	r, err := capture.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var all []capture.Packet
	for {
		var p capture.Packet
		switch err := r.Next(&p); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		}
		p.Data = bytes.Clone(p.Data)
		all = append(all, p)
	}
}

func pcap(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	cfg := traffic.CaptureConfig{Start: time.Unix(1_700_000_000, 0), Conversations: 3, Seed: 1}
	if _, err := traffic.WriteCapture(&b, cfg); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestFormatsHoldTheSamePackets: Wireshark's editcap writes the same packets in other formats.
func TestFormatsHoldTheSamePackets(t *testing.T) {
	t.Parallel()
	traffic.Require(t, "editcap")
	file := pcap(t)
	want := read(t, file)
	if len(want) < 100 || want[0].Time < 1_700_000_000e9 || want[0].Link != 1 {
		t.Fatalf("%d packets, the first %+v", len(want), want[0])
	}
	dir := t.TempDir()
	in := filepath.Join(dir, "in.pcap")
	if err := os.WriteFile(in, file, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"pcapng", "nsecpcap", "pcap"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(dir, format)
			if text, err := exec.CommandContext(t.Context(), "editcap", "-F", format, in, out).CombinedOutput(); err != nil {
				t.Fatalf("editcap: %v: %s", err, text)
			}
			converted, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, read(t, converted)); diff != "" {
				t.Errorf("packets (-pcap +%s):\n%s", format, diff)
			}
		})
	}
}

func TestACaptureThatWasCutShortEndsWithItsLastWholePacket(t *testing.T) {
	t.Parallel()
	file := pcap(t)
	whole := len(read(t, file))
	for _, cut := range []int{1, 20} {
		if n := len(read(t, file[:len(file)-cut])); n != whole-1 {
			t.Errorf("%d packets without the last %d octets, want %d", n, cut, whole-1)
		}
	}
}

func TestOtherFilesAreRefused(t *testing.T) {
	t.Parallel()
	if _, err := capture.NewReader(bytes.NewReader([]byte("#!/bin/sh"))); err == nil {
		t.Error("no error")
	}
}

func FuzzReader(f *testing.F) {
	f.Add(pcap(f)[:2000])
	f.Fuzz(func(_ *testing.T, file []byte) {
		r, err := capture.NewReader(bytes.NewReader(file))
		if err != nil {
			return
		}
		var p capture.Packet
		for r.Next(&p) == nil {
		}
	})
}
