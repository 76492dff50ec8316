// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode"
	"github.com/weirflow/weir/services/decode/offline"
)

// capture is a pcap file of raw IPv4 with UDP datagrams from 192.0.2.1, one a second from 1600000000 on.
func capture(t *testing.T, payloads ...string) *bytes.Reader {
	t.Helper()
	le, be := binary.LittleEndian, binary.BigEndian
	file := le.AppendUint16(le.AppendUint16(le.AppendUint32(nil, 0xa1b2c3d4), 2), 4)
	for _, v := range []uint32{0, 0, 65535, 101} {
		file = le.AppendUint32(file, v)
	}
	for i, text := range payloads {
		payload, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		p := []byte{0x45, 0, 0, 0, 0, 7, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 3, 0xe8, 0x12, 0x83, 0, 0, 0, 0}
		be.PutUint16(p[2:], uint16(28+len(payload)))
		be.PutUint16(p[24:], uint16(8+len(payload)))
		p = append(p, payload...)
		for _, v := range []uint32{1600000000 + uint32(i), 0, uint32(len(p)), uint32(len(p))} {
			file = le.AppendUint32(file, v)
		}
		file = append(file, p...)
	}
	return bytes.NewReader(file)
}

func decoder(t *testing.T, cfg decode.Config, ports ...uint16) *offline.Decoder {
	t.Helper()
	d, err := offline.NewDecoder(cfg, ports...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Two IPFIX messages (RFC 7011): a record of protocolIdentifier, and the template of it.
const (
	record  = "000a00155f5e100000000000000000070100000506"
	tmpl    = "000a001c5f5e10010000000100000007" + "0002000c" + "01000001" + "00040001"
	another = "000a00155f5e100200000001000000070100000511"
	unknown = "000a00155f5e100200000002000000070200000511"
)

func TestReadHasFlowsWhoseTemplateComesLater(t *testing.T) {
	t.Parallel()
	type seen struct {
		Packet, First int
		Late          bool
		Proto         uint64
		ReceivedNs    uint64
	}
	want := []seen{{1, 0, true, 6, 1600000000e9}, {3, 0, false, 17, 1600000002e9}}
	var got []seen
	d := decoder(t, offline.DefaultConfig())
	err := d.Read(capture(t, record, tmpl, another, unknown), func(f offline.Flows) error {
		got = append(got, seen{f.Packet, f.First, f.Late, f.Batch.Number(flow.Proto, 0), f.Batch.Number(flow.TimeReceivedNs, 0)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	s := d.Summary()
	if len(s.Refused) != 1 || s.Refused[0].Reason != "template_unknown" || s.Refused[0].Count != 1 || s.Late != 1 {
		t.Errorf("summary: %+v", s)
	}
}

func TestReadTakesWantedPortsOnly(t *testing.T) {
	t.Parallel()
	d := decoder(t, offline.DefaultConfig(), 2055)
	if err := d.Read(capture(t, tmpl, another), func(offline.Flows) error { t.Error("a flow"); return nil }); err != nil {
		t.Fatal(err)
	}
	s := d.Summary()
	var text strings.Builder
	s.Write(&text)
	if !strings.Contains(text.String(), "2 other_port: datagram to a port that was not asked for") {
		t.Errorf("summary:\n%s", text.String())
	}
}

func TestReadFollowsTheSettingsOfTheService(t *testing.T) {
	t.Parallel()
	const mapped = `ipfix: {mapping: [{field: 4, destination: custom_1}], }
formatter: {protobuf: [{name: custom}]}`
	cfg := offline.DefaultConfig()
	cfg.MappingFile = filepath.Join(t.TempDir(), "mapping.yaml")
	if err := os.WriteFile(cfg.MappingFile, []byte(mapped), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := 0
	err := decoder(t, cfg).Read(capture(t, tmpl, another), func(f offline.Flows) error {
		rows += f.Batch.Rows()
		if v := f.Batch.Number(flow.Custom1, 0); v != 17 {
			t.Errorf("custom_1 is %d, want protocol 17", v)
		}
		return nil
	})
	if err != nil || rows != 1 {
		t.Errorf("%d rows, %v", rows, err)
	}
	cfg.MappingFile += ".missing"
	if _, err := offline.NewDecoder(cfg); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a mapping file that is not there: %v", err)
	}
}

// TestTemplatesExpireByCaptureTime: packets are a second apart, whatever the clock of this machine is.
func TestTemplatesExpireByCaptureTime(t *testing.T) {
	t.Parallel()
	cfg := offline.DefaultConfig()
	cfg.TemplateTTL = time.Second
	var packets []int
	d := decoder(t, cfg)
	err := d.Read(capture(t, tmpl, another, another, tmpl), func(f offline.Flows) error {
		packets = append(packets, f.Packet)
		return nil
	})
	if diff := cmp.Diff([]int{2, 3}, packets); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	if s := d.Summary(); s.Late != 1 || len(s.Refused) != 1 || s.Refused[0].Reason != "template_expired" {
		t.Errorf("the second record came 2 s behind its template, which came again: %+v", s)
	}
}

// TestReadHasCounters: a counters sample of sFlow v5 with generic counters of interface 7 (section 5.4).
func TestReadHasCounters(t *testing.T) {
	t.Parallel()
	const sample = "00000005" + "00000001c0000201" + "00000000" + "00000001" + "00000064" + "00000001" +
		"00000002" + "0000006c" + "00000001" + "00000007" + "00000001" + "00000001" + "00000058" +
		"00000007" + "00000006" + "000000003b9aca00" + "00000001" + "00000003" + "0000000000000abc" + // in octets 2748
		"000000010000000000000000000000000000000000000000" + "0000000000000def" + "0000000200000000000000000000000000000000" + "00000000"
	var got []string
	d := decoder(t, offline.DefaultConfig())
	err := d.Read(capture(t, sample, tmpl, another), func(f offline.Flows) error {
		if f.Counters == nil {
			return nil
		}
		for line := range f.Counters.JSON() {
			got = append(got, string(line))
		}
		return nil
	})
	if err != nil || len(got) != 1 || !strings.Contains(got[0], `"if_index":7`) || !strings.Contains(got[0], `"in_octets":2748`) {
		t.Errorf("%v, counters: %q", err, got)
	}
	s := d.Summary()
	if diff := cmp.Diff([]offline.Counters{{Table: "interface_counters", Rows: 1}}, s.Counters); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
