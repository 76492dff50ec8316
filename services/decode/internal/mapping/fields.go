// SPDX-License-Identifier: Apache-2.0

package mapping

import "github.com/weirflow/weir/flow"

var customs = []flow.Field{flow.Custom1, flow.Custom2, flow.Custom3, flow.Custom4}

// reserved are the fields that datagrams have in common, and those that decode works out.
var reserved = []flow.Field{
	flow.Type, flow.TimeReceivedNs, flow.TimeFlowStartNs, flow.TimeFlowEndNs, flow.SequenceNum, flow.SamplerAddress,
	flow.ObservationDomainID, flow.Quality, flow.LayerStack, flow.LayerSize,
}

// fieldOf returns the field of a name, ours or GoFlow2's.
func fieldOf(name string) (flow.Field, bool) {
	f, ok := byName[name]
	return f, ok
}

var byName = func() map[string]flow.Field {
	names := map[string]flow.Field{"bi_flow_direction": flow.BiflowDirection}
	for f := range flow.Fields() {
		names[f.Info().Name] = f
	}
	return names
}()
