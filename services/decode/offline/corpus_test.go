// SPDX-License-Identifier: Apache-2.0

package offline_test

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

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/offline"
	"github.com/weirflow/weir/test/corpus"
)

// row is a flow in the neutral form, as text, without what is 0.
type row map[string]string

// corpusFields are the fields that the corpus knows.
var corpusFields = strings.Fields(`type sequence_num sampler_address sampling_rate packets bytes time_flow_start_ns time_flow_end_ns
	etype src_addr dst_addr proto src_port dst_port in_if out_if observation_domain_id ip_ttl src_mac dst_mac forwarding_status
	tcp_flags src_net dst_net bgp_next_hop next_hop ip_tos mpls_label mpls_ip fragment_id ipv6_flow_label vlan_id src_vlan dst_vlan
	icmp_type icmp_code src_as dst_as flow_direction observation_point_id ip_flags as_path bgp_communities next_hop_as
	fragment_offset`)

// TestCorpus decodes every capture and compares each value of each flow with the corpus' independent
// decode. What differs, and why, stands in the service's testdata/differences.md.
func TestCorpus(t *testing.T) {
	t.Parallel()
	got, equal := map[string]int{}, 0
	captures := corpus.Captures(t)
	for _, path := range captures {
		name := strings.TrimSuffix(filepath.Base(path), ".pcap")
		text, err := os.ReadFile(filepath.Join(filepath.Dir(path), "arbiter", name+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		differ := compare(t, decodeNeutral(t, path), rowsOf(t, text))
		if len(differ) == 0 {
			equal++
		}
		for field, n := range differ {
			got[name+" "+field] = n
		}
	}
	t.Logf("%d of %d captures are equal in every value", equal, len(captures))
	if diff := cmp.Diff(differences(t), got); diff != "" {
		t.Errorf("differences (-testdata/differences.md +now):\n%s", diff)
	}
}

// decodeNeutral returns the flows of a capture by packet, but for those whose template comes later: the
// corpus does not wait for templates.
func decodeNeutral(t *testing.T, path string) map[string][]row {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows := map[string][]row{}
	err = decoder(t, offline.DefaultConfig()).Read(file, func(f offline.Flows) error {
		if f.Late {
			return nil
		}
		packet := strconv.Itoa(f.Packet)
		for object := range f.Batch.JSON(flow.Neutral) {
			rows[packet] = append(rows[packet], rowOf(t, object))
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return rows
}

// rowsOf reads the corpus' flows by packet.
func rowsOf(t *testing.T, text []byte) map[string][]row {
	t.Helper()
	rows := map[string][]row{}
	for line := range bytes.Lines(text) {
		r := rowOf(t, line)
		rows[r["_pkt"]] = append(rows[r["_pkt"]], r)
	}
	return rows
}

func rowOf(t *testing.T, object []byte) row {
	t.Helper()
	var values map[string]any
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	if err := d.Decode(&values); err != nil {
		t.Fatalf("%s: %v", object, err)
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
	return r
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

// compare counts the flows that differ, by field; "records" is those that one side lacks.
func compare(t *testing.T, got, want map[string][]row) map[string]int {
	t.Helper()
	differ := map[string]int{}
	packets := maps.Clone(want)
	maps.Copy(packets, got)
	for _, packet := range slices.Sorted(maps.Keys(packets)) {
		g, w := got[packet], want[packet]
		if len(g) != len(w) {
			differ["records"] += max(len(g), len(w)) - min(len(g), len(w))
		}
		for i := range min(len(g), len(w)) {
			for _, f := range corpusFields {
				if g[i][f] == w[i][f] {
					continue
				}
				if differ[f]++; differ[f] < 3 && testing.Verbose() {
					t.Logf("packet %s record %d: %s is %q, want %q", packet, i, f, g[i][f], w[i][f])
				}
			}
		}
	}
	return differ
}

// differences reads the table of testdata/differences.md: capture, field, records, why.
func differences(t *testing.T) map[string]int {
	t.Helper()
	file, err := os.Open("../testdata/differences.md")
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
