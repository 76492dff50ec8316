// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// corpus returns the folder of captures with the decodes to compare with.
func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("WEIR_CORPUS")
	if dir == "" {
		dir = "../../../shared/corpus"
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "arbiter")); err != nil {
		t.Skipf("no corpus of captures in %s: set WEIR_CORPUS", dir)
	}
	return dir
}

// row is a flow in the neutral form, as text, without what is 0.
type row map[string]string

func (r row) late() bool { return r["_late"] != "" }

// decodeNeutral runs weir decode and returns the flows by packet, and the summary.
func decodeNeutral(t *testing.T, args ...string) (map[string][]row, string) {
	t.Helper()
	cmd := weir(t, append([]string{"decode", "--format", "neutral"}, args...)...)
	var summary bytes.Buffer
	cmd.Stderr = &summary
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("weir decode %v: %v\n%s", args, err, summary.String())
	}
	return readRows(t, out), summary.String()
}

func readRows(t *testing.T, text []byte) map[string][]row {
	t.Helper()
	rows := map[string][]row{}
	for line := range bytes.Lines(text) {
		var values map[string]any
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&values); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		r := row{}
		for k, v := range values {
			if k == "_direction" {
				k = "flow_direction"
			}
			if s := plain(v); s != "" {
				r[k] = s
			}
		}
		rows[r["_pkt"]] = append(rows[r["_pkt"]], r)
	}
	return rows
}

// plain writes a value as text, "" for zero.
func plain(v any) string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var parts []string
	for _, v := range list {
		s := fmt.Sprint(v)
		if a, err := netip.ParseAddr(s); err == nil {
			if a.IsUnspecified() {
				continue
			}
			s = a.Unmap().String()
		}
		parts = append(parts, s)
	}
	if s := strings.Join(parts, " "); s != "0" {
		return s
	}
	return ""
}

// TestDecodePrintsWhatTheCorpusHas compares the program's output with that of an independent decoder.
// What differs is what differs in the decoder of the service, with its reasons.
func TestDecodePrintsWhatTheCorpusHas(t *testing.T) {
	t.Parallel()
	dir := corpus(t)
	cases, err := filepath.Glob(filepath.Join(dir, "arbiter", "*.jsonl"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	differ := map[string]int{}
	for _, path := range cases {
		name := strings.TrimSuffix(filepath.Base(path), ".jsonl")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := decodeNeutral(t, filepath.Join(dir, name+".pcap"))
		compareRows(name, got, readRows(t, text), differ)
	}
	if known := knownDifferences(t); !maps.Equal(known, differ) {
		t.Errorf("services/decode/testdata/differences.md has %v, but these are now: %v", known, differ)
	}
}

// compareRows counts the flows that differ by field, in all fields that the corpus knows.
func compareRows(name string, got, want map[string][]row, differ map[string]int) {
	packets := maps.Clone(want)
	maps.Copy(packets, got)
	for packet := range packets {
		// The corpus does not wait for templates.
		g, w := slices.DeleteFunc(slices.Clone(got[packet]), row.late), want[packet]
		if len(g) != len(w) {
			differ[name+" records"] += max(len(g), len(w)) - min(len(g), len(w))
		}
		for i := range min(len(g), len(w)) {
			for _, f := range corpusFields {
				if g[i][f] != w[i][f] {
					differ[name+" "+f]++
				}
			}
		}
	}
}

var corpusFields = strings.Fields(`type sequence_num sampler_address sampling_rate packets bytes time_flow_start_ns time_flow_end_ns
	etype src_addr dst_addr proto src_port dst_port in_if out_if observation_domain_id ip_ttl src_mac dst_mac forwarding_status
	tcp_flags src_net dst_net bgp_next_hop next_hop ip_tos mpls_label mpls_ip fragment_id ipv6_flow_label vlan_id src_vlan dst_vlan
	icmp_type icmp_code src_as dst_as flow_direction observation_point_id ip_flags as_path bgp_communities next_hop_as
	fragment_offset`)

func knownDifferences(t *testing.T) map[string]int {
	t.Helper()
	file, err := os.Open("../../services/decode/testdata/differences.md")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	known := map[string]int{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		cells := strings.Split(lines.Text(), "|")
		if len(cells) < 5 {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSpace(cells[3])); err == nil {
			known[strings.TrimSpace(cells[1])+" "+strings.TrimSpace(cells[2])] = n
		}
	}
	return known
}

// TestDecodeHasFlowsWhoseTemplateComesLater: in these captures of the corpus data comes first. Its decoder
// leaves out what this one has.
func TestDecodeHasFlowsWhoseTemplateComesLater(t *testing.T) {
	t.Parallel()
	dir := corpus(t)
	for name, want := range map[string]int{"derived-netflow9-late-template": 4, "derived-ipfix-late-template": 1} {
		packets, summary := decodeNeutral(t, filepath.Join(dir, name+".pcap"))
		late := 0
		for _, rows := range packets {
			for _, r := range rows {
				if r.late() {
					late++
				}
			}
		}
		if late != want || strings.Contains(summary, "template_unknown") {
			t.Errorf("%s: %d flows came before their template, want %d; summary:\n%s", name, late, want, summary)
		}
	}
}
