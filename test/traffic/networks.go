// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"fmt"
	"io"
	"net/netip"
	"strconv"
)

// Network is one of those that a Load's hosts are in, with what an operator would know of it.
type Network struct {
	IPv4, IPv6 netip.Prefix
	AS         uint32
	Name       string
	Role       string
	Country    string // ISO 3166-1
}

// mix has an entry for each share of the networks.
type mix []struct {
	name  string
	share int
}

var (
	countries = mix{{"US", 26}, {"DE", 14}, {"CN", 11}, {"FR", 8}, {"GB", 8}, {"NL", 7}, {"JP", 6}, {"BR", 5}, {"IN", 5}, {"PL", 4}, {"SE", 3}, {"ZA", 3}}
	roles     = mix{{"access", 40}, {"enterprise", 30}, {"hosting", 20}, {"content", 10}}
)

// pick returns the entry that a number falls to.
func (m mix) pick(n uint32) string {
	sum := 0
	for _, e := range m {
		sum += e.share
	}
	at := int(n % uint32(sum)) //nolint:gosec // sums of a hundred or so
	for _, e := range m {
		if at -= e.share; at < 0 {
			return e.name
		}
	}
	return ""
}

// Networks returns the networks of all hosts of a Load.
func Networks() []Network {
	all := make([]Network, 0, hosts/hostsPerAS+1)
	for n := uint64(0); n <= hosts; n += hostsPerAS {
		v4, v6 := address(n, false), address(n, true)
		as := asOf(n)
		scattered := as * 0x9e3779b1
		role := roles.pick(scattered >> 16)
		all = append(all, Network{
			IPv4: netip.PrefixFrom(netip.AddrFrom4([4]byte(v4[12:])), 26), IPv6: netip.PrefixFrom(netip.AddrFrom16(v6), 64).Masked(),
			AS: as, Name: role + "-" + strconv.Itoa(int(as)), Role: role, Country: countries.pick(scattered),
		})
	}
	return all
}

// WriteNetworks writes the networks as enrich reads them from a file of network_files.
func WriteNetworks(w io.Writer) error {
	for _, n := range Networks() {
		_, err := fmt.Fprintf(w, "- {name: %s, cidr: [%v, %q], role: %s, asn: %d, country: %q}\n", n.Name, n.IPv4, n.IPv6, n.Role, n.AS, n.Country)
		if err != nil {
			return err
		}
	}
	return nil
}

// Interfaces returns the names of an exporter's interfaces; that of ifIndex 1 is the first.
func Interfaces() []string {
	names := make([]string, interfaces)
	for i := range names {
		names[i] = "et-0/0/" + strconv.Itoa(i)
	}
	return names
}

// interfaceName is a name as an options record has it.
func interfaceName(ifIndex int) []byte {
	name := make([]byte, 16)
	copy(name, Interfaces()[ifIndex-1])
	return name
}
