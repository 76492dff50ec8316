// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/weirflow/weir/services/decode/internal/netflow5"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// Explainer explains datagrams one after the other, and remembers their templates.
type Explainer struct {
	templates map[key]*template.Template
}

// key names a template of an exporter.
type key struct {
	exporter netip.Addr
	version  uint16
	domain   uint32
	id       uint16
}

// maxTemplates bounds the templates of all exporters.
const maxTemplates = 1 << 14

// Datagram explains a datagram of an exporter.
func (x *Explainer) Datagram(exporter netip.Addr, p []byte) *Part {
	b := &builder{p: p, left: maxParts}
	root := &Part{Name: "datagram", Octets: len(p)}
	if len(p) < 4 {
		root.wrong(refusal.VersionUnknown)
		return root
	}
	switch version := binary.BigEndian.Uint16(p); version {
	case 1, 5, 7, 8:
		root.Name = fmt.Sprintf("NetFlow v%d", version)
		b.legacy(root, version)
	case versionV9:
		root.Name = "NetFlow v9"
		x.packetV9(b, root, exporter)
	case versionIPFIX:
		root.Name = "IPFIX"
		x.messages(b, root, exporter)
	case 0:
		if binary.BigEndian.Uint32(p) == versionSFlow {
			root.Name = "sFlow v5"
			b.sflow(root)
			break
		}
		fallthrough
	default:
		root.wrong(refusal.VersionUnknown)
	}
	return root
}

// fixed is a field of a header.
type fixed struct {
	name    string
	octets  int
	columns []string
}

// header adds the fields of a header and returns what follows; ok is false where it is cut.
func (b *builder) header(root *Part, at int, fields []fixed) (next int, ok bool) {
	head := b.add(root, "header", at, 0)
	for _, f := range fields {
		if at+f.octets > len(b.p) {
			head.wrong(refusal.HeaderTruncated)
			return at, false
		}
		b.number(head, f.name, at, f.octets, f.columns...)
		at += f.octets
		head.Octets += f.octets
	}
	return at, true
}

// legacy explains the versions without templates.
func (b *builder) legacy(root *Part, version uint16) {
	scheme := byte(0)
	if version == 8 && len(b.p) > 22 {
		scheme = b.p[22]
	}
	length, fields := netflow5.Layout(version, scheme)
	if version == 8 && fields == nil && len(b.p) >= 28 {
		root.wrong(refusal.AggregationUnknown)
		return
	}
	at, ok := b.header(root, 0, headers[version])
	if !ok || at != length {
		root.wrong(refusal.HeaderTruncated)
		return
	}
	size := template.MinLength(fields)
	count := int(binary.BigEndian.Uint16(b.p[2:]))
	if version == 1 && count > 0 && (len(b.p)-at)/count >= size {
		size = (len(b.p) - at) / count
	}
	if len(b.p)-at != count*size {
		root.wrong(refusal.LengthMismatch)
		count = min(count, (len(b.p)-at)/size)
	}
	for i := 0; i < count && !b.full(); i++ {
		record := b.add(root, fmt.Sprintf("record %d", i), at+i*size, size)
		b.fields(record, fields, at+i*size, at+(i+1)*size)
	}
}

var (
	headCommon = []fixed{
		{name: "version", octets: 2},
		{name: "count", octets: 2},
		{name: "sys_uptime", octets: 4},
		{name: "unix_secs", octets: 4},
		{name: "unix_nsecs", octets: 4},
	}
	headEngine = append(headCommon[:len(headCommon):len(headCommon)],
		fixed{"flow_sequence", 4, []string{"sequence_num"}}, fixed{name: "engine_type", octets: 1}, fixed{name: "engine_id", octets: 1})
	headV8 = append(headEngine[:len(headEngine):len(headEngine)],
		fixed{name: "aggregation", octets: 1}, fixed{name: "aggregation_version", octets: 1}, fixed{name: "reserved", octets: 4})
	headers = map[uint16][]fixed{
		1: headCommon,
		5: append(headEngine[:len(headEngine):len(headEngine)], fixed{"sampling: mode (2 bits), interval", 2, []string{"sampling_rate", "sampling_algorithm"}}),
		7: append(headCommon[:len(headCommon):len(headCommon)],
			fixed{"flow_sequence", 4, []string{"sequence_num"}}, fixed{name: "reserved", octets: 4}),
		8: headV8,
	}
)
