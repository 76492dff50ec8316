// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Config is the section enrich of the settings.
type Config struct {
	// ASNDatabases are .mmdb files with AS numbers: the first that knows an address is taken.
	ASNDatabases []string `yaml:"asn_databases" usage:".mmdb files with AS numbers, in order of preference"`
	// CountryDatabases are .mmdb files with countries: the first that knows an address is taken.
	CountryDatabases []string `yaml:"country_databases" usage:".mmdb files with countries, in order of preference"`
	// PollInterval is how often the files are looked at.
	PollInterval time.Duration `yaml:"poll_interval" usage:"time between looks at the databases, which are read anew when they changed"`
	// CacheEntries is rounded up to a power of two; an entry takes 24 octets.
	CacheEntries int `yaml:"cache_entries" usage:"addresses whose AS and country each partition remembers"`
}

const maxCacheEntries = 1 << 24

// DefaultConfig has no databases.
func DefaultConfig() Config {
	return Config{PollInterval: 10 * time.Second, CacheEntries: 1 << 17}
}

// Validate reports all problems at once. A file that is not there is none: it may come.
func (c Config) Validate() error {
	var errs []error
	if slices.Contains(c.ASNDatabases, "") {
		errs = append(errs, errors.New("asn_databases: a path is empty"))
	}
	if slices.Contains(c.CountryDatabases, "") {
		errs = append(errs, errors.New("country_databases: a path is empty"))
	}
	if c.PollInterval < 100*time.Millisecond {
		errs = append(errs, fmt.Errorf("poll_interval: %v is less than 100ms", c.PollInterval))
	}
	if c.CacheEntries < 1 || c.CacheEntries > maxCacheEntries {
		errs = append(errs, fmt.Errorf("cache_entries: %d is not between 1 and %d", c.CacheEntries, maxCacheEntries))
	}
	return errors.Join(errs...)
}
