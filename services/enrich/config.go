// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weirflow/weir/services/enrich/internal/rule"
)

// Config is the section enrich of the settings.
type Config struct {
	// ASNDatabases are .mmdb files with AS numbers: the first that knows an address is taken.
	ASNDatabases []string `yaml:"asn_databases" usage:".mmdb files with AS numbers, in order of preference"`
	// CountryDatabases are .mmdb files with countries: the first that knows an address is taken.
	CountryDatabases []string `yaml:"country_databases" usage:".mmdb files with countries, regions and cities, in order of preference"`
	// ASNSources is where the origin AS comes from: the first that knows it is taken.
	ASNSources []string `yaml:"asn_sources" usage:"where the origin AS is taken from, in order: flow, flow-except-private, networks, database"`
	// Networks and NetworkFiles are one table; of two equal prefixes the later one is taken.
	Networks     []networkConfig `yaml:"networks" usage:"networks: cidr, vrf, name, role, site, region, tenant, asn, country, context"`
	NetworkFiles []string        `yaml:"network_files" usage:"files with further networks, .yaml or .csv, which are read anew when they changed"`
	// Exporters and ExporterFiles are one table, too.
	Exporters     []exporterConfig `yaml:"exporters" usage:"exporters: cidr, name, group, role, site, region, tenant, interfaces"`
	ExporterFiles []string         `yaml:"exporter_files" usage:"YAML files with further exporters, which are read anew when they changed"`
	// NameSources is where names of exporters and interfaces come from: the first that knows is taken.
	NameSources []string `yaml:"name_sources" usage:"where names of exporters and interfaces are taken from, in order: flow, table, snmp"`
	// SNMP asks exporters for their names.
	SNMP snmpConfig `yaml:"snmp" usage:"ask exporters for the names of their interfaces"`
	// Rules are applied in order; see the package rule.
	Rules []rule.Rule `yaml:"rules" usage:"rules that set names of exporters, interfaces and flows"`
	// Duplicates says which flows are counted elsewhere.
	Duplicates duplicatesConfig `yaml:"duplicates" usage:"mark flows that are counted elsewhere"`
	// Privacy hides addresses before they are stored.
	Privacy privacyConfig `yaml:"privacy" usage:"truncate or encrypt addresses before they are stored"`
	// PollInterval is how often the files are looked at.
	PollInterval time.Duration `yaml:"poll_interval" usage:"time between looks at the files, which are read anew when they changed"`
	// CacheEntries is rounded up to a power of two; an entry takes 32 octets.
	CacheEntries int `yaml:"cache_entries" usage:"blocks (/24, /48) and addresses whose AS, country and network each partition remembers"`
}

const maxCacheEntries = 1 << 24

// DefaultConfig has no sources.
func DefaultConfig() Config {
	return Config{
		ASNSources:  []string{fromFlowExceptPrivate, fromNetworks, fromDatabase, fromFlow},
		NameSources: []string{namedByFlow, namedByTable, namedBySNMP},
		SNMP: snmpConfig{
			Interval: 5 * time.Minute, Timeout: 2 * time.Second, Retries: 2, Parallel: 8,
		},
		Duplicates:   duplicatesConfig{Window: 30 * time.Second, Entries: 1 << 18},
		Privacy:      privacyConfig{IPv4Bits: 24, IPv6Bits: 48},
		PollInterval: 10 * time.Second, CacheEntries: 1 << 17,
	}
}

// Validate reports all problems at once. A file that is not there is none: it may come.
func (c Config) Validate() error {
	var errs []error
	for _, list := range []struct {
		key   string
		paths []string
	}{
		{"asn_databases", c.ASNDatabases},
		{"country_databases", c.CountryDatabases},
		{"network_files", c.NetworkFiles},
		{"exporter_files", c.ExporterFiles},
	} {
		if slices.Contains(list.paths, "") {
			errs = append(errs, fmt.Errorf("%s: a path is empty", list.key))
		}
	}
	if _, err := parseASNSources(c.ASNSources); err != nil {
		errs = append(errs, fmt.Errorf("asn_sources: %w", err))
	}
	if err := validNameSources(c.NameSources); err != nil {
		errs = append(errs, fmt.Errorf("name_sources: %w", err))
	}
	_, err := newNetworks(c.Networks)
	errs = append(errs, err)
	_, err = newExporters(c.Exporters)
	errs = append(errs, err)
	_, err = rule.Compile(c.Rules)
	errs = append(errs, err, c.SNMP.validate(), c.Duplicates.validate(), c.Privacy.validate())
	if c.PollInterval < 100*time.Millisecond {
		errs = append(errs, fmt.Errorf("poll_interval: %v is less than 100ms", c.PollInterval))
	}
	if c.CacheEntries < 1 || c.CacheEntries > maxCacheEntries {
		errs = append(errs, fmt.Errorf("cache_entries: %d is not between 1 and %d", c.CacheEntries, maxCacheEntries))
	}
	return errors.Join(errs...)
}
