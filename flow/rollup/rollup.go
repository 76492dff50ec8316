// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/weirflow/weir/flow"
)

// Rollup is the definition of a rollup, as it stands in the settings.
type Rollup struct {
	// Name is also that of the table.
	Name string `yaml:"name" usage:"name of the rollup and of its table"`
	// Window is the length of the windows, which start at multiples of it since 1970.
	Window time.Duration `yaml:"window" usage:"length of the windows, 10s to 24h"`
	// AllowedLateness is how long a window stays open after its end, in event time; 0 takes
	// the one of all rollups.
	AllowedLateness time.Duration `yaml:"allowed_lateness" usage:"how far event times may be out of order before a window is closed"`
	// TimeZone makes windows of 24h the days of a place, 23 to 25 hours long; empty is UTC.
	TimeZone string `yaml:"time_zone" usage:"IANA name of the time zone whose days the windows of 24h are"`
	// Keys are what is summed by: see ParseKey.
	Keys []string `yaml:"keys" usage:"what is summed by: fields, prefixes of addresses, interface and direction"`
	// Measures are what is summed: see ParseMeasure. Without any they are StandardMeasures.
	Measures []string `yaml:"measures" usage:"what is summed: bytes, packets, flows, bytes_scaled, packets_scaled, max(field), min(field)"`
	// Filter is the condition that a flow must meet to be counted; empty takes all.
	Filter string `yaml:"filter" usage:"expression that a flow must meet to be counted"`
	// Top keeps the keys with the most bytes of each window and folds the others into one row,
	// whose column other is 1; 0 keeps all.
	Top int `yaml:"top" usage:"keys with the most bytes that are kept, the rest is folded into other; 0 keeps all"`
}

const (
	minWindow = 10 * time.Second
	day       = 24 * time.Hour
	maxKeys   = 32
	maxTop    = 65536
)

// StandardMeasures are those of a rollup that names none.
func StandardMeasures() []string {
	return []string{"bytes", "packets", "flows", "bytes_scaled", "packets_scaled"}
}

var validName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// isTable tells whether a table that is no rollup has the name.
func isTable(name string) bool {
	for t := range flow.CounterTable(flow.NumCounterTables) {
		if t.Name() == name {
			return true
		}
	}
	return name == "flows" || name == "schema_migrations"
}

// Validate reports all problems but those of the filter, which only aggregate can read.
func (r Rollup) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(validName.MatchString(r.Name), "name: %q is not a lower-case word of letters, digits and _", r.Name)
	check(!isTable(r.Name), "name: %s is another table", r.Name)
	check(r.Window >= minWindow && r.Window <= day && r.Window%time.Second == 0,
		"window: %v is not whole seconds between %v and %v", r.Window, minWindow, day)
	check(r.AllowedLateness >= 0 && r.AllowedLateness <= day, "allowed_lateness: %v is not between 0s and %v", r.AllowedLateness, day)
	_, err := r.Location()
	check(err == nil, "time_zone: %v", err)
	check(r.TimeZone == "" || r.Window == day, "time_zone: is only for windows of 24h, which it makes days")
	check(r.Top >= 0 && r.Top <= maxTop, "top: %d is not between 0 and %d", r.Top, maxTop)
	check(len(r.Keys) <= maxKeys, "keys: %d are more than %d", len(r.Keys), maxKeys)
	keys, err := r.ParsedKeys()
	check(err == nil, "keys: %v", err)
	measures, err := r.ParsedMeasures()
	check(err == nil, "measures: %v", err)
	check(r.Top == 0 || slices.ContainsFunc(measures, func(m Measure) bool { return m.Name == topMeasure }),
		"top: needs the measure %s", topMeasure)
	errs = append(errs, duplicates(keys, measures, r.Top > 0)...)
	return errors.Join(errs...)
}

// topMeasure is what top orders by.
const topMeasure = "bytes"

// OtherColumn is 1 in the rows that fold the keys beyond the top.
const OtherColumn = "other"

// Location returns the time zone of the windows, nil for UTC.
func (r Rollup) Location() (*time.Location, error) {
	if r.TimeZone == "" || r.TimeZone == "UTC" {
		return nil, nil //nolint:nilnil // no zone is a valid one
	}
	return time.LoadLocation(r.TimeZone)
}

// ParsedKeys returns what the rollup is summed by.
func (r Rollup) ParsedKeys() ([]Key, error) {
	keys := make([]Key, 0, len(r.Keys))
	ends, directions := 0, 0
	for _, text := range r.Keys {
		k, err := ParseKey(text)
		if err != nil {
			return nil, err
		}
		switch k.Source {
		case Interface, Host:
			ends++
		case Direction:
			directions++
		default:
		}
		keys = append(keys, k)
	}
	if ends != directions || ends > 1 {
		return nil, errors.New("interface and direction go together, or host and direction")
	}
	return keys, nil
}

// ParsedMeasures returns what the rollup sums up.
func (r Rollup) ParsedMeasures() ([]Measure, error) {
	texts := r.Measures
	if len(texts) == 0 {
		texts = StandardMeasures()
	}
	measures := make([]Measure, 0, len(texts))
	for _, text := range texts {
		m, err := ParseMeasure(text)
		if err != nil {
			return nil, err
		}
		if m.Side && !slices.Contains(r.Keys, "interface") {
			return nil, fmt.Errorf("%s: needs the keys interface and direction", text)
		}
		measures = append(measures, m)
	}
	return measures, nil
}

// duplicates reports columns that would be there twice.
func duplicates(keys []Key, measures []Measure, top bool) []error {
	var errs []error
	seen := map[string]bool{WindowColumn: true, markColumn: true, OtherColumn: top}
	note := func(what, name string) {
		if seen[name] {
			errs = append(errs, fmt.Errorf("%s: column %s is there already", what, name))
		}
		seen[name] = true
	}
	for _, k := range keys {
		note("keys", k.Name)
	}
	for _, m := range measures {
		note("measures", m.Name)
	}
	return errs
}
