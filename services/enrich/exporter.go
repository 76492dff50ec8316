// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"

	"github.com/gaissmai/bart"

	"github.com/weirflow/weir/services/enrich/internal/rule"
)

// exporterConfig is what is known of the exporters in some prefixes.
type exporterConfig struct {
	CIDR       prefixList        `yaml:"cidr"`
	Name       string            `yaml:"name"`
	Group      string            `yaml:"group"`
	Role       string            `yaml:"role"`
	Site       string            `yaml:"site"`
	Region     string            `yaml:"region"`
	Tenant     string            `yaml:"tenant"`
	Interfaces []interfaceConfig `yaml:"interfaces"`
}

// interfaceConfig is what is known of an interface of an exporter.
type interfaceConfig struct {
	Index       uint32 `yaml:"index"`
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	// Speed in bit/s.
	Speed        uint64 `yaml:"speed"`
	Boundary     string `yaml:"boundary"`
	Connectivity string `yaml:"connectivity"`
	Provider     string `yaml:"provider"`
}

// exporters finds what is known of an exporter: the most specific prefix. It never changes.
type exporters struct {
	list  []exporterConfig
	table bart.Table[uint32] // places in list
}

// newExporters reports all problems at once.
func newExporters(list []exporterConfig) (*exporters, error) {
	e := &exporters{list: list}
	var errs []error
	for i := range list {
		if err := list[i].validate(); err != nil {
			errs = append(errs, fmt.Errorf("exporters[%d].%w", i, err))
			continue
		}
		for _, p := range list[i].CIDR {
			e.table.Insert(unmapPrefix(p).Masked(), uint32(i)) //nolint:gosec // a place in a list
		}
	}
	return e, errors.Join(errs...)
}

// validate reports the first problem.
func (e *exporterConfig) validate() error {
	if len(e.CIDR) == 0 || slices.ContainsFunc(e.CIDR, func(p netip.Prefix) bool { return !p.IsValid() }) {
		return errors.New("cidr: is missing")
	}
	seen := map[uint32]bool{}
	for i, f := range e.Interfaces {
		if seen[f.Index] {
			return fmt.Errorf("interfaces[%d].index: %d is there twice", i, f.Index)
		}
		seen[f.Index] = true
		if !rule.ValidBoundary(f.Boundary) {
			return fmt.Errorf("interfaces[%d].boundary: is %q, want internal or external", i, f.Boundary)
		}
	}
	return nil
}

// lookup returns one without values where none is known.
func (e *exporters) lookup(addr netip.Addr) *exporterConfig {
	if i, ok := e.table.Lookup(addr); ok {
		return &e.list[i]
	}
	return &exporterConfig{}
}

// lookup returns one without values where none is known.
func (e *exporterConfig) lookup(index uint32) *interfaceConfig {
	for i := range e.Interfaces {
		if e.Interfaces[i].Index == index {
			return &e.Interfaces[i]
		}
	}
	return &interfaceConfig{}
}

// loadExporters reads and checks a file of exporters.
func loadExporters(path string) ([]exporterConfig, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []exporterConfig
	if err := loadYAML(data, "exporters", &list); err != nil {
		return nil, err
	}
	_, err = newExporters(list)
	return list, err
}
