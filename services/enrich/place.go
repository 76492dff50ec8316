// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"net/netip"

	"github.com/weirflow/weir/flow"
)

// Kinds of texts that a record of the databases has.
const (
	cityText = iota
	regionText
	countryText
	numGeoTexts
)

const numNetTexts = 6

// Things of which each generation has these two from the start.
const (
	nowhere = 0 // what there is no address for
	unknown = 1 // an address that no database knows
)

// maxPlaces bounds the memory of what is known of addresses: at more, all is forgotten.
const maxPlaces = 1 << 18

// places answers what is known of addresses, for one generation of knowledge. What databases and
// networks say is taken over once, and has a number from then on.
type places struct {
	known  *knowledge
	cache  cache
	sets   []uint32 // of the cache, for each row
	misses int

	ases map[record]uint32 // AS, geos and nets as numbers
	geos map[record]uint32
	nets map[uint32]uint32 // by place in the list of networks

	owners     []owner // by AS
	geoTexts   things
	netTexts   things
	netOwners  []owner  // by net
	netCountry []uint32 // numbers of country texts, by net

	organisations organisations
}

// owner is an AS, and the number of the name of who has it; 0 is unknown.
type owner struct{ as, name uint32 }

// record is one of a database.
type record struct {
	database int
	offset   uintptr
}

// reset forgets everything and goes on with another generation.
func (p *places) reset(k *knowledge) {
	p.known = k
	p.cache.reset()
	p.ases, p.geos, p.nets = map[record]uint32{}, map[record]uint32{}, map[uint32]uint32{}
	p.organisations.reset(k)
	p.geoTexts.reset()
	p.netTexts.reset()
	p.owners, p.netOwners, p.netCountry = append(p.owners[:0], owner{}), p.netOwners[:0], p.netCountry[:0]
	for range []int{nowhere, unknown} {
		p.addGeo(answer{})
	}
	p.addNet(&networkConfig{})
}

func (p *places) full() bool { return len(p.ases)+len(p.geos)+len(p.nets) > maxPlaces }

// find calls each with what is known of the address of each row.
func (p *places) find(addrs [][16]byte, vrfs []uint16, each func(row int, e *entry)) {
	p.sets = p.cache.locate(p.sets[:0], addrs, vrfs)
	for i, set := range p.sets {
		a := &addrs[i]
		if *a == [16]byte{} {
			each(i, &entry{})
			continue
		}
		e, ok := p.cache.find(set, blockKey(a, vrfs[i]))
		if !ok && !p.ask(e, a) {
			e.net = mixed
		}
		if e.net == mixed {
			k := addressKey(a, vrfs[i])
			if e, ok = p.cache.find(p.cache.setOf(&k), k); !ok {
				p.ask(e, a)
			}
		}
		if !ok {
			p.misses++
		}
		each(i, e)
	}
}

// ask fills in an entry, and tells whether the same is known of all addresses of the block.
func (p *places) ask(e *entry, a *[16]byte) bool {
	addr := netip.AddrFrom16(*a).Unmap()
	as, asBits := p.askAS(addr)
	geo, geoBits := p.askGeo(addr)
	e.as, e.geo, e.net = as, geo, 0
	n, tenant := p.known.networks.lookup(addr, e.vrf), ""
	if n != noNetwork {
		tenant = p.known.networks.list[n].Tenant
		id, ok := p.nets[n]
		if !ok {
			id = p.addNet(&p.known.networks.list[n])
			p.nets[n] = id
		}
		e.net = id
	}
	e.hiding = p.known.privacy.of(addr, tenant)
	return max(asBits, geoBits) <= blockOf(addr).Bits() && !p.known.blocks.mixed(addr)
}

// askAS asks the databases in their order until one knows. bits is the length of the longest prefix
// that their answers depend on.
func (p *places) askAS(addr netip.Addr) (as uint32, bits int) {
	for i, db := range p.known.asns {
		result, ok := db.find(addr, &bits)
		if !ok {
			continue
		}
		key := record{i, result.Offset()}
		as, ok = p.ases[key]
		if !ok {
			if n := decode(result).as; n != 0 {
				as = uint32(len(p.owners)) //nolint:gosec // at most maxPlaces and a batch
				p.owners = append(p.owners, p.organisations.owner(n))
			}
			p.ases[key] = as
		}
		if as != 0 {
			break
		}
	}
	return as, bits
}

// askGeo does it for countries.
func (p *places) askGeo(addr netip.Addr) (geo uint32, bits int) {
	geo = unknown
	for i, db := range p.known.countries {
		result, ok := db.find(addr, &bits)
		if !ok {
			continue
		}
		key := record{i, result.Offset()}
		geo, ok = p.geos[key]
		if !ok {
			geo = unknown
			if ans := decode(result); ans.country != 0 {
				geo = p.addGeo(ans)
			}
			p.geos[key] = geo
		}
		if geo != unknown {
			break
		}
	}
	return geo, bits
}

func (p *places) addGeo(ans answer) uint32 {
	return p.geoTexts.add(ans.city, ans.region, ans.country.String())
}

func (p *places) addNet(n *networkConfig) uint32 {
	p.netOwners = append(p.netOwners, p.organisations.owner(n.ASN))
	p.netCountry = append(p.netCountry, p.geoTexts.kinds[countryText].number(n.Country))
	return p.netTexts.add(n.Name, n.Role, n.Site, n.Region, n.Tenant, n.labels)
}

// country returns the number of the country: that of the network comes first.
func (p *places) country(geo, net uint32) uint32 {
	if c := p.netCountry[net]; c != 0 {
		return c
	}
	return p.geoTexts.text(geo, countryText)
}

// end is one side of a flow: what is looked up and where it goes.
type end struct {
	addr, vrf, as         flow.Field
	originAS, asName      flow.Field
	country, city, region flow.Field
	netTexts              [numNetTexts]flow.Field
}

func ends() [2]end {
	return [2]end{
		{
			addr: flow.SrcAddr, vrf: flow.IngressVRFID, as: flow.SrcAS, originAS: flow.SrcOriginAS, asName: flow.SrcASName,
			country: flow.SrcCountry, city: flow.SrcCity, region: flow.SrcRegion,
			netTexts: [numNetTexts]flow.Field{
				flow.SrcNetName, flow.SrcNetRole, flow.SrcNetSite, flow.SrcNetRegion, flow.SrcNetTenant, flow.SrcNetContext,
			},
		},
		{
			addr: flow.DstAddr, vrf: flow.EgressVRFID, as: flow.DstAS, originAS: flow.DstOriginAS, asName: flow.DstASName,
			country: flow.DstCountry, city: flow.DstCity, region: flow.DstRegion,
			netTexts: [numNetTexts]flow.Field{
				flow.DstNetName, flow.DstNetRole, flow.DstNetSite, flow.DstNetRegion, flow.DstNetTenant, flow.DstNetContext,
			},
		},
	}
}
