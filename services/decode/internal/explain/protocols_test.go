// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/ie"
	"github.com/weirflow/weir/services/decode/internal/netflow5"
	"github.com/weirflow/weir/services/decode/internal/sflow"
	"github.com/weirflow/weir/services/decode/internal/template"
)

var update = flag.Bool("update", false, "rewrite docs/protocols.md")

// sources are the places of each protocol that fill a column, by its name.
type sources map[string][]string

func (s sources) add(column, place string) {
	if !slices.Contains(s[column], place) {
		s[column] = append(s[column], place)
	}
}

func legacySources() sources {
	s := sources{}
	for _, version := range slices.Sorted(maps.Keys(headers)) {
		place := fmt.Sprintf("v%d", version)
		for _, f := range headers[version] {
			for _, column := range f.columns {
				s.add(column, place)
			}
		}
		for scheme := range byte(16) {
			_, fields := netflow5.Layout(version, scheme)
			for _, f := range fields {
				for _, column := range columnsOf(nil, f) {
					s.add(column, place)
				}
			}
		}
	}
	return s
}

func elementSources() sources {
	s := sources{"sequence_num": {"header"}, "observation_domain_id": {"header"}}
	for _, e := range ie.All() {
		place := fmt.Sprintf("%d %s", e.ID, ie.Name(e))
		if e.PEN != 0 {
			place = ie.Name(e)
		}
		for _, column := range columnsOf(nil, template.Field{Element: e}) {
			s.add(column, place)
		}
	}
	return s
}

func sflowSources() sources {
	s := sources{"sequence_num": {"header"}, "sampler_address": {"header"}}
	for _, id := range slices.Sorted(maps.Keys(samples)) {
		for _, f := range samples[id].fields {
			for _, column := range f.columns {
				s.add(column, fmt.Sprintf("sample %d", id))
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(flowRecords)) {
		place := fmt.Sprintf("%d %s", id, flowRecords[id].name)
		for _, f := range flowRecords[id].fields {
			for _, column := range f.columns {
				s.add(column, place)
			}
		}
		for _, column := range flowRecords[id].rest {
			s.add(column, place)
		}
	}
	return s
}

// counterPage is the part about counters.
func counterPage() string {
	var b strings.Builder
	b.WriteString(`
## Counters of sFlow

Counter records of sFlow v5 become rows of their own tables: those of an interface, and those of a host, one row for each sample.
The columns are the fields in their order.

| record | columns |
| --- | --- |
`)
	for _, format := range sflow.CounterFormats() {
		var columns []string
		for _, f := range counterRecords[format].fields {
			columns = append(columns, f.columns...)
		}
		columns = append(columns, counterRecords[format].rest...)
		text := "none"
		if len(columns) != 0 {
			table, _, _ := strings.Cut(columns[0], ".")
			text = "`" + table + "`: " + strings.ReplaceAll(strings.Join(columns, ", "), table+".", "")
		}
		fmt.Fprintf(&b, "| %d %s | %s |\n", format, counterRecords[format].name, text)
	}
	return b.String()
}

// TestProtocolsAreDocumented: docs/protocols.md is what the tables of the decoder say.
func TestProtocolsAreDocumented(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`# Which field comes from where

The columns of a flow that decode fills, and what fills them: the versions of NetFlow with fixed records; elements of NetFlow v9 and
IPFIX, by IANA's numbers; samples and records of sFlow v5, by their formats. Where several fill one column, what the exporter says
wins over what a packet's headers say. This page is written by ` + "`make generate`" + ` from the code; ` + "`weir explain`" + ` shows the same for
a datagram.

| column | NetFlow v1, v5, v7, v8 | NetFlow v9, IPFIX | sFlow v5 |
| --- | --- | --- | --- |
`)
	legacy, elements, sampled := legacySources(), elementSources(), sflowSources()
	known := map[string]bool{}
	for f := range flow.Fields() {
		name := f.String()
		known[name] = true
		if len(legacy[name])+len(elements[name])+len(sampled[name]) == 0 {
			continue
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name,
			strings.Join(legacy[name], ", "), strings.Join(elements[name], ", "), strings.Join(sampled[name], ", "))
	}
	b.WriteString(counterPage())
	for _, s := range []sources{legacy, elements, sampled} {
		for column := range s {
			if !known[column] {
				t.Errorf("%q is no column of a flow", column)
			}
		}
	}
	const page = "../../../../docs/protocols.md"
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil { //nolint:gosec // a page for all
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil || string(text) != b.String() {
		t.Errorf("%s is not what the code says (%v): run make generate", page, err)
	}
}
