// SPDX-License-Identifier: Apache-2.0

package rollup

import "time"

// Builtin returns the rollups that are there without being configured. Their tables are
// made by migrations.
func Builtin() []Rollup {
	const minute = time.Minute
	who := []string{
		"sampler_address", "in_if", "out_if", "src_origin_as", "dst_origin_as", "src_country", "dst_country",
		"src_net_name", "dst_net_name", "etype", "proto", "forwarding_status",
	}
	return []Rollup{
		{Name: "flows_1m", Window: minute, Keys: who},
		{Name: "flows_5m", Window: 5 * minute, Keys: who},
		{Name: "flows_1h", Window: 60 * minute, Keys: who},
		{Name: "hosts_5m", Window: 5 * minute, Keys: []string{"src_addr"}, Top: 1000},
		{Name: "receivers_5m", Window: 5 * minute, Keys: []string{"dst_addr"}, Top: 1000},
		{Name: "services_5m", Window: 5 * minute, Keys: []string{"proto", "service_port"}, Top: 1000},
		{
			Name: "interfaces_1m", Window: minute, Keys: []string{"sampler_address", "interface", "direction"},
			Measures: append(StandardMeasures(), "max(interface_speed)", "skewed_flows"),
		},
	}
}
