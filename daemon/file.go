// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"
)

// fileReader fills settings from a YAML file. It walks the nodes itself, so that
// every problem has its line and full key, and text means the same as in a flag.
type fileReader struct {
	*loader
	name string
}

func (r fileReader) read(data []byte, sections []field, strict bool) {
	doc, err := parse(data)
	if err != nil {
		r.problems = append(r.problems, fmt.Sprintf("%s: %s", r.name, strings.TrimPrefix(err.Error(), "yaml: ")))
		return
	}
	if len(doc.Content) == 0 || isNull(doc.Content[0]) {
		return
	}
	r.mapping(doc.Content[0], sections, "", strict)
}

// parse reads the one document in data. A file of comments has none.
func parse(data []byte) (doc yaml.Node, err error) {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return doc, err
	}
	if err := loader.Load(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return doc, err
	}
	if err := loader.Load(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return doc, errors.New("want one YAML document, there are more")
	}
	return doc, nil
}

// mapping fills fields from node's pairs. Where strict is off it skips keys that
// no field has.
func (r fileReader) mapping(node *yaml.Node, fields []field, prefix string, strict bool) {
	if node.Kind != yaml.MappingNode {
		r.at(node, strings.TrimSuffix(prefix, "."), "want keys and values")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], resolve(node.Content[i+1])
		if seen[name.Value] {
			r.at(name, prefix+name.Value, "is there twice")
		}
		seen[name.Value] = true
		f, ok := find(fields, name.Value)
		switch {
		case ok:
			r.field(value, f)
		case strict:
			r.at(name, prefix+name.Value, "unknown key, known here: "+names(fields))
		}
	}
}

// field fills f from node. Null leaves the default.
func (r fileReader) field(node *yaml.Node, f field) {
	t := f.value.Type()
	switch {
	case isNull(node):
	case isSection(t):
		r.mapping(node, fieldsOf(f.value, f.key+"."), f.key+".", true)
	case t.Kind() == reflect.Map:
		r.table(node, f)
	case t.Kind() == reflect.Slice && !readsText(t):
		r.list(node, f)
	case node.Kind != yaml.ScalarNode:
		r.at(node, f.key, "want a single value")
	default:
		if err := setText(f.value, f.key, node.Value); err != nil {
			r.at(node, f.key, err.Error())
		}
	}
}

// list replaces f's items by node's. A scalar is read as in a flag.
func (r fileReader) list(node *yaml.Node, f field) {
	if node.Kind == yaml.ScalarNode && isText(f.value.Type()) {
		if err := setText(f.value, f.key, node.Value); err != nil {
			r.at(node, f.key, err.Error())
		}
		return
	}
	if node.Kind != yaml.SequenceNode {
		r.at(node, f.key, "want a list")
		return
	}
	items := reflect.MakeSlice(f.value.Type(), len(node.Content), len(node.Content))
	for i, n := range node.Content {
		r.field(resolve(n), field{key: fmt.Sprintf("%s[%d]", f.key, i), value: items.Index(i)})
	}
	f.value.Set(items)
}

// table replaces f's entries by node's pairs.
func (r fileReader) table(node *yaml.Node, f field) {
	if node.Kind != yaml.MappingNode {
		r.at(node, f.key, "want keys and values")
		return
	}
	t := f.value.Type()
	entries := reflect.MakeMap(t)
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i].Value
		entry := reflect.New(t.Elem()).Elem()
		r.field(resolve(node.Content[i+1]), field{key: f.key + "." + name, value: entry})
		entries.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), entry)
	}
	f.value.Set(entries)
}

// at notes a problem at node's line.
func (r fileReader) at(node *yaml.Node, key, text string) {
	r.problem(fmt.Sprintf("%s:%d: ", r.name, node.Line), key, text)
}

func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func find(fields []field, name string) (field, bool) {
	for _, f := range fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

func names(fields []field) string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.name
	}
	return strings.Join(all, ", ")
}
