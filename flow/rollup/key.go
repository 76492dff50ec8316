// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/weirflow/weir/flow"
)

// Key is something that flows are summed by.
type Key struct {
	Name   string // of the column
	Type   string // of the column in ClickHouse
	Kind   flow.Kind
	Width  int // octets
	Source Source
	Field  flow.Field // for FromField
	Prefix Prefix     // for addresses
}

// Source says where the value of a key comes from.
type Source uint8

const (
	// FromField is the value of a field, or the prefix of an address.
	FromField Source = iota
	// ServicePort is the lower one of both ports.
	ServicePort
	// Interface is the input interface and, in a row of its own, the output interface.
	Interface
	// Host is the source address and, in a row of its own, the destination address.
	Host
	// Direction tells these rows apart: 0 input or source, 1 output or destination.
	Direction
)

// Prefix cuts an address. The zero Prefix leaves it whole.
type Prefix struct {
	Set    bool
	V4, V6 int  // bits that stay
	ByMask bool // the bits that the exporter says stay: see MaskOf
}

// derived are the keys that are no fields.
var derived = map[string]Key{
	"service_port": {Name: "service_port", Type: "UInt16", Kind: flow.Number, Width: 2, Source: ServicePort},
	"host":         {Name: "host", Type: "IPv6", Kind: flow.Address, Width: 16, Source: Host},
	"interface":    {Name: "interface", Type: "UInt32", Kind: flow.Number, Width: 4, Source: Interface},
	"direction":    {Name: "direction", Type: "UInt8", Kind: flow.Number, Width: 1, Source: Direction},
}

var keyForm = regexp.MustCompile(`^(\w+)(?:/(?:(mask)|(\d{1,3})/(\d{1,3})))?$`)

// ParseKey reads a key:
//
//	src_origin_as      any field of a flow that is a number, a text or an address
//	src_addr/24/48     the first 24 bits of an IPv4 address, the first 48 of an IPv6 address
//	src_addr/mask      the bits that the exporter's src_net says (dst_addr: dst_net)
//	service_port       the lower one of src_port and dst_port
//	interface, direction
//	                   each flow in two rows: in_if and 0, out_if and 1
//	host, direction    each flow in two rows: src_addr and 0, dst_addr and 1
func ParseKey(text string) (Key, error) {
	if k, ok := derived[text]; ok {
		return k, nil
	}
	parts := keyForm.FindStringSubmatch(text)
	if parts == nil {
		return Key{}, fmt.Errorf("%q is not a field, nor a prefix such as src_addr/24/48 or src_addr/mask", text)
	}
	f, ok := field(parts[1])
	if !ok {
		return Key{}, fmt.Errorf("%q: there is no field %s", text, parts[1])
	}
	info := f.Info()
	k := Key{Name: info.Name, Type: info.Type, Kind: info.Kind, Width: info.Width, Field: f}
	if k.Kind == flow.Numbers || k.Kind == flow.Addresses {
		return Key{}, fmt.Errorf("%q: a list is no key", text)
	}
	if parts[1] == text {
		return k, nil
	}
	if k.Kind != flow.Address {
		return Key{}, fmt.Errorf("%q: %s is no address", text, parts[1])
	}
	k.Prefix.Set = true
	if parts[2] == "mask" {
		if MaskOf(f) == 0 {
			return Key{}, fmt.Errorf("%q: exporters tell the mask of src_addr and dst_addr only", text)
		}
		k.Prefix.ByMask = true
		return k, nil
	}
	k.Prefix.V4, _ = strconv.Atoi(parts[3])
	k.Prefix.V6, _ = strconv.Atoi(parts[4])
	if k.Prefix.V4 > 32 || k.Prefix.V6 > 128 {
		return Key{}, fmt.Errorf("%q: an address has 32 or 128 bits", text)
	}
	return k, nil
}

// MaskOf returns the field in which exporters tell the mask of an address, 0 if they don't.
func MaskOf(address flow.Field) flow.Field {
	switch address {
	case flow.SrcAddr:
		return flow.SrcNet
	case flow.DstAddr:
		return flow.DstNet
	default:
		return 0
	}
}

// field finds a field by its name.
func field(name string) (flow.Field, bool) {
	for f := range flow.Fields() {
		if f.Info().Name == name {
			return f, true
		}
	}
	return 0, false
}
