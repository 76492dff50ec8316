// SPDX-License-Identifier: Apache-2.0

package ie

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// unused are names of elements that exporters send and that fill no field of a flow: most of them
// tell about the exporter, in options data.
var unused = map[uint16]string{
	25: "minimumIpTotalLength",
	26: "maximumIpTotalLength", 33: "igmpType", 36: "flowActiveTimeout", 37: "flowIdleTimeout",
	38: "engineType", 39: "engineId", 40: "exportedOctetTotalCount", 41: "exportedMessageTotalCount",
	42: "exportedFlowRecordTotalCount",
	53: "maximumTTL", 64: "ipv6ExtensionHeaders", 82: "interfaceName",
	83: "interfaceDescription", 84: "samplerName", 91: "mplsTopLabelPrefixLength",
	94: "applicationDescription", 96: "applicationName", 130: "exporterIPv4Address", 131: "exporterIPv6Address",
	141: "lineCardId", 142: "portId", 143: "meteringProcessId", 144: "exportingProcessId", 145: "templateId",
	149: "observationDomainId", 163: "observedFlowTotalCount", 164: "ignoredPacketTotalCount", 201: "mplsLabelStackLength",
	203: "mplsTopLabelExp", 210: "paddingOctets", 236: "VRFname", 237: "postMplsTopLabelExp", 300: "observationDomainName",
	301: "selectionSequenceId", 303: "informationElementId", 304: "selectorAlgorithm", 306: "samplingPacketSpace",
	309: "samplingSize", 310: "samplingPopulation", 335: "selectorName", 346: "privateEnterpriseNumber",
}

// names is by element number.
var names = func() map[uint16]string {
	table := maps.Clone(unused)
	for _, r := range rows {
		table[r.id] = r.name
	}
	return table
}()

// Name returns IANA's name of an element, or its numbers where it has none here.
func Name(e Element) string {
	if e.PEN != 0 && e.PEN != Reverse {
		return fmt.Sprintf("enterprise %d element %d", e.PEN, e.ID)
	}
	name, ok := names[e.ID]
	if !ok {
		name = fmt.Sprintf("element %d", e.ID)
	}
	if e.PEN == Reverse {
		return "reverse " + name
	}
	return name
}

// All returns the elements that are used for something, IANA's first.
func All() []Element {
	all := make([]Element, len(rows), len(rows)+len(juniperUses))
	for i, r := range rows {
		all[i] = Element{ID: r.id}
	}
	for id := range juniperUses {
		all = append(all, Element{juniper, id})
	}
	slices.SortFunc(all, func(a, b Element) int { return cmp.Or(cmp.Compare(a.PEN, b.PEN), cmp.Compare(a.ID, b.ID)) })
	return slices.Compact(all)
}
