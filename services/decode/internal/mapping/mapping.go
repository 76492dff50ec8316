// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/ie"
	"github.com/weirflow/weir/services/decode/internal/packet"
)

// maxBits bounds a range of bits.
const maxBits = 64

// Mapping is what a file says.
type Mapping struct {
	Elements ie.Mapping
	Bits     []packet.Bits
}

// reader reads a file, and goes on after what is wrong.
type reader struct {
	Mapping

	custom   map[string]flow.Field
	problems []error
}

// Parse reads a file. The error names all wrong lines.
func Parse(text []byte) (Mapping, error) {
	r := reader{Mapping: Mapping{Elements: ie.Mapping{}}, custom: map[string]flow.Field{}}
	loader, err := yaml.NewLoader(bytes.NewReader(text))
	if err != nil {
		return Mapping{}, err
	}
	var doc yaml.Node
	if err := loader.Load(&doc); err != nil && !errors.Is(err, io.EOF) {
		return Mapping{}, err
	}
	if len(doc.Content) == 0 {
		return r.Mapping, nil
	}
	root := r.object(doc.Content[0], "formatter", "ipfix", "netflowv9", "sflow")
	if n := root["formatter"]; n != nil { // first: it declares
		r.formatter(n)
	}
	for _, section := range []string{"ipfix", "netflowv9"} {
		if n := root[section]; n != nil {
			r.each(r.object(n, "mapping")["mapping"], r.element)
		}
	}
	if n := root["sflow"]; n != nil { // ports of tunnels are known without
		r.each(r.object(n, "mapping", "ports")["mapping"], r.bits)
	}
	return r.Mapping, errors.Join(r.problems...)
}

func (r *reader) wrong(n *yaml.Node, format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf("line %d: %s", n.Line, fmt.Sprintf(format, args...)))
}

// object returns the values of a mapping by their keys, which must be among those.
func (r *reader) object(n *yaml.Node, keys ...string) map[string]*yaml.Node {
	values := map[string]*yaml.Node{}
	if n.Kind != yaml.MappingNode {
		r.wrong(n, "want a mapping of %q", keys)
		return values
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if !slices.Contains(keys, key.Value) {
			r.wrong(key, "%q is not among %q", key.Value, keys)
		}
		values[key.Value] = n.Content[i+1]
	}
	return values
}

func (r *reader) each(n *yaml.Node, read func(*yaml.Node)) {
	switch {
	case n == nil:
	case n.Kind != yaml.SequenceNode:
		r.wrong(n, "want a list")
	default:
		for _, item := range n.Content {
			read(item)
		}
	}
}

// number reads a value of at most bits; where it is missing, or wrong, it is 0 and not ok.
func (r *reader) number(n *yaml.Node, bits int) (v uint64, ok bool) {
	if n == nil {
		return 0, false
	}
	v, err := strconv.ParseUint(n.Value, 0, bits)
	if err != nil || n.Kind != yaml.ScalarNode {
		r.wrong(n, "%q is not a number of %d bits", n.Value, bits)
		return 0, false
	}
	return v, true
}

// formatter takes the names that are declared. Those that fields have already need no column.
func (r *reader) formatter(n *yaml.Node) {
	r.each(r.object(n, "fields", "key", "protobuf", "render", "rename")["protobuf"], func(n *yaml.Node) {
		name := r.object(n, "name", "index", "type", "array")["name"]
		if name == nil {
			r.wrong(n, "want a name")
			return
		}
		if _, ok := fieldOf(name.Value); ok {
			return
		}
		if len(r.custom) == len(customs) {
			r.wrong(name, "%q: there are only %d custom columns", name.Value, len(customs))
			return
		}
		r.custom[name.Value] = customs[len(r.custom)]
	})
}

// element reads a line of ipfix.mapping or netflowv9.mapping. They hold for both protocols.
func (r *reader) element(n *yaml.Node) {
	keys := r.object(n, "field", "pen", "penprovided", "destination", "endian", "endianness")
	r.truth(keys["penprovided"])
	id, ok := r.number(keys["field"], 16)
	if !ok {
		r.wrong(n, "want the number of an element: field")
		return
	}
	pen, _ := r.number(keys["pen"], 32)
	f, ok := r.destination(n, keys["destination"])
	if !ok {
		return
	}
	e := ie.Element{PEN: uint32(pen), ID: uint16(id)} //nolint:gosec // of so many bits
	for _, u := range ie.Custom(f, r.little(keys["endianness"])) {
		if !slices.Contains(r.Elements[e], u) { // the two sections may say the same
			r.Elements[e] = append(r.Elements[e], u)
		}
	}
}

// little reads an order of octets; GoFlow2 does not look at endian either.
func (r *reader) little(n *yaml.Node) bool {
	if n != nil && n.Value != "big" && n.Value != "little" {
		r.wrong(n, "%q is not big or little", n.Value)
	}
	return n != nil && n.Value == "little"
}

func (r *reader) truth(n *yaml.Node) bool {
	if n != nil && n.Value != "true" && n.Value != "false" {
		r.wrong(n, "%q is not true or false", n.Value)
	}
	return n != nil && n.Value == "true"
}

// bits reads a line of sflow.mapping. It holds for packets in NetFlow and IPFIX too.
func (r *reader) bits(n *yaml.Node) {
	keys := r.object(n, "layer", "encap", "offset", "length", "destination", "endian", "endianness")
	f, ok := r.destination(n, keys["destination"])
	tunnelled, little := r.truth(keys["encap"]), r.little(keys["endianness"])
	offset, hasOffset := r.number(keys["offset"], 16)
	length, hasLength := r.number(keys["length"], 16)
	switch {
	case !ok:
		return
	case keys["layer"] == nil, !hasOffset, !hasLength:
		r.wrong(n, "want layer, offset and length in bits, and destination")
		return
	case length == 0 || length > maxBits || offset%8+length > maxBits:
		r.wrong(keys["length"], "%d bits from bit %d on: want 1 to %d within 8 octets", length, offset, maxBits)
		return
	case little && length%8 != 0:
		r.wrong(keys["length"], "%d bits are no octets, that could have an order", length)
		return
	case f.Info().Kind != flow.Number:
		r.wrong(keys["destination"], "%s is no number", f)
		return
	}
	layers := packet.LayersOf(keys["layer"].Value)
	if len(layers) == 0 {
		r.wrong(keys["layer"], "%q is not among %q", keys["layer"].Value, packet.LayerNames())
	}
	for _, layer := range layers {
		x := packet.Bits{Layer: layer, Offset: int(offset), Length: int(length), Field: f, Inner: tunnelled, Little: little} //nolint:gosec // of 16 bits
		r.Bits = append(r.Bits, x)
	}
}

// destination reads what is filled.
func (r *reader) destination(line, n *yaml.Node) (flow.Field, bool) {
	if n == nil {
		r.wrong(line, "want a destination")
		return 0, false
	}
	if f, ok := r.custom[n.Value]; ok {
		return f, true
	}
	f, ok := fieldOf(n.Value)
	switch {
	case !ok:
		r.wrong(n, "%q is neither a field nor declared in formatter.protobuf", n.Value)
	case slices.Contains(reserved, f):
		r.wrong(n, "%q is not for a mapping to fill", n.Value)
		ok = false
	}
	return f, ok
}
