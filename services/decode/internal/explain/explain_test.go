// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/capture"
	"github.com/weirflow/weir/services/decode/internal/datagram"
	"github.com/weirflow/weir/services/decode/internal/ie"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/row"
	"github.com/weirflow/weir/services/decode/internal/template"
	"github.com/weirflow/weir/test/corpus"
)

// message is an IPFIX message made by hand after RFC 7011 §3: template 256 of protocolIdentifier, an
// element of enterprise 9 in variable length and sourceIPv4Address; a record of it; a set of an
// unknown template; a set that is too short.
const handMade = "000a004e5f5e1000000000070000002a" +
	"00020018" + "01000003" + "00040001" + "8064ffff00000009" + "00080004" +
	"0100000f" + "06" + "02abcd" + "c0000201" + "000000" +
	"01010008deadbeef" + "02000003" + "0000000000000000"

func payload(t *testing.T) []byte {
	t.Helper()
	p, err := hex.DecodeString(handMade)
	if err != nil {
		t.Fatal(err)
	}
	p[3] = byte(len(p))
	return p
}

// find returns the parts with a name.
func find(p *Part, name string) (all []*Part) {
	if p.Name == name {
		all = append(all, p)
	}
	for _, part := range p.Parts {
		all = append(all, find(part, name)...)
	}
	return all
}

func TestDatagramShowsPlacesValuesColumnsAndWhatIsWrong(t *testing.T) {
	t.Parallel()
	var x Explainer
	root := x.Datagram(netip.Addr{}, payload(t))
	for _, want := range []Part{
		{Name: "export_time", Offset: 4, Octets: 4, Value: "1600000000"},
		{Name: "observation_domain_id", Offset: 12, Octets: 4, Value: "42", Columns: []string{"observation_domain_id"}},
		{Name: "protocolIdentifier (4)", Offset: 44, Octets: 1, Value: "6", Columns: []string{"proto"}},
		{Name: "enterprise 9 element 100", Offset: 46, Octets: 2, Value: "43981"},
		{Name: "sourceIPv4Address (8)", Offset: 48, Octets: 4, Value: "192.0.2.1", Columns: []string{"src_addr"}},
		{Name: "padding", Offset: 52, Octets: 3},
		{
			Name: "data set 257", Offset: 55, Octets: 8, Value: "deadbeef", Problem: "template_unknown",
			Rule: refusal.TemplateUnknown.Why(),
		},
		{Name: "set 512", Offset: 63, Octets: 3, Problem: "set_malformed", Rule: refusal.SetMalformed.Why()},
	} {
		got := find(root, want.Name)
		if len(got) == 0 {
			t.Errorf("%s: is not there", want.Name)
			continue
		}
		if diff := cmp.Diff(want, *got[len(got)-1]); diff != "" {
			t.Errorf("%s -want +got:\n%s", want.Name, diff)
		}
	}
}

// TestTemplatesThatDecodeKnowsHold: a data set of a template that came long before, with what decode kept.
func TestTemplatesThatDecodeKnowsHold(t *testing.T) {
	t.Parallel()
	exporter, fields := netip.MustParseAddr("192.0.2.1"), []template.Field{{Element: ie.Element{ID: 4}, Length: 1}}
	known := template.New(template.Limits{Domains: 1, Templates: 1, Fields: 1}, &template.Budget{Left: 1 << 20})
	known.Learn(known.Domain(versionIPFIX, 42), &template.Template{ID: 256, Fields: fields}, &refusal.Counts{})
	var x Explainer
	if err := x.Restore(exporter, known.Append(nil)); err != nil {
		t.Fatal(err)
	}
	data := []byte{0, 10, 0, 21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 42, 1, 0, 0, 5, 17}
	if got := find(x.Datagram(exporter, data), "protocolIdentifier (4)"); len(got) != 1 || got[0].Value != "17" {
		t.Errorf("the record is not there: %v", got)
	}
}

// A message of template 256, a subTemplateMultiList (293), template 257 of a basicList (291), and a record: a
// list of one record of 257, whose list has two bgpCommunities (483, RFC 8549) of 4 octets. By RFC 6313 §4.5.
const listsInLists = "000a003c" + "5f5e1000" + "00000007" + "0000002a" +
	"00020014" + "01000001" + "0125ffff" + "01010001" + "0123ffff" +
	"01000018" + "13" + "03" + "01010012" + "0d" + "04" + "01e30004" + "0000fde8" + "0000fde9"

func TestDatagramShowsListsInLists(t *testing.T) {
	t.Parallel()
	p, err := hex.DecodeString(listsInLists)
	if err != nil {
		t.Fatal(err)
	}
	var x Explainer
	root := x.Datagram(netip.Addr{}, p)
	var values []string
	for _, name := range []string{"semantic", "template_id", "bgpCommunity (483)"} {
		for _, part := range find(root, name) {
			values = append(values, part.Value)
		}
	}
	want := []string{"all of", "ordered", "257", "4 octets", "65000", "65001"}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// sampled is an sFlow v5 datagram with a sample of an Ethernet frame: 802.1Q 101, IPv4, UDP to VXLAN 7, Ethernet, IPv4, UDP.
const sampled = "00000005" + "00000001c0000201" + "00000000" + "00000001" + "00000064" + "00000001" +
	"00000001" + "00000098" + "00000001" + "00000003" + "00000400" + "00000000" + "00000000" + "00000003" + "00000004" + "00000001" +
	"00000001" + "00000070" + "00000001" + "000005ee" + "00000004" + "00000060" +
	"020000000001" + "020000000002" + "8100" + "6065" + "0800" +
	"4500004e" + "00000000" + "4011" + "0000" + "0a000001" + "0a000002" + "c00012b5003a0000" + "0800000000000700" +
	"020000000003" + "020000000004" + "0800" + "4500001c" + "00004000" + "3f11" + "0000" + "c0a80001" + "c0a80002" + "0035d43100080000"

func TestDatagramShowsHeadersOfSampledPackets(t *testing.T) {
	t.Parallel()
	p, err := hex.DecodeString(sampled)
	if err != nil {
		t.Fatal(err)
	}
	var x Explainer
	root := x.Datagram(netip.Addr{}, p)
	for _, want := range []Part{
		{Name: "vlan", Offset: 106, Octets: 2, Value: "101", Columns: []string{"vlan_id"}},
		{Name: "destination", Octets: 4, Value: "10.0.0.2", Columns: []string{"dst_addr"}},
		{Name: "flags", Octets: 1, Value: "2"},
		{Name: "source", Octets: 4, Value: "192.168.0.1", Columns: []string{"inner_src_addr"}},
		{Name: "source_port", Octets: 2, Value: "53", Columns: []string{"inner_src_port"}},
	} {
		found := slices.ContainsFunc(find(root, want.Name), func(got *Part) bool {
			same := want.Offset == 0 || got.Offset == want.Offset
			return same && got.Value == want.Value && got.Octets == want.Octets && slices.Equal(got.Columns, want.Columns)
		})
		if !found {
			t.Errorf("%+v is not there", want)
		}
	}
}

func newDecoder() *datagram.Decoder {
	return datagram.New(datagram.Limits{
		Exporters: 1000, Layers: 16, Nesting: maxNesting, State: 64 << 20, Rows: row.Limits{Records: 1 << 14},
		Templates: template.Limits{Domains: 100, Templates: 1000, Fields: template.MaxFields, Samplers: 1000, Names: 1000},
	})
}

// TestDatagramFindsWhatDecodeRefuses: over all captures of the corpus, the reasons are those of the
// decoder.
func TestDatagramFindsWhatDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, path := range corpus.Captures(t) {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, filepath.Base(path), file)
		file.Close()
	}
}

func compare(t *testing.T, name string, r io.Reader) {
	t.Helper()
	d, x := newDecoder(), Explainer{}
	var packets capture.Assembler
	file, err := capture.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, err := file.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		udp, outcome := packets.Datagram(p)
		if outcome != capture.Whole {
			continue
		}
		g := flow.Datagram{Exporter: flow.ExporterOf(udp.Source.Addr(), udp.Payload), Source: udp.Source, ReceivedNs: p.Ns, Payload: udp.Payload}
		want := refusedBy(d, &g)
		got := map[string]bool{}
		check(t, x.Datagram(g.Exporter, g.Payload), len(g.Payload), got)
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
			t.Errorf("%s packet %d: -decode +explain:\n%s", name, p.Number, diff)
		}
	}
}

func refusedBy(d *datagram.Decoder, g *flow.Datagram) (reasons []string) {
	var in flow.Datagrams
	var out flow.Batch
	in.Append(g)
	d.Decode(&in, &out)
	c := d.Take()
	for i, n := range c.Refused {
		if n != 0 {
			reasons = append(reasons, refusal.Reason(i).String())
		}
	}
	slices.Sort(reasons)
	return reasons
}

// check looks whether all parts lie in the datagram and counts them. It notes what is wrong with them.
func check(t *testing.T, p *Part, octets int, reasons map[string]bool) (parts int) {
	t.Helper()
	if p.Offset < 0 || p.Offset > octets || p.Octets < 0 || p.Offset+p.Octets > octets && p.Problem == "" {
		t.Fatalf("%s: octets %d to %d are not in the datagram of %d", p.Name, p.Offset, p.Offset+p.Octets, octets)
	}
	for reason := range strings.SplitSeq(p.Problem, ", ") {
		if reason != "" {
			reasons[reason] = true
		}
	}
	for _, part := range p.Parts {
		parts += check(t, part, octets, reasons)
	}
	return parts + 1
}

// TestDatagramBoundsItsTree: records of 1000 fields without octets, and one with an octet, would make the
// tree a thousand times as large as the datagram.
func TestDatagramBoundsItsTree(t *testing.T) {
	t.Parallel()
	const fields = 1000
	p := append([]byte{0, 9, 19: 0}, 0, 0, byte((8+4*(fields+1))>>8), byte((8+4*(fields+1))%256), 1, 0, (fields+1)>>8, (fields+1)&0xff)
	for range fields {
		p = append(p, 0, 8, 0, 0)
	}
	p = append(p, 0, 4, 0, 1)
	p = append(p, 1, 0, 40000>>8, 40000&0xff)
	p = append(p, make([]byte, 40000-4)...)
	var x Explainer
	if n := check(t, x.Datagram(netip.Addr{}, p), len(p), map[string]bool{}); n < maxParts || n > maxParts+2 {
		t.Errorf("%d parts, want about %d", n, maxParts)
	}
}

func FuzzDatagram(f *testing.F) {
	p, _ := hex.DecodeString(handMade)
	f.Add(p)
	for _, text := range []string{listsInLists, sampled} {
		p, _ := hex.DecodeString(text)
		f.Add(p)
	}
	f.Add([]byte{0, 5, 0, 1, 23: 0, 71: 1})
	f.Add([]byte{0, 8, 0, 1, 22: 14, 67: 1})
	f.Add([]byte{0, 0, 0, 5, 0, 0, 0, 1, 192, 0, 2, 1, 27: 1, 31: 1, 35: 40, 67: 1, 71: 1, 75: 0})
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > 65535 {
			return
		}
		var x Explainer
		for range 2 { // the second time with the templates of the first
			if n := check(t, x.Datagram(netip.Addr{}, p), len(p), map[string]bool{}); n > maxParts+2 {
				t.Fatalf("%d parts", n)
			}
		}
	})
}
