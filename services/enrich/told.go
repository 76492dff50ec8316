// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"cmp"
	"strings"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/enrich/internal/snmp"
)

// told is what exporters say of themselves in their flows: names that decode learned from
// their options data. It is kept for flows that come without.
type told map[toldKey]snmp.Interface

// toldKey is an interface, or aboutExporter.
type toldKey struct {
	exporter [16]byte
	index    uint32
}

// aboutExporter is the place of an exporter's own name: no interface has index 0.
const aboutExporter = 0

// maxTold bounds the interfaces that are remembered.
const maxTold = 1 << 18

// learn takes what the rows of a batch tell, and reports whether any of it is new.
func (t told) learn(in *flow.Batch, keys []observerKey) (news bool) {
	about := func(name, description, speed flow.Field, index func(*observerKey) uint32) {
		if !in.Has(name) && !in.Has(description) && !in.Has(speed) {
			return
		}
		var last toldKey
		var lastName, lastDescription uint64
		for i := range keys {
			key := toldKey{keys[i].exporter, index(&keys[i])}
			n, d := in.Number(name, i), in.Number(description, i)
			if key.index == aboutExporter || key == last && n == lastName && d == lastDescription {
				continue
			}
			last, lastName, lastDescription = key, n, d
			was := t[key]
			is := snmp.Interface{
				Name:        cmp.Or(in.Text(name, i), was.Name),
				Description: cmp.Or(in.Text(description, i), was.Description),
				Speed:       cmp.Or(in.Number(speed, i), was.Speed),
			}
			if is != was && len(t) < maxTold {
				t[key] = is.Clone()
				news = true
			}
		}
	}
	about(flow.InIfName, flow.InIfDescription, flow.InIfSpeed, func(k *observerKey) uint32 { return k.in })
	about(flow.OutIfName, flow.OutIfDescription, flow.OutIfSpeed, func(k *observerKey) uint32 { return k.out })
	return t.learnExporters(in, keys) || news
}

func (t told) learnExporters(in *flow.Batch, keys []observerKey) (news bool) {
	if !in.Has(flow.ExporterName) {
		return false
	}
	for i := range keys {
		key, name := toldKey{keys[i].exporter, aboutExporter}, in.Text(flow.ExporterName, i)
		if name != "" && t[key].Name != name && len(t) < maxTold {
			t[key] = snmp.Interface{Name: strings.Clone(name)}
			news = true
		}
	}
	return news
}
