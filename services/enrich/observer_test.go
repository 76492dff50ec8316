// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"net/netip"
	"testing"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/enrich/internal/rule"
)

// TestWhatExportersTellIsRemembered: decode says names where they are known, and flows that come from
// elsewhere in time have none.
func TestWhatExportersTellIsRemembered(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.Exporters = []exporterConfig{{CIDR: prefixList{netip.MustParsePrefix("192.0.2.0/24")}, Site: "zrh"}}
	cfg.Rules = []rule.Rule{{On: rule.OnInterface, If: `match(interface.description, "^Transit: (\\w+)")`, Set: map[string]string{"provider": "$1"}}}
	e := newEnricher(newConfiguredLibrary(t, cfg), nil)
	const exporter = "given sampler_address 192.0.2.1\ngiven in_if 1\ngiven out_if 2\n"
	for _, step := range []struct {
		promise, flow string
		want          [4]string // names of the exporter and its interfaces, the provider
		quality       uint64
	}{
		{"nothing is known at first", exporter, [4]string{}, flow.ExporterUnknown | flow.InterfaceUnknown},
		{
			"what is told is taken", exporter + "given exporter_name edge\ngiven in_if_name xe-0\ngiven in_if_description Transit: Example\n",
			[4]string{"edge", "xe-0", "", "Example"},
			flow.InterfaceUnknown,
		},
		{"what is told of the other interface too", exporter + "given out_if_name xe-1\n", [4]string{"edge", "xe-0", "xe-1", "Example"}, 0},
		{"it is known of flows that come without", exporter, [4]string{"edge", "xe-0", "xe-1", "Example"}, 0},
		{"of both directions", "given sampler_address 192.0.2.1\ngiven in_if 2\ngiven out_if 1\n", [4]string{"edge", "xe-1", "xe-0", ""}, 0},
		{"not of another exporter", "given sampler_address 192.0.2.2\ngiven in_if 1\ngiven out_if 2\n", [4]string{}, flow.ExporterUnknown | flow.InterfaceUnknown},
		{"no interface renames the exporter", "given sampler_address 192.0.2.1\ngiven in_if_name none\n", [4]string{"edge"}, 0},
		{"a new name replaces the old one", exporter + "given in_if_name et-0\n", [4]string{"edge", "et-0", "xe-1", "Example"}, 0},
	} {
		given, _ := exampleFlow(t, step.flow)
		var out flow.Batch
		e.enrich(given, &out)
		got := [4]string{out.Text(flow.ExporterName, 0), out.Text(flow.InIfName, 0), out.Text(flow.OutIfName, 0), out.Text(flow.InIfProvider, 0)}
		if got != step.want || out.Number(flow.Quality, 0) != step.quality {
			t.Errorf("%s: %q with quality %x, want %q with %x", step.promise, got, out.Number(flow.Quality, 0), step.want, step.quality)
		}
	}
}
