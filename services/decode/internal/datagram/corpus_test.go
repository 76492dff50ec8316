// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
)

// corpusDir returns the folder of captures with the decodes to compare with.
func corpusDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("WEIR_CORPUS")
	if dir == "" {
		dir = "../../../../../shared/corpus"
	}
	if _, err := os.Stat(filepath.Join(dir, "arbiter")); err != nil {
		t.Skipf("no corpus of captures in %s: set WEIR_CORPUS", dir)
	}
	return dir
}

// arbiterFields are the fields that the corpus knows.
var arbiterFields = []flow.Field{
	flow.SequenceNum, flow.SamplerAddress, flow.SamplingRate, flow.Packets, flow.Bytes, flow.TimeFlowStartNs,
	flow.TimeFlowEndNs, flow.EType, flow.SrcAddr, flow.DstAddr, flow.Proto, flow.SrcPort, flow.DstPort, flow.InIf,
	flow.OutIf, flow.ObservationDomainID, flow.IPTTL, flow.SrcMAC, flow.DstMAC, flow.ForwardingStatus, flow.TCPFlags,
	flow.SrcNet, flow.DstNet, flow.BGPNextHop, flow.NextHop, flow.IPTOS, flow.MPLSLabel, flow.MPLSIP, flow.FragmentID,
	flow.IPv6FlowLabel, flow.VLANID, flow.SrcVLAN, flow.DstVLAN, flow.ICMPType, flow.ICMPCode, flow.SrcAS, flow.DstAS,
	flow.FlowDirection, flow.ObservationPointID, flow.IPFlags, flow.ASPath, flow.BGPCommunities, flow.NextHopAS, flow.FragmentOffset,
}

// record is a flow as text, by field name; a field that is zero is absent.
type record map[string]string

// TestCorpus decodes every capture as one exporter after the other and compares each record
// with the corpus. What differs, and why, stands in the service's testdata/differences.md.
func TestCorpus(t *testing.T) {
	t.Parallel()
	dir := corpusDir(t)
	cases, err := filepath.Glob(filepath.Join(dir, "arbiter", "*.jsonl"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	got := map[string]int{}
	equal := 0
	for _, path := range cases {
		name := strings.TrimSuffix(filepath.Base(path), ".jsonl")
		differ := compare(t, decodeCapture(t, filepath.Join(dir, name+".pcap")), readArbiter(t, path))
		if len(differ) == 0 {
			equal++
		}
		for field, n := range differ {
			got[name+" "+field] = n
		}
	}
	t.Logf("%d of %d captures are equal in every value", equal, len(cases))
	if diff := cmp.Diff(readDifferences(t), got); diff != "" {
		t.Errorf("differences (-testdata/differences.md +now):\n%s", diff)
	}
}

// compare counts the records that differ, by field; "records" is those that one side lacks.
func compare(t *testing.T, got, want map[int][]record) map[string]int {
	t.Helper()
	differ := map[string]int{}
	for packet := range max(len(got), len(want)) + 10_000 {
		g, w := got[packet], want[packet]
		if len(g) != len(w) {
			differ["records"] += max(len(g), len(w)) - min(len(g), len(w))
			t.Logf("packet %d: %d records, want %d", packet, len(g), len(w))
		}
		for i := range min(len(g), len(w)) {
			for _, f := range append(fieldNames(), "type") {
				if g[i][f] != w[i][f] {
					differ[f]++
					if testing.Verbose() && differ[f] < 3 {
						t.Logf("packet %d record %d: %s is %q, want %q", packet, i, f, g[i][f], w[i][f])
					}
				}
			}
		}
	}
	return differ
}

func fieldNames() []string {
	names := make([]string, len(arbiterFields))
	for i, f := range arbiterFields {
		names[i] = f.String()
	}
	return names
}

// readArbiter reads the corpus' records by number of their packet.
func readArbiter(t *testing.T, path string) map[int][]record {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	records := map[int][]record{}
	for line := range bytes.Lines(text) {
		var values map[string]any
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&values); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		r := record{}
		for k, v := range values {
			if k == "_direction" {
				k = flow.FlowDirection.String()
			}
			if s := textOf(v); s != "" {
				r[k] = s
			}
		}
		packet, _ := strconv.Atoi(r["_pkt"])
		records[packet] = append(records[packet], r)
	}
	return records
}

// textOf writes a value of the corpus as text, "" for zero.
func textOf(v any) string {
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

// decodeCapture decodes a capture by number of packet.
func decodeCapture(t *testing.T, path string) map[int][]record {
	t.Helper()
	limits := testLimits
	limits.Rows.AheadNs, limits.Rows.PastNs = 0, 0 // captures are of any age
	d := New(limits)
	records := map[int][]record{}
	for i, g := range readCapture(t, path) {
		var b flow.Batch
		d.decode(&g, &b)
		for row := range b.Rows() {
			records[i+1] = append(records[i+1], recordOf(&b, row))
		}
	}
	return records
}

func recordOf(b *flow.Batch, row int) record {
	names := map[uint64]string{1: "SFLOW_5", 2: "NETFLOW_V5", 3: "NETFLOW_V9", 4: "IPFIX", 101: "NETFLOW_V1", 107: "NETFLOW_V7", 108: "NETFLOW_V8"}
	r := record{"type": names[b.Number(flow.Type, row)]}
	for _, f := range arbiterFields {
		s := ""
		switch f.Info().Kind {
		case flow.Address:
			s = textOf(b.Address(f, row).Unmap())
		case flow.Numbers:
			s = listText(b, f, row, flow.AppendListNumbers[uint64](nil, b, f))
		case flow.Addresses:
			s = listText(b, f, row, flow.AppendListAddresses(nil, b, f))
		default:
			s = numberText(f, b.Number(f, row))
		}
		if s != "" {
			r[f.String()] = s
		}
	}
	return r
}

func numberText(f flow.Field, v uint64) string {
	if (f == flow.SrcMAC || f == flow.DstMAC) && v != 0 {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], v)
		return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", b[2], b[3], b[4], b[5], b[6], b[7])
	}
	return textOf(v)
}

// listText cuts the values of a row out of those of all rows.
func listText(b *flow.Batch, f flow.Field, row int, values any) string {
	lengths := flow.AppendLengths[uint64](nil, b, f)
	at := uint64(0)
	for _, n := range lengths[:row] {
		at += n
	}
	var list []any
	all := reflect.ValueOf(values)
	for i := range lengths[row] {
		v := all.Index(int(at + i)).Interface()
		if a, ok := v.([16]byte); ok {
			v = netip.AddrFrom16(a).Unmap()
		}
		list = append(list, v)
	}
	return textOf(list)
}

// readCapture reads the UDP payloads of a classic capture of Ethernet and IPv4.
func readCapture(t *testing.T, path string) []flow.Datagram {
	t.Helper()
	p, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	order, unit := binary.ByteOrder(binary.LittleEndian), uint64(1000)
	if magic := binary.BigEndian.Uint32(p); magic == 0xa1b2c3d4 || magic == 0xa1b23c4d {
		order = binary.BigEndian
	}
	if order.Uint32(p) == 0xa1b23c4d {
		unit = 1
	}
	var all []flow.Datagram
	for p = p[24:]; len(p) >= 16; {
		n := int(order.Uint32(p[8:]))
		ns := uint64(order.Uint32(p))*1e9 + uint64(order.Uint32(p[4:]))*unit
		ip := p[16+14 : 16+n]
		udp := ip[int(ip[0]&15)*4:]
		payload := udp[8:binary.BigEndian.Uint16(udp[4:])]
		source := netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[12:])), binary.BigEndian.Uint16(udp))
		all = append(all, flow.Datagram{
			Exporter: flow.ExporterOf(source.Addr(), payload), Source: source,
			ReceivedNs: ns, Payload: payload,
		})
		p = p[16+n:]
	}
	return all
}

// readDifferences reads the table of testdata/differences.md: capture, field, records, why.
func readDifferences(t *testing.T) map[string]int {
	t.Helper()
	file, err := os.Open("../../testdata/differences.md")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	want := map[string]int{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		cells := strings.Split(lines.Text(), "|")
		if len(cells) < 5 {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSpace(cells[3])); err == nil {
			want[strings.TrimSpace(cells[1])+" "+strings.TrimSpace(cells[2])] = n
		}
	}
	return want
}
