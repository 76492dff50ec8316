// SPDX-License-Identifier: Apache-2.0

package rule

import (
	"regexp"
	"slices"

	"github.com/expr-lang/expr/vm"

	"github.com/weirflow/weir/flow"
)

// Exporter is what rules see and set of an exporter.
type Exporter struct {
	Address                                 string
	Name, Group, Role, Site, Region, Tenant string
}

// Interface is what rules see and set of an interface. Speed is in bit/s.
type Interface struct {
	Index                                               uint32
	Speed                                               uint64
	Name, Description, Boundary, Connectivity, Provider string
}

// Marks are what rules set of a flow.
type Marks struct{ Tenant, Tag string }

// Evaluator applies a Set. It is not safe for concurrent use.
type Evaluator struct {
	// Errors counts the conditions that failed, which are taken as false.
	Errors int

	set     *Set
	machine vm.VM
	env     map[string]any
	fields  map[string]any
	in, out *Interface // of the last flow

	// What the last match that was true captured.
	re      *regexp.Regexp
	text    string
	capture []int
}

// NewEvaluator makes an Evaluator of the rules.
func (s *Set) NewEvaluator() *Evaluator {
	e := &Evaluator{set: s, env: map[string]any{}, fields: map[string]any{}}
	e.env["match"] = e.match
	e.env["flow"] = e.fields
	return e
}

// Empty tells that there are no rules.
func (s *Set) Empty() bool { return len(s.exporter)+len(s.iface)+len(s.flow) == 0 }

// Fields are those that conditions on flows read. Where there are none, the marks of a flow
// follow from its exporter and its interfaces.
func (s *Set) Fields() []flow.Field { return s.fields }

// Exporter applies the rules on exporters.
func (e *Evaluator) Exporter(x *Exporter) {
	e.apply(e.set.exporter, func() { e.env["exporter"] = exporterEnv(x) }, x.attribute)
}

// Interface applies the rules on interfaces.
func (e *Evaluator) Interface(x *Exporter, i *Interface) {
	e.env["exporter"] = exporterEnv(x)
	e.apply(e.set.iface, func() { e.env["interface"] = interfaceEnv(i) }, i.attribute)
}

// Flow applies the rules on flows. Value gives the fields that Set.Fields names: an int for a
// number, else a string. An in and out that were given before must not have changed.
func (e *Evaluator) Flow(x *Exporter, in, out *Interface, value func(flow.Field) any) (m Marks) {
	for _, f := range e.set.fields {
		e.fields[f.String()] = value(f)
	}
	if e.in != in || e.out != out { // the flows of a batch have few of them
		e.in, e.out = in, out
		e.env["exporter"], e.env["input"], e.env["output"] = exporterEnv(x), interfaceEnv(in), interfaceEnv(out)
	}
	e.apply(e.set.flow, func() {}, m.attribute)
	return m
}

// apply runs rules in order. See brings the environment up to date with what was set.
func (e *Evaluator) apply(rules []compiled, see func(), attribute func(string) *string) {
	see()
	var set []string
	for i := range rules {
		r := &rules[i]
		if !e.holds(r) {
			continue
		}
		for _, a := range r.set {
			p := attribute(a.attribute)
			if slices.Contains(set, a.attribute) || (*p != "" && !r.override) {
				continue
			}
			*p = e.expand(a.template)
			set = append(set, a.attribute)
		}
		see()
	}
}

func (e *Evaluator) holds(r *compiled) bool {
	e.re = nil
	v, err := e.machine.Run(r.program, e.env)
	if err != nil {
		e.Errors++
		return false
	}
	holds, _ := v.(bool)
	return holds
}

// match is the function of conditions.
func (e *Evaluator) match(text, pattern string) bool {
	re := e.set.regexps[pattern]
	found := re.FindStringSubmatchIndex(text)
	if found == nil {
		return false
	}
	e.re, e.text, e.capture = re, text, found
	return true
}

// expand puts what match captured into a value: $1, $name or ${name}.
func (e *Evaluator) expand(template string) string {
	if e.re == nil {
		return template
	}
	return string(e.re.ExpandString(nil, template, e.text, e.capture))
}

func (x *Exporter) attribute(name string) *string {
	switch name {
	case "name":
		return &x.Name
	case "group":
		return &x.Group
	case "role":
		return &x.Role
	case "site":
		return &x.Site
	case "region":
		return &x.Region
	default:
		return &x.Tenant
	}
}

func (i *Interface) attribute(name string) *string {
	switch name {
	case "name":
		return &i.Name
	case "description":
		return &i.Description
	case "boundary":
		return &i.Boundary
	case "connectivity":
		return &i.Connectivity
	default:
		return &i.Provider
	}
}

func (m *Marks) attribute(name string) *string {
	if name == "tag" {
		return &m.Tag
	}
	return &m.Tenant
}

func exporterEnv(x *Exporter) map[string]any {
	env := map[string]any{"address": x.Address}
	for _, a := range attributesOf(OnExporter) {
		env[a] = *x.attribute(a)
	}
	return env
}

func interfaceEnv(i *Interface) map[string]any {
	env := map[string]any{"index": int(i.Index), "speed": int(i.Speed)} //nolint:gosec // a speed is far below 2^63
	for _, a := range attributesOf(OnInterface) {
		env[a] = *i.attribute(a)
	}
	return env
}
