// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/ie"
	"github.com/weirflow/weir/services/decode/internal/packet"
)

// In the form of GoFlow2's own sample: physical interfaces instead of logical ones, and a column
// of the user's.
const sample = `
formatter:
  fields: [type, csum]
  key: [sampler_address]
  protobuf:
    - name: flow_direction
      index: 42
      type: varint
    - name: csum
      index: 999
      type: varint
  render:
    time_received_ns: datetimenano
ipfix:
  mapping:
    - field: 252
      destination: in_if
    - field: 253
      destination: out_if
    - field: 1
      penprovided: true
      pen: 2636
      destination: csum
netflowv9:
  mapping:
    - field: 34 # as the sample has it
      destination: sampling_rate
      endian: little
sflow:
  ports:
    - proto: "udp"
      dir: "dst"
      port: 3544
      parser: "teredo-dst"
  mapping:
    - layer: "udp"
      offset: 48
      length: 16
      destination: csum
`

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := Parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := Mapping{
		Elements: ie.Mapping{
			{ID: 252}:          {{How: ie.Number, Field: flow.InIf, Rank: 200}},
			{ID: 253}:          {{How: ie.Number, Field: flow.OutIf, Rank: 200}},
			{PEN: 2636, ID: 1}: {{How: ie.Number, Field: flow.Custom1, Rank: 200}},
			{ID: 34}:           {{How: ie.Interval, Field: flow.SamplingRate, Rank: 200}},
		},
		Bits: []packet.Bits{{Layer: 4, Offset: 48, Length: 16, Field: flow.Custom1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := Parse(nil); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

// TestALineHoldsForBothProtocolsOnce: GoFlow2 wants it in both sections.
func TestALineHoldsForBothProtocolsOnce(t *testing.T) {
	t.Parallel()
	got, err := Parse([]byte("ipfix: {mapping: [{field: 9, destination: as_path}]}\nnetflowv9: {mapping: [{field: 9, destination: as_path}]}"))
	if err != nil {
		t.Fatal(err)
	}
	want := ie.Mapping{{ID: 9}: {{How: ie.ListNumber, Field: flow.ASPath, Rank: 200}}}
	if diff := cmp.Diff(want, got.Elements); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLayersHaveTheNamesOfGoFlow2(t *testing.T) {
	t.Parallel()
	got, err := Parse([]byte("sflow: {mapping: [{layer: 4, offset: 0, length: 16, destination: in_if, endianness: little, encap: true}]}"))
	if err != nil {
		t.Fatal(err)
	}
	port := packet.Bits{Length: 16, Field: flow.InIf, Inner: true, Little: true}
	tcp, udp := port, port
	tcp.Layer, udp.Layer = 3, 4
	if diff := cmp.Diff([]packet.Bits{tcp, udp}, got.Bits); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWrongLinesAreNamed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"ipfix:\n  mapping:\n    - field: 70000\n      destination: in_if":       "line 3: \"70000\" is not a number of 16 bits",
		"ipfix:\n  mapping:\n    - field: 7\n      destination: nowhere":         "line 4: \"nowhere\" is neither a field",
		"ipfix:\n  mapping:\n    - field: 7\n      destination: sampler_address": "line 4: \"sampler_address\" is not for a mapping",
		"ipfix:\n  mapping:\n    - field: 7\n      destinatoin: in_if":           "line 4: \"destinatoin\" is not among",
		"netflow9: {}": "line 1: \"netflow9\" is not among",
		"sflow:\n  mapping:\n    - {layer: tcq, offset: 0, length: 8, destination: in_if}":                     "line 3: \"tcq\" is not among",
		"sflow:\n  mapping:\n    - {layer: tcp, offset: 4, length: 64, destination: in_if}":                    "line 3: 64 bits from bit 4",
		"sflow:\n  mapping:\n    - {layer: tcp, offset: 4, length: 8, destination: src_addr}":                  "line 3: src_addr is no number",
		"sflow:\n  mapping:\n    - {layer: tcp, offset: 4, length: 9, destination: in_if, endianness: little}": "line 3: 9 bits are no octets",
		"sflow:\n  mapping:\n    - {layer: tcp, offset: 4, length: 9, destination: in_if, encap: maybe}":       "line 3: \"maybe\" is not true",
		"ipfix:\n  mapping:\n    - {field: 4, destination: in_if}\n    - {field: -1, destination: in_if}":      "line 4: \"-1\" is not a number",
		"ipfix: [":             "L2.C1",
		"ipfix:\n  mapping: 5": "line 2: want a list",
		"ipfix:\n  mapping:\n    - field: 7\n      destination: in_if\n      endianness: middle":                       "line 5: \"middle\"",
		"formatter:\n  protobuf:\n    - {name: a}\n    - {name: b}\n    - {name: c}\n    - {name: d}\n    - {name: e}": "line 7: \"e\": there are only 4",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nerror %v, want %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("sflow: &a\n  mapping: [*a, {offset: -1}, {destination: [1]}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<16 {
			return
		}
		m, err := Parse(text)
		if err == nil && len(m.Elements)+len(m.Bits) > 2*len(text) {
			t.Fatalf("%d octets became %d lines", len(text), len(m.Elements)+len(m.Bits))
		}
	})
}
