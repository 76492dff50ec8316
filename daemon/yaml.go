// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"fmt"
	"io"
	"reflect"

	"go.yaml.in/yaml/v4"
)

// WriteYAML writes all settings with their present values as a file that Load
// reads back, each with its usage as a comment. Secrets are left empty.
func (s *Settings) WriteYAML(w io.Writer) error {
	top, err := mappingNode(s.sections)
	if err != nil {
		return err
	}
	d, err := yaml.NewDumper(w, yaml.WithLineWidth(-1))
	if err != nil {
		return err
	}
	if err := d.Dump(top); err != nil {
		return err
	}
	return d.Close()
}

func mappingNode(fields []field) (*yaml.Node, error) {
	m := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range fields {
		value, err := valueNode(f)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", f.key, err)
		}
		name := &yaml.Node{Kind: yaml.ScalarNode, Value: f.name}
		if f.usage != "" {
			name.HeadComment = "# " + f.usage
		}
		m.Content = append(m.Content, name, value)
	}
	return m, nil
}

func valueNode(f field) (*yaml.Node, error) {
	v := f.value
	switch t := v.Type(); {
	case f.secret:
		return textNode(reflect.Zero(t), f.key), nil
	case isSection(t):
		return mappingNode(fieldsOf(v, f.key+"."))
	case t.Kind() == reflect.Map:
		return tableNode(f)
	case t.Kind() == reflect.Slice && !readsText(t):
		list := &yaml.Node{Kind: yaml.SequenceNode}
		if isText(t) {
			list.Style = yaml.FlowStyle
		}
		for i := range v.Len() {
			item, err := valueNode(field{key: f.key, value: v.Index(i)})
			if err != nil {
				return nil, err
			}
			list.Content = append(list.Content, item)
		}
		return list, nil
	default:
		return textNode(v, f.key), nil
	}
}

func tableNode(f field) (*yaml.Node, error) {
	m := &yaml.Node{Kind: yaml.MappingNode}
	for _, key := range f.value.MapKeys() {
		entry := reflect.New(f.value.Type().Elem()).Elem()
		entry.Set(f.value.MapIndex(key))
		value, err := valueNode(field{key: f.key, value: entry})
		if err != nil {
			return nil, err
		}
		m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key.String()}, value)
	}
	return m, nil
}

// textNode quotes only what a string field would otherwise lose its type by.
func textNode(v reflect.Value, key string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: formatText(v, key)}
	if v.Kind() == reflect.String || n.Value == "" {
		n.Tag = "!!str"
	}
	return n
}
