// SPDX-License-Identifier: Apache-2.0

package explain

import "github.com/weirflow/weir/services/decode/internal/sflow"

// counterNames are what the specifications call the counter records.
var counterNames = map[uint32]string{
	1: "generic interface counters", 2: "ethernet interface counters", 5: "VLAN counters", 7: "LAG port counters", 10: "optical transceiver",
	1001: "processor counters", 1004: "OpenFlow port", 1005: "port name", 2000: "host description", 2001: "host adapters",
	2002: "host parent", 2003: "host CPU", 2004: "host memory", 2005: "host disk I/O", 2006: "host network I/O",
	2100: "virtual node", 2101: "virtual CPU", 2102: "virtual memory", 2103: "virtual disk I/O", 2104: "virtual network I/O",
	2203: "application resources", 2207: "Open vSwitch datapath",
}

// counterTexts are the columns of records that are no row of numbers.
var counterTexts = map[uint32][]string{
	10: {
		"optical_counters.module_id", "optical_counters.module_lanes", "optical_counters.supply_voltage", "optical_counters.temperature",
		"optical_counters.lane", "optical_counters.tx_bias_current", "optical_counters.tx_power", "optical_counters.tx_power_min",
		"optical_counters.tx_power_max", "optical_counters.tx_wavelength", "optical_counters.rx_power", "optical_counters.rx_power_min",
		"optical_counters.rx_power_max", "optical_counters.rx_wavelength",
	},
	1005: {"interface_counters.if_name"},
	2000: {
		"host_counters.host_name", "host_counters.uuid", "host_counters.machine_type", "host_counters.os_name",
		"host_counters.os_release",
	},
}

// counterRecords are what the decoder reads.
var counterRecords = func() map[uint32]recordFormat {
	records := map[uint32]recordFormat{}
	for _, format := range sflow.CounterFormats() {
		r := recordFormat{name: counterNames[format], rest: counterTexts[format]}
		table, columns := sflow.CounterColumns(format)
		for _, c := range columns {
			r.fields = append(r.fields, fixed{c.Name, c.Width, []string{table.Name() + "." + c.Name}})
		}
		records[format] = r
	}
	return records
}()
