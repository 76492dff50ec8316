// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"errors"
	"fmt"
	"slices"

	"github.com/weirflow/weir/services/enrich/internal/rule"
)

// Sources of the origin AS.
const (
	fromFlow              = "flow"
	fromFlowExceptPrivate = "flow-except-private"
	fromNetworks          = "networks"
	fromDatabase          = "database"
)

// Sources of names.
const (
	namedByFlow  = "flow"
	namedByTable = "table"
	namedBySNMP  = "snmp"
)

// knowledge is one generation of all that is configured. It never changes, and is safe for
// concurrent use.
type knowledge struct {
	databases
	networks  *networks
	exporters *exporters
	rules     *rule.Set
	privacy   *privacy
	blocks    blocks // of networks and privacy

	asnSources  []asnSource
	nameSources []string

	// What is configured, whether it could be read or not.
	hasASNs, hasCountries, hasNames bool
}

// newKnowledge puts together what the files of l hold and what stands in the settings.
func newKnowledge(l *library) (*knowledge, error) {
	cfg := &l.cfg
	k := &knowledge{
		databases:   databases{asns: values[*database](l.asns), countries: values[*database](l.countries)},
		nameSources: cfg.NameSources,
		hasASNs:     len(cfg.ASNDatabases) > 0, hasCountries: len(cfg.CountryDatabases) > 0,
		hasNames: len(cfg.Exporters)+len(cfg.ExporterFiles)+len(cfg.SNMP.Targets) > 0,
	}
	var errs [4]error
	k.networks, errs[0] = newNetworks(slices.Concat(append(values[[]networkConfig](l.networks), cfg.Networks)...))
	k.exporters, errs[1] = newExporters(slices.Concat(append(values[[]exporterConfig](l.exporters), cfg.Exporters)...))
	k.rules, errs[2] = rule.Compile(cfg.Rules)
	k.asnSources, errs[3] = parseASNSources(cfg.ASNSources)
	k.privacy = newPrivacy(cfg.Privacy, l.key)
	k.blocks = blocks{}
	for i := range k.networks.list {
		k.blocks.add(k.networks.list[i].CIDR...)
	}
	for _, h := range cfg.Privacy.Hide {
		k.blocks.add(h.CIDR...)
	}
	return k, errors.Join(errs[:]...)
}

// knowsAddresses tells whether anything can be said of an address.
func (k *knowledge) knowsAddresses() bool {
	return k.hasASNs || k.hasCountries || !k.networks.empty() || !k.privacy.empty()
}

// knowsExporters tells whether anything can be said of exporters and interfaces.
func (k *knowledge) knowsExporters() bool { return k.hasNames || !k.rules.Empty() }

// asnSource is where the origin AS of a flow may come from.
type asnSource uint8

const (
	asnOfFlow asnSource = iota
	asnOfFlowExceptPrivate
	asnOfNetworks
	asnOfDatabase
)

func parseASNSources(list []string) ([]asnSource, error) {
	known := []string{fromFlow, fromFlowExceptPrivate, fromNetworks, fromDatabase} // in the order of the constants
	var sources []asnSource
	for _, s := range list {
		i := slices.Index(known, s)
		if i < 0 {
			return nil, fmt.Errorf("%q is none of %v", s, known)
		}
		sources = append(sources, asnSource(i)) //nolint:gosec // one of four
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("is empty, want some of %v", known)
	}
	return sources, nil
}

func validNameSources(list []string) error {
	known := []string{namedByFlow, namedByTable, namedBySNMP}
	for _, s := range list {
		if !slices.Contains(known, s) {
			return fmt.Errorf("%q is none of %v", s, known)
		}
	}
	return nil
}
