// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"github.com/weirflow/weir/flow"
)

// filter is the condition of a rollup, in the language of enrich's rules: flow.proto == 6,
// match(flow.in_if_name, "^xe-"). A nil filter takes every flow.
type filter struct {
	source  string
	program *vm.Program
	machine vm.VM
	fields  []flow.Field // that it reads
	values  map[string]any
	env     map[string]any
	wanted  []bool
}

// newFilter compiles a condition, none of an empty one. Errors have the line and the column.
func newFilter(source string) (*filter, error) {
	if source == "" {
		return nil, nil //nolint:nilnil // no filter is a valid one
	}
	v := &visitor{fields: map[flow.Field]bool{}, regexps: map[string]*regexp.Regexp{}}
	program, err := expr.Compile(source, expr.Env(environment()), expr.AsBool(), expr.Patch(v))
	if err == nil {
		err = v.err
	}
	if err != nil {
		return nil, fmt.Errorf("filter: %w", located(err, source))
	}
	f := &filter{source: source, program: program, fields: slices.Sorted(maps.Keys(v.fields)), values: map[string]any{}}
	f.env = map[string]any{"flow": f.values, "match": func(text, pattern string) bool { return v.regexps[pattern].MatchString(text) }}
	return f, nil
}

// text is the condition as it was written.
func (f *filter) text() string {
	if f == nil {
		return ""
	}
	return f.source
}

// rows tells which flows of a batch meet the condition; nil means all. One that can't be
// computed, as with a division by zero, is not met, and counted.
func (f *filter) rows(in *input, failed *int) []bool {
	if f == nil {
		return nil
	}
	f.wanted = f.wanted[:0]
	for row := range in.rows {
		for _, field := range f.fields {
			f.values[field.String()] = valueOf(in.batch, field, row)
		}
		v, err := f.machine.Run(f.program, f.env)
		if err != nil {
			*failed++
		}
		holds, _ := v.(bool)
		f.wanted = append(f.wanted, holds)
	}
	return f.wanted
}

func valueOf(b *flow.Batch, f flow.Field, row int) any {
	switch f.Info().Kind {
	case flow.Text:
		return b.Text(f, row)
	case flow.Address:
		return b.Address(f, row).Unmap().String()
	default:
		return int(b.Number(f, row)) //nolint:gosec // conditions know signed numbers only
	}
}

// environment is the names that conditions know, with their types.
func environment() types.Map {
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
	return types.Map{"flow": fields, "match": types.TypeOf(func(string, string) bool { return false })}
}

// visitor collects the fields and the regular expressions of a condition.
type visitor struct {
	fields  map[flow.Field]bool
	regexps map[string]*regexp.Regexp
	err     error
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
		if !isName || object.Value != "flow" {
			return
		}
		if !isText {
			v.err = &file.Error{Location: n.Location(), Message: "a field is named, not computed"}
			return
		}
		for f := range flow.Fields() {
			if f.String() == property.Value {
				v.fields[f] = true
			}
		}
	}
}

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
	v.regexps[text.Value] = re
}

// located puts the line and the column, both from 1, before the cause.
func located(err error, source string) error {
	var e *file.Error
	if !errors.As(err, &e) { // it is about the whole
		return fmt.Errorf("line 1, column 1: %w", err)
	}
	if e.Line == 0 {
		e = e.Bind(file.NewSource(source))
	}
	return fmt.Errorf("line %d, column %d: %s", e.Line, e.Column+1, e.Message)
}
