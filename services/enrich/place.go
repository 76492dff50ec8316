// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"cmp"
	"net/netip"

	"github.com/weirflow/weir/flow"
)

// Texts of a place, in the order of end.texts.
const (
	countryText = iota
	cityText
	regionText
	netNameText
	netRoleText
	netSiteText
	netRegionText
	netTenantText
	netContextText
	numPlaceTexts
)

// place is what is known of an address. Addresses with the same have the same place.
type place struct {
	as, netAS uint32                // of the databases and of the networks; 0 is unknown
	texts     [numPlaceTexts]uint32 // numbers in the vocabularies
	hiding    hiding
}

// maxPlaces bounds the memory of places and their texts: at more, all are forgotten.
const maxPlaces = 1 << 18

// places answers what is known of addresses, for one generation of knowledge.
type places struct {
	known        *knowledge
	cache        cache
	list         []place // [0] is that of no address
	ids          map[place]uint32
	vocabularies [numPlaceTexts]vocabulary
	errors       int
}

// reset forgets everything and goes on with another generation.
func (p *places) reset(k *knowledge) {
	p.known = k
	p.cache.reset()
	p.list, p.ids = append(p.list[:0], place{}), map[place]uint32{}
	for i := range p.vocabularies {
		p.vocabularies[i].reset()
	}
}

// ask finds the place of an address that the cache does not have.
func (p *places) ask(a *[16]byte, vrf uint32) uint32 {
	addr := netip.AddrFrom16(*a).Unmap()
	ans, err := p.known.databases.lookup(addr)
	if err != nil {
		p.errors++
	}
	n := p.known.networks.lookup(addr, vrf)
	if n == nil {
		n = &networkConfig{}
	}
	at := place{as: ans.as, netAS: n.ASN, hiding: p.known.privacy.of(addr, n.Tenant)}
	for i, text := range [numPlaceTexts]string{
		cmp.Or(n.Country, ans.country.String()), ans.city, ans.region,
		n.Name, n.Role, n.Site, n.Region, n.Tenant, n.labels,
	} {
		at.texts[i] = p.vocabularies[i].id(text)
	}
	id, ok := p.ids[at]
	if !ok {
		id = uint32(len(p.list)) //nolint:gosec // at most maxPlaces
		p.list = append(p.list, at)
		p.ids[at] = id
	}
	return id
}

// end is one side of a flow: what is looked up and where it goes.
type end struct {
	addr, vrf, as, originAS flow.Field
	texts                   [numPlaceTexts]flow.Field
	asName                  flow.Field
}

func ends() [2]end {
	return [2]end{
		{
			flow.SrcAddr, flow.IngressVRFID, flow.SrcAS, flow.SrcOriginAS,
			[numPlaceTexts]flow.Field{
				flow.SrcCountry, flow.SrcCity, flow.SrcRegion, flow.SrcNetName, flow.SrcNetRole,
				flow.SrcNetSite, flow.SrcNetRegion, flow.SrcNetTenant, flow.SrcNetContext,
			},
			flow.SrcASName,
		},
		{
			flow.DstAddr, flow.EgressVRFID, flow.DstAS, flow.DstOriginAS,
			[numPlaceTexts]flow.Field{
				flow.DstCountry, flow.DstCity, flow.DstRegion, flow.DstNetName, flow.DstNetRole,
				flow.DstNetSite, flow.DstNetRegion, flow.DstNetTenant, flow.DstNetContext,
			},
			flow.DstASName,
		},
	}
}
