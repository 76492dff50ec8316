// SPDX-License-Identifier: Apache-2.0

package rule

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/flow"
)

func compileAll(t *testing.T, rules ...Rule) *Evaluator {
	t.Helper()
	s, err := Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	return s.NewEvaluator()
}

func TestCapturesBecomeValues(t *testing.T) {
	t.Parallel()
	e := compileAll(t, Rule{
		On: OnInterface, If: `exporter.role == "edge" && match(interface.description, "^(?i:transit): (?P<who>\\w+)")`,
		Set: map[string]string{"connectivity": "transit", "provider": "${who}", "boundary": "external"},
	})
	i := Interface{Index: 7, Description: "Transit: Init7 10G"}
	e.Interface(&Exporter{Role: "edge"}, &i)
	want := Interface{Index: 7, Description: "Transit: Init7 10G", Connectivity: "transit", Provider: "Init7", Boundary: "external"}
	if diff := cmp.Diff(want, i); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	core := Interface{Description: "Transit: Init7"}
	e.Interface(&Exporter{Role: "core"}, &core)
	if core.Provider != "" {
		t.Errorf("a condition that is false has set %q", core.Provider)
	}
}

func TestFirstRuleWinsAndLaterOnesSeeIt(t *testing.T) {
	t.Parallel()
	e := compileAll(t,
		Rule{On: OnExporter, If: `match(exporter.name, "^(\\w+)-(\\w+)-")`, Set: map[string]string{"role": "$1", "site": "$2"}},
		Rule{On: OnExporter, If: `true`, Set: map[string]string{"role": "other", "group": "all"}},
		Rule{On: OnExporter, If: `exporter.role == "edge"`, Set: map[string]string{"region": "eu"}},
		Rule{On: OnExporter, If: `true`, Set: map[string]string{"name": "renamed", "tenant": "ours"}, Override: true},
	)
	x := Exporter{Address: "192.0.2.1", Name: "edge-zrh-1", Tenant: "theirs"}
	e.Exporter(&x)
	want := Exporter{Address: "192.0.2.1", Name: "renamed", Role: "edge", Site: "zrh", Group: "all", Region: "eu", Tenant: "ours"}
	if diff := cmp.Diff(want, x); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFlowsAreMarkedFromTheirFields(t *testing.T) {
	t.Parallel()
	e := compileAll(t,
		Rule{On: OnFlow, If: `flow.proto == 6 && flow.dst_port in [80, 443] && output.boundary == "external"`, Set: map[string]string{"tag": "web"}},
		Rule{On: OnFlow, If: `flow.src_net_tenant startsWith "cust"`, Set: map[string]string{"tenant": "customer"}},
	)
	if diff := cmp.Diff([]flow.Field{flow.Proto, flow.DstPort, flow.SrcNetTenant}, e.set.Fields()); diff != "" {
		t.Errorf("fields, -want +got:\n%s", diff)
	}
	got := e.Flow(&Exporter{}, &Interface{}, &Interface{Boundary: "external"}, func(f flow.Field) any {
		return map[flow.Field]any{flow.Proto: 6, flow.DstPort: 443, flow.SrcNetTenant: "customer-7"}[f]
	})
	if diff := cmp.Diff(Marks{Tenant: "customer", Tag: "web"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestWrongRulesNameTheirPlace(t *testing.T) {
	t.Parallel()
	set := map[string]string{"role": "x"}
	for _, tt := range []struct {
		rule Rule
		want string
	}{
		{Rule{On: OnExporter, If: "exporter.name == 'a' &&\n  exporter.title == 'b'", Set: set}, `rules[0].if: line 2, column 12: unknown field title`},
		{Rule{On: OnExporter, If: `exporter.name == 1`, Set: set}, `rules[0].if: line 1, column 15: invalid operation: == (mismatched types string and int)`},
		{Rule{On: OnExporter, If: `exporter.name`, Set: set}, `rules[0].if: line 1, column 1: expected bool, but got string`},
		{Rule{On: OnExporter, If: `exporter.name == `, Set: set}, `rules[0].if: line 1, column 17: unexpected token EOF`},
		{Rule{On: OnExporter, If: `interface.name == ""`, Set: set}, `rules[0].if: line 1, column 1: unknown name interface`},
		{Rule{On: OnExporter, If: `match(exporter.name, "(")`, Set: set}, "rules[0].if: line 1, column 22: error parsing regexp: missing closing ): `(`"},
		{Rule{On: OnExporter, If: `match("a", exporter.name)`, Set: set}, `rules[0].if: line 1, column 21: match wants its regular expression in quotes`},
		{Rule{On: "router", If: `true`, Set: set}, `rules[0].on: is "router", want exporter, interface or flow`},
		{Rule{On: OnInterface, If: `true`, Set: set}, `rules[0].set: "role" is none of name, description, boundary, connectivity, provider`},
		{Rule{On: OnInterface, If: `true`, Set: map[string]string{"boundary": "outside"}}, `rules[0].set.boundary: is "outside", want internal or external`},
		{Rule{On: OnFlow, If: `true`}, `rules[0].set: is empty`},
	} {
		_, err := Compile([]Rule{tt.rule})
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s\ngot  %v\nwant %s", tt.rule.If, err, tt.want)
		}
	}
}
