// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// Measure is something that is summed up, or whose extreme is kept.
type Measure struct {
	Name   string // of the column
	Type   string // of the values in ClickHouse
	Of     Of
	Field  flow.Field // unused for Flows and Skewed
	Side   bool       // max(interface_speed): Field is of the input, Output of the output
	Output flow.Field
}

// Of says what of a flow a measure takes.
type Of uint8

const (
	// Sum adds the field, spread over the windows that the flow overlaps.
	Sum Of = iota
	// Scaled is Sum times the sampling interval; an unknown one (0) counts as 1.
	Scaled
	// Flows counts 1, in the window of the flow's end.
	Flows
	// Skewed counts flows whose exporter's clock was not believed, like Flows.
	Skewed
	// Max keeps the greatest value, in every window that the flow has a part in.
	Max
	// Min keeps the least.
	Min
)

// Combine returns how two partial values become one.
func (m Measure) Combine() weirv1.Combine {
	switch m.Of {
	case Max:
		return weirv1.Combine_COMBINE_MAX
	case Min:
		return weirv1.Combine_COMBINE_MIN
	default:
		return weirv1.Combine_COMBINE_SUM
	}
}

var extreme = regexp.MustCompile(`^(max|min)\((\w+)\)$`)

// ParseMeasure reads a measure:
//
//	bytes, packets                as exported
//	bytes_scaled, packets_scaled  times the sampling interval
//	flows                         how many ended in the window
//	skewed_flows                  how many of these have times that were not believed
//	max(field), min(field)        of any field that is a number; the column is max_field
//	max(interface_speed)          of the interface of the row
func ParseMeasure(text string) (Measure, error) {
	switch text {
	case "bytes", "bytes_scaled":
		return sum(text, flow.Bytes), nil
	case "packets", "packets_scaled":
		return sum(text, flow.Packets), nil
	case "flows":
		return Measure{Name: text, Type: "UInt64", Of: Flows}, nil
	case "skewed_flows":
		return Measure{Name: text, Type: "UInt64", Of: Skewed}, nil
	case "max(interface_speed)":
		return Measure{Name: "interface_speed", Type: "UInt64", Of: Max, Side: true, Field: flow.InIfSpeed, Output: flow.OutIfSpeed}, nil
	}
	parts := extreme.FindStringSubmatch(text)
	if parts == nil {
		return Measure{}, fmt.Errorf("%q is none of %s, skewed_flows, max(field), min(field)", text, strings.Join(StandardMeasures(), ", "))
	}
	f, ok := field(parts[2])
	if !ok || f.Info().Kind != flow.Number {
		return Measure{}, fmt.Errorf("%q: %s is no field that is a number", text, parts[2])
	}
	m := Measure{Name: parts[1] + "_" + parts[2], Type: f.Info().Type, Of: Max, Field: f}
	if parts[1] == "min" {
		m.Of = Min
	}
	return m, nil
}

func sum(name string, f flow.Field) Measure {
	m := Measure{Name: name, Type: "UInt64", Field: f}
	if strings.HasSuffix(name, "_scaled") {
		m.Of = Scaled
	}
	return m
}
