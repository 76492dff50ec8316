// SPDX-License-Identifier: Apache-2.0

package rule

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"github.com/weirflow/weir/flow"
)

// What a rule is about.
const (
	OnExporter  = "exporter"
	OnInterface = "interface"
	OnFlow      = "flow"
)

// Rule is one rule as it is written.
type Rule struct {
	On       string            `yaml:"on" usage:"exporter, interface or flow"`
	If       string            `yaml:"if" usage:"condition"`
	Set      map[string]string `yaml:"set" usage:"attributes and their values, with $1 for what match captured"`
	Override bool              `yaml:"override" usage:"set what has a value already, too"`
}

// Set is compiled rules. It is safe for concurrent use.
type Set struct {
	exporter, iface, flow []compiled
	regexps               map[string]*regexp.Regexp
	fields                []flow.Field // those that conditions on flows read
}

type compiled struct {
	program  *vm.Program
	set      []assignment
	override bool
}

// assignment is an attribute and the template of its value.
type assignment struct{ attribute, template string }

// attributesOf lists what rules of each kind may set.
func attributesOf(on string) []string {
	switch on {
	case OnExporter:
		return []string{"name", "group", "role", "site", "region", "tenant"}
	case OnInterface:
		return []string{"name", "description", "boundary", "connectivity", "provider"}
	case OnFlow:
		return []string{"tenant", "tag"}
	default:
		return nil
	}
}

// Compile compiles rules. It returns all problems at once, each with the line and column
// within its condition.
func Compile(rules []Rule) (*Set, error) {
	s := &Set{regexps: map[string]*regexp.Regexp{}}
	used := map[flow.Field]bool{}
	var errs []error
	for i, r := range rules {
		c, err := s.compile(r, used)
		if err != nil {
			errs = append(errs, fmt.Errorf("rules[%d].%w", i, err))
			continue
		}
		switch r.On {
		case OnExporter:
			s.exporter = append(s.exporter, c)
		case OnInterface:
			s.iface = append(s.iface, c)
		default:
			s.flow = append(s.flow, c)
		}
	}
	s.fields = slices.Sorted(maps.Keys(used))
	return s, errors.Join(errs...)
}

func (s *Set) compile(r Rule, used map[flow.Field]bool) (compiled, error) {
	known := attributesOf(r.On)
	if known == nil {
		return compiled{}, fmt.Errorf("on: is %q, want exporter, interface or flow", r.On)
	}
	if len(r.Set) == 0 {
		return compiled{}, errors.New("set: is empty")
	}
	c := compiled{override: r.Override}
	for _, a := range slices.Sorted(maps.Keys(r.Set)) {
		if !slices.Contains(known, a) {
			return c, fmt.Errorf("set: %q is none of %s", a, strings.Join(known, ", "))
		}
		if v := r.Set[a]; a == "boundary" && !ValidBoundary(v) && !strings.Contains(v, "$") {
			return c, fmt.Errorf("set.boundary: is %q, want internal or external", v)
		}
		c.set = append(c.set, assignment{a, r.Set[a]})
	}
	v := &visitor{set: s, used: map[flow.Field]bool{}}
	program, err := expr.Compile(r.If, expr.Env(environment(r.On)), expr.AsBool(), expr.Patch(v))
	if err == nil {
		err = v.err
	}
	if err != nil {
		return c, fmt.Errorf("if: %w", place(err, r.If))
	}
	maps.Copy(used, v.used)
	c.program = program
	return c, nil
}

// ValidBoundary tells whether an interface can have this boundary.
func ValidBoundary(s string) bool { return s == "" || s == "internal" || s == "external" }

// place puts the line and the column, both from 1, before the cause.
func place(err error, source string) error {
	var e *file.Error
	if !errors.As(err, &e) { // it is about the whole
		return fmt.Errorf("line 1, column 1: %w", err)
	}
	if e.Line == 0 {
		e = e.Bind(file.NewSource(source))
	}
	return fmt.Errorf("line %d, column %d: %s", e.Line, e.Column+1, e.Message)
}

// environment is the names that conditions of a kind know, with their types.
func environment(on string) types.Map {
	exporter := types.Map{"address": types.String}
	for _, a := range attributesOf(OnExporter) {
		exporter[a] = types.String
	}
	iface := types.Map{"index": types.Int, "speed": types.Int}
	for _, a := range attributesOf(OnInterface) {
		iface[a] = types.String
	}
	env := types.Map{"match": types.TypeOf(func(string, string) bool { return false }), "exporter": exporter}
	switch on {
	case OnInterface:
		env["interface"] = iface
	case OnFlow:
		env["input"], env["output"] = iface, iface
		fields := types.Map{}
		for f := range flow.Fields() {
			switch f.Info().Kind {
			case flow.Number:
				fields[f.String()] = types.Int
			case flow.Text, flow.Address:
				fields[f.String()] = types.String
			default:
			}
		}
		env["flow"] = fields
	}
	return env
}

// visitor collects the regular expressions and the fields of the flow in a condition.
type visitor struct {
	set  *Set
	used map[flow.Field]bool
	err  error
}

// Visit implements ast.Visitor.
func (v *visitor) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.CallNode:
		if name, ok := n.Callee.(*ast.IdentifierNode); ok && name.Value == "match" && len(n.Arguments) == 2 {
			v.regexp(n.Arguments[1])
		}
	case *ast.MemberNode:
		object, isName := n.Node.(*ast.IdentifierNode)
		property, isText := n.Property.(*ast.StringNode)
		if !isName || !isText || object.Value != "flow" {
			return
		}
		for f := range flow.Fields() {
			if f.String() == property.Value {
				v.used[f] = true
			}
		}
	}
}

// regexp compiles the second argument of match.
func (v *visitor) regexp(n ast.Node) {
	text, ok := n.(*ast.StringNode)
	if !ok {
		v.err = &file.Error{Location: n.Location(), Message: "match wants its regular expression in quotes"}
		return
	}
	re, err := regexp.Compile(text.Value)
	if err != nil {
		v.err = &file.Error{Location: n.Location(), Message: err.Error()}
		return
	}
	v.set.regexps[text.Value] = re
}
