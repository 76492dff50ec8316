// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// aCapture is a pcap file of raw IPv4 with aRecord from 192.0.2.1 at 1600000000.
func aCapture(t *testing.T) []byte {
	t.Helper()
	payload, err := hex.DecodeString(aRecord)
	if err != nil {
		t.Fatal(err)
	}
	p := []byte{0x45, 0, 0, 0, 0, 7, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 3, 0xe8, 0x08, 0x07, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(p[2:], uint16(28+len(payload)))
	binary.BigEndian.PutUint16(p[24:], uint16(8+len(payload)))
	p = append(p, payload...)
	var file []byte
	for _, v := range []uint32{0xa1b2c3d4, 2<<16 | 4, 0, 0, 65535, 101, 1600000000, 0, uint32(len(p)), uint32(len(p))} {
		file = binary.BigEndian.AppendUint32(file, v)
	}
	return append(file, p...)
}

func TestDecodePrintsFlowsAndASummary(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "weir.yaml")
	text := "decode: {sampling: [{exporters: 192.0.2.0/24, default: 1000}]}\ningest: {listen: []}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args        []string
		out, errOut string
	}{
		"neutral": {
			[]string{"--format", "neutral"},
			`{"_pkt":1,"_rec":0,"type":"NETFLOW_V1","time_received_ns":1600000000000000000,`,
			"1 length_mismatch: length or count in the header differs",
		},
		"as GoFlow2":    {nil, `"proto":"TCP","src_port":40000,"dst_port":80`, "netflow_v1: 1 datagrams, 1 flows"},
		"with settings": {[]string{"--config", config}, `"sampling_rate":1000`, "1 packets"},
		"another port":  {[]string{"--port", "9995"}, "", "1 other_port: datagram to a port that was not asked for"},
	} {
		cmd := weir(t, append([]string{"decode", "-"}, tt.args...)...)
		var out, errOut bytes.Buffer
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(aCapture(t)), &out, &errOut
		if err := cmd.Run(); err != nil || !strings.Contains(out.String(), tt.out) || !strings.Contains(errOut.String(), tt.errOut) {
			t.Errorf("%s: %v, want %s and %s; printed\n%s%s", name, err, tt.out, tt.errOut, &out, &errOut)
		}
	}
}
