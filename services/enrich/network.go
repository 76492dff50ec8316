// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"

	"github.com/gaissmai/bart"
	"go.yaml.in/yaml/v4"

	"github.com/weirflow/weir/flow"
)

// prefixList is one prefix or a list of them.
type prefixList []netip.Prefix

// UnmarshalYAML reads a scalar as a list of one.
func (p *prefixList) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		one, err := netip.ParsePrefix(node.Value)
		*p = prefixList{one}
		return err
	}
	var list []netip.Prefix
	err := node.Decode(&list)
	*p = list
	return err
}

// networkConfig is what is known of the addresses in some prefixes.
type networkConfig struct {
	CIDR prefixList `yaml:"cidr"`
	// VRF is the number or the name of the VRF whose addresses are meant; empty is all.
	VRF     string `yaml:"vrf"`
	Name    string `yaml:"name"`
	Role    string `yaml:"role"`
	Site    string `yaml:"site"`
	Region  string `yaml:"region"`
	Tenant  string `yaml:"tenant"`
	ASN     uint32 `yaml:"asn"`
	Country string `yaml:"country"`
	// Context and Labels are free labels; they are the same.
	Context map[string]string `yaml:"context"`
	Labels  map[string]string `yaml:"labels"`

	labels string // Context or Labels as one text
}

// validate reports the first problem.
func (n *networkConfig) validate() error {
	switch {
	case len(n.CIDR) == 0:
		return errors.New("cidr: is missing")
	case slices.ContainsFunc(n.CIDR, func(p netip.Prefix) bool { return !p.IsValid() }):
		return errors.New("cidr: is not a prefix")
	case n.Country != "" && parseCountry(n.Country) == 0:
		return fmt.Errorf("country: is %q, want two capital letters", n.Country)
	case len(n.Context) > 0 && len(n.Labels) > 0:
		return errors.New("labels: are given beside context, which means the same")
	default:
		return nil
	}
}

// context returns the labels as one text: a JSON object, keys in order.
func (n *networkConfig) context() string {
	labels := n.Context
	if len(labels) == 0 {
		labels = n.Labels
	}
	if len(labels) == 0 {
		return ""
	}
	text, err := json.Marshal(labels) // sorts the keys
	if err != nil {
		return ""
	}
	return string(text)
}

// networks finds the network of an address: the most specific prefix of its VRF, else
// of those for all. It never changes.
type networks struct {
	list   []networkConfig
	tables []bart.Table[uint32] // [0] for all, then one for each VRF: places in list
	// vrfs are the places in tables, by name and by number.
	names   map[string]uint16
	numbers map[uint32]uint16
}

// newNetworks reports all problems at once.
func newNetworks(list []networkConfig) (*networks, error) {
	n := &networks{list: slices.Clone(list), tables: make([]bart.Table[uint32], 1), names: map[string]uint16{}, numbers: map[uint32]uint16{}}
	var errs []error
	for i := range list {
		if err := list[i].validate(); err != nil {
			errs = append(errs, fmt.Errorf("networks[%d].%w", i, err))
			continue
		}
		n.list[i].labels = list[i].context()
		vrf, err := n.vrf(list[i].VRF)
		if err != nil {
			errs = append(errs, fmt.Errorf("networks[%d].vrf: %w", i, err))
			continue
		}
		table := &n.tables[vrf]
		for _, p := range list[i].CIDR {
			table.Insert(unmapPrefix(p).Masked(), uint32(i)) //nolint:gosec // a place in a list
		}
	}
	return n, errors.Join(errs...)
}

// unmapPrefix makes an IPv4 prefix of one that is mapped to IPv6.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

// vrf returns the place of a VRF's table, which it makes if there is none.
func (n *networks) vrf(text string) (uint16, error) {
	if text == "" {
		return 0, nil
	}
	place, ok := n.names[text]
	if ok {
		return place, nil
	}
	if len(n.tables) > math.MaxUint16 {
		return 0, fmt.Errorf("is one more than %d", math.MaxUint16)
	}
	place = uint16(len(n.tables)) //nolint:gosec // just checked
	n.tables = append(n.tables, bart.Table[uint32]{})
	n.names[text] = place
	if number, err := strconv.ParseUint(text, 10, 32); err == nil {
		n.numbers[uint32(number)] = place
	}
	return place, nil
}

func (n *networks) empty() bool { return len(n.list) == 0 }

// appendVRFs appends the places of the VRFs of one end, a row each. The VRF of the output is
// that of the input where nothing else is said.
func (n *networks) appendVRFs(dst []uint16, in *flow.Batch, e end) []uint16 {
	if len(n.tables) == 1 {
		return append(dst, make([]uint16, in.Rows())...)
	}
	for i := range in.Rows() {
		name, number := flow.IngressVRFName, flow.IngressVRFID
		if e.vrf == flow.EgressVRFID && (in.Number(flow.EgressVRFID, i) != 0 || in.Number(flow.EgressVRFName, i) != 0) {
			name, number = flow.EgressVRFName, flow.EgressVRFID
		}
		place, ok := n.names[in.Text(name, i)]
		if !ok {
			place = n.numbers[uint32(in.Number(number, i))] //nolint:gosec // its width is 4
		}
		dst = append(dst, place)
	}
	return dst
}

// noNetwork is what lookup returns where no network is known.
const noNetwork = math.MaxUint32

// lookup returns the place of a network in the list.
func (n *networks) lookup(addr netip.Addr, vrf uint16) uint32 {
	if vrf != 0 {
		if i, ok := n.tables[vrf].Lookup(addr); ok {
			return i
		}
	}
	if i, ok := n.tables[0].Lookup(addr); ok {
		return i
	}
	return noNetwork
}
