// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/weirflow/weir/services/decode/internal/datagram"
	"github.com/weirflow/weir/services/decode/internal/mapping"
	"github.com/weirflow/weir/services/decode/internal/row"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// Config is how much one exporter may make decode keep and do, and which times it believes.
type Config struct {
	// MaxExporters bounds the exporters of a partition whose state is kept.
	MaxExporters int `yaml:"max_exporters" usage:"exporters of a partition whose templates are kept"`
	// IdleTimeout is how long an exporter's state outlives its last datagram where there is no
	// room for others.
	IdleTimeout time.Duration `yaml:"idle_timeout" usage:"without datagrams for so long an exporter gives way to new ones, when there is no room"`
	// MaxStateBytes bounds what is kept of all exporters of a partition, about.
	MaxStateBytes int `yaml:"max_state_bytes" usage:"memory for what the exporters of a partition told"`
	// MaxDomains bounds the observation domains of an exporter, of all versions.
	MaxDomains int `yaml:"max_domains" usage:"observation domains of an exporter"`
	// MaxTemplates bounds the templates of an exporter, of all domains.
	MaxTemplates int `yaml:"max_templates" usage:"templates of an exporter"`
	// MaxFields bounds the fields of a template.
	MaxFields int `yaml:"max_fields" usage:"fields of a template"`
	// MaxSamplers bounds the samplers of an exporter, of all domains, and its interfaces with a
	// sampling interval of their own.
	MaxSamplers int `yaml:"max_samplers" usage:"samplers of an exporter"`
	// MaxNames bounds what an exporter may name.
	MaxNames int `yaml:"max_names" usage:"interfaces, VRFs and applications that an exporter may name"`
	// TemplateTTL is how long a template holds that does not come again, 0 for ever. The time of
	// an exporter's templates begins anew when its partition is taken over.
	TemplateTTL time.Duration `yaml:"template_ttl" usage:"a template that does not come again for so long expires, 0 never"`
	// MaxHeldAge, MaxHeldSets and MaxHeldExporterBytes bound the data sets of an exporter that
	// wait for their template; MaxHeldBytes bounds those of all exporters of a partition. A quarter
	// of the partition's part of the stream HELD is the most.
	MaxHeldAge           time.Duration `yaml:"max_held_age" usage:"how long data wait for their template"`
	MaxHeldSets          int           `yaml:"max_held_sets" usage:"data sets of an exporter that wait for their template"`
	MaxHeldExporterBytes int           `yaml:"max_held_exporter_bytes" usage:"memory for the data of an exporter that wait for their template"`
	MaxHeldBytes         int           `yaml:"max_held_bytes" usage:"memory for the data of a partition that wait for their template"`
	// MaxRecords bounds the rows of one datagram.
	MaxRecords int `yaml:"max_records" usage:"flows of a datagram"`
	// MaxLayers bounds the headers that are read of a sampled packet.
	MaxLayers int `yaml:"max_layers" usage:"headers that are read of a sampled packet"`
	// MaxNesting bounds lists in lists (RFC 6313).
	MaxNesting int `yaml:"max_nesting" usage:"depth of lists in lists"`
	// MaxAhead and MaxAge say which times are believed.
	MaxAhead time.Duration `yaml:"max_ahead" usage:"a flow's time further ahead of its receipt is replaced by the receive time, 0 never"`
	MaxAge   time.Duration `yaml:"max_age" usage:"a flow's time longer before its receipt is replaced by the receive time, 0 never"`
	// MappingFile says which further elements, and bits of headers, fill which fields.
	MappingFile string `yaml:"mapping_file" usage:"YAML file of elements and bits of headers to fields, in GoFlow2's form"`
	// Sampling says the sampling interval of exporters that do not, or do so wrongly. The first
	// rule that fits counts.
	Sampling []samplingRule `yaml:"sampling" usage:"sampling intervals of exporters, 1 in N"`
}

// samplingRule says the sampling interval, 1 in N, of the exporters in a prefix.
type samplingRule struct {
	Exporters netip.Prefix `yaml:"exporters" usage:"addresses of exporters"`
	Default   uint64       `yaml:"default" usage:"interval where the exporter tells none"`
	Override  uint64       `yaml:"override" usage:"interval whatever the exporter tells, 0 for none"`
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{
		MaxExporters:  4096,
		IdleTimeout:   24 * time.Hour,
		MaxStateBytes: 64 << 20,
		MaxDomains:    256,
		MaxTemplates:  512,
		MaxFields:     256,
		MaxSamplers:   1024,
		MaxNames:      4096,
		TemplateTTL:   24 * time.Hour,

		MaxHeldAge:           10 * time.Minute,
		MaxHeldSets:          4096,
		MaxHeldExporterBytes: 2 << 20,
		MaxHeldBytes:         8 << 20,

		MaxRecords: 4096,
		MaxLayers:  16,
		MaxNesting: 4,
		MaxAhead:   24 * time.Hour,
		MaxAge:     30 * 24 * time.Hour,
	}
}

// Validate returns all that is wrong.
func (c Config) Validate() error {
	var errs []error
	for _, v := range []struct {
		key        string
		value, max int
	}{
		{"max_exporters", c.MaxExporters, 1 << 20},
		{"max_state_bytes", c.MaxStateBytes, 1 << 40},
		{"max_domains", c.MaxDomains, 1 << 16},
		{"max_templates", c.MaxTemplates, 1 << 16},
		{"max_fields", c.MaxFields, template.MaxFields},
		{"max_samplers", c.MaxSamplers, 1 << 16},
		{"max_held_sets", c.MaxHeldSets, 1 << 20},
		{"max_held_exporter_bytes", c.MaxHeldExporterBytes, 1 << 30},
		{"max_held_bytes", c.MaxHeldBytes, 1 << 30},
		{"max_records", c.MaxRecords, 1 << 16},
		{"max_names", c.MaxNames, 1 << 16},
		{"max_layers", c.MaxLayers, 64},
		{"max_nesting", c.MaxNesting, 16},
	} {
		if v.value < 1 || v.value > v.max {
			errs = append(errs, fmt.Errorf("%s: is %d, want 1 to %d", v.key, v.value, v.max))
		}
	}
	if c.IdleTimeout < time.Minute {
		errs = append(errs, fmt.Errorf("idle_timeout: is %v, want 1m or more", c.IdleTimeout))
	}
	if c.TemplateTTL < 0 {
		errs = append(errs, fmt.Errorf("template_ttl: is %v, want 0 or more", c.TemplateTTL))
	}
	if c.MaxHeldAge < time.Second {
		errs = append(errs, fmt.Errorf("max_held_age: is %v, want 1s or more", c.MaxHeldAge))
	}
	if c.MaxAhead < 0 {
		errs = append(errs, fmt.Errorf("max_ahead: is %v, want 0 or more", c.MaxAhead))
	}
	if c.MaxAge < 0 {
		errs = append(errs, fmt.Errorf("max_age: is %v, want 0 or more", c.MaxAge))
	}
	for i, r := range c.Sampling {
		if !r.Exporters.IsValid() {
			errs = append(errs, fmt.Errorf("sampling[%d].exporters: is missing, want a prefix such as 192.0.2.0/24", i))
		}
		if r.Default == 0 && r.Override == 0 {
			errs = append(errs, fmt.Errorf("sampling[%d]: want default or override", i))
		}
	}
	return errors.Join(errs...)
}

// Decoders reads the mapping file, and returns what makes decoders by these settings.
func (c Config) Decoders() (func() *datagram.Decoder, error) {
	added, err := c.mapping()
	if err != nil {
		return nil, err
	}
	limits := c.limits()
	limits.Bits, limits.Templates.Elements = added.Bits, added.Elements
	return func() *datagram.Decoder { return datagram.New(limits, c.rules()...) }, nil
}

// mapping reads the mapping file, where there is one.
func (c Config) mapping() (mapping.Mapping, error) {
	if c.MappingFile == "" {
		return mapping.Mapping{}, nil
	}
	text, err := os.ReadFile(c.MappingFile)
	if err != nil {
		return mapping.Mapping{}, fmt.Errorf("read mapping_file: %w", err)
	}
	m, err := mapping.Parse(text)
	if err != nil {
		return mapping.Mapping{}, fmt.Errorf("mapping_file %s: %w", c.MappingFile, err)
	}
	return m, nil
}

func (c Config) rules() []datagram.SamplingRule {
	rules := make([]datagram.SamplingRule, len(c.Sampling))
	for i, r := range c.Sampling {
		rules[i] = datagram.SamplingRule{
			Exporters: r.Exporters, Sampling: row.Sampling{Default: r.Default, Override: r.Override},
		}
	}
	return rules
}

func (c Config) limits() datagram.Limits {
	return datagram.Limits{
		Exporters: c.MaxExporters,
		IdleNs:    uint64(c.IdleTimeout.Nanoseconds()), //nolint:gosec // positive
		Layers:    c.MaxLayers,
		Nesting:   c.MaxNesting,
		State:     c.MaxStateBytes,
		Rows: row.Limits{
			Records: c.MaxRecords,
			AheadNs: uint64(c.MaxAhead.Nanoseconds()), //nolint:gosec // not negative
			PastNs:  uint64(c.MaxAge.Nanoseconds()),   //nolint:gosec // not negative
		},
		Templates: template.Limits{
			Domains:   c.MaxDomains,
			Templates: c.MaxTemplates,
			Fields:    c.MaxFields,
			Samplers:  c.MaxSamplers,
			Names:     c.MaxNames,

			LifetimeNs: uint64(c.TemplateTTL.Nanoseconds()), //nolint:gosec // not negative
		},
	}
}
