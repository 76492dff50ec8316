// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"time"

	"github.com/weirflow/weir/flow"
)

// rollup describes sums of flows: what they are summed by, and what is summed.
type rollup struct {
	name     string // and that of its table
	window   time.Duration
	lateness time.Duration // how far event times may be out of order before a window closes
	keys     []flow.Field  // of kind Number
	measures []measure
}

// measure is a sum.
type measure struct {
	name  string
	kind  kind
	field flow.Field // unused for countFlows
}

// kind is what of a flow goes into a sum.
type kind uint8

const (
	// sum adds the field, spread over the windows that the flow overlaps.
	sum kind = iota
	// sumScaled is sum times the sampling interval; an unknown one (0) counts as 1.
	sumScaled
	// countFlows adds 1, in the window of the flow's end.
	countFlows
)

// flows5m is the built-in rollup, with GoFlow's published meaning: windows of 5 minutes,
// and 2 minutes more for what comes late.
func flows5m(cfg Config) rollup {
	return rollup{
		name: "flows_5m", window: cfg.Window, lateness: cfg.AllowedLateness,
		keys: []flow.Field{flow.SrcOriginAS, flow.DstOriginAS, flow.EType, flow.Proto},
		measures: []measure{
			{"bytes", sum, flow.Bytes},
			{"packets", sum, flow.Packets},
			{"flows", countFlows, 0},
			{"bytes_scaled", sumScaled, flow.Bytes},
			{"packets_scaled", sumScaled, flow.Packets},
		},
	}
}
