// SPDX-License-Identifier: Apache-2.0

package flow

import "slices"

// CounterTable is a table of Counters: a section of weir.v1.CounterBatch, and a table in ClickHouse.
type CounterTable uint8

// Tables.
const (
	InterfaceCounters CounterTable = iota
	VLANCounters
	HostCounters
	ExporterHealth
	ExporterStatistics
	NumCounterTables = iota
)

// Name returns the table's name in the proto and in SQL.
func (t CounterTable) Name() string { return counterTables[t].name }

// Number returns the field number of the table's section.
func (t CounterTable) Number() int { return counterTables[t].number }

// Columns returns the columns of the table, which the caller must not change.
func (t CounterTable) Columns() []Info { return counterTables[t].columns }

// Column returns the place of a column, -1 where the table has none of that name.
func (t CounterTable) Column(name string) int {
	return slices.IndexFunc(counterTables[t].columns, func(c Info) bool { return c.Name == name })
}

type counterTableInfo struct {
	name    string
	number  int
	columns []Info
}

// counterTables has, like fields, all that is known of columns. Those that a record of sFlow fills
// stand in its order and have its widths, for decode reads records by them: more come at the end,
// with a line in counters.proto and a migration.
var counterTables = [NumCounterTables]counterTableInfo{
	InterfaceCounters:  {"interface_counters", 1, interfaceCounterColumns},
	VLANCounters:       {"vlan_counters", 2, vlanCounterColumns},
	HostCounters:       {"host_counters", 3, hostCounterColumns},
	ExporterHealth:     {"exporter_health", 4, exporterHealthColumns},
	ExporterStatistics: {"exporter_statistics", 5, exporterStatisticsColumns},
}

var interfaceCounterColumns = []Info{
	{"time_received_ns", 2, Number, 8, "DateTime64(9)", "Receive time of the datagram, Unix ns"},
	{"sampler_address", 3, Address, 16, "IPv6", "Agent, IPv4 mapped"},
	{"sub_agent_id", 4, Number, 4, "UInt32", "Sub-agent"},
	{"sequence_num", 5, Number, 4, "UInt32", "Sequence number of the counters sample"},
	{"uptime_ms", 6, Number, 4, "UInt32", "Time since the agent started, ms"},
	{"source_type", 7, Number, 4, "UInt32", "Kind of the data source: 0 ifIndex, 1 VLAN, 2 physical entity, 3 logical entity"},
	{"source_index", 8, Number, 4, "UInt32", "Data source within its kind"},
	{"if_index", 9, Number, 4, "UInt32", "ifIndex"},
	{"if_type", 10, Number, 4, "UInt32", "Kind of interface, IANAifType"},
	{"if_speed", 11, Number, 8, "UInt64", "Speed, bit/s"},
	{"if_direction", 12, Number, 4, "UInt32", "Duplex: 0 unknown, 1 full, 2 half, 3 in, 4 out"},
	{"if_status", 13, Number, 4, "UInt32", "Bit 0: administratively up, bit 1: operationally up"},
	{"in_octets", 14, Number, 8, "UInt64", "Octets in"},
	{"in_unicast_packets", 15, Number, 4, "UInt32", "Unicast packets in"},
	{"in_multicast_packets", 16, Number, 4, "UInt32", "Multicast packets in"},
	{"in_broadcast_packets", 17, Number, 4, "UInt32", "Broadcast packets in"},
	{"in_discards", 18, Number, 4, "UInt32", "Packets discarded at the input"},
	{"in_errors", 19, Number, 4, "UInt32", "Packets with errors at the input"},
	{"in_unknown_protocols", 20, Number, 4, "UInt32", "Packets of unknown protocols at the input"},
	{"out_octets", 21, Number, 8, "UInt64", "Octets out"},
	{"out_unicast_packets", 22, Number, 4, "UInt32", "Unicast packets out"},
	{"out_multicast_packets", 23, Number, 4, "UInt32", "Multicast packets out"},
	{"out_broadcast_packets", 24, Number, 4, "UInt32", "Broadcast packets out"},
	{"out_discards", 25, Number, 4, "UInt32", "Packets discarded at the output"},
	{"out_errors", 26, Number, 4, "UInt32", "Packets with errors at the output"},
	{"promiscuous_mode", 27, Number, 4, "UInt32", "1 where the interface is in promiscuous mode"},
	{"alignment_errors", 28, Number, 4, "UInt32", "Frames of no whole number of octets"},
	{"fcs_errors", 29, Number, 4, "UInt32", "Frames with a wrong check sequence"},
	{"single_collision_frames", 30, Number, 4, "UInt32", "Frames sent after one collision"},
	{"multiple_collision_frames", 31, Number, 4, "UInt32", "Frames sent after several collisions"},
	{"sqe_test_errors", 32, Number, 4, "UInt32", "Errors of the signal quality test"},
	{"deferred_transmissions", 33, Number, 4, "UInt32", "Frames whose first attempt was delayed"},
	{"late_collisions", 34, Number, 4, "UInt32", "Collisions later than 512 bit times"},
	{"excessive_collisions", 35, Number, 4, "UInt32", "Frames given up after collisions"},
	{"internal_mac_transmit_errors", 36, Number, 4, "UInt32", "Frames not sent because of an internal error"},
	{"carrier_sense_errors", 37, Number, 4, "UInt32", "Times that the carrier was lost"},
	{"frame_too_longs", 38, Number, 4, "UInt32", "Frames longer than permitted"},
	{"internal_mac_receive_errors", 39, Number, 4, "UInt32", "Frames not received because of an internal error"},
	{"symbol_errors", 40, Number, 4, "UInt32", "Times that a symbol was invalid"},
	{"lag_actor_system_id", 41, Number, 8, "UInt64", "MAC address of the system, IEEE 802.1AX, 48 bits"},
	{"lag_partner_system_id", 42, Number, 8, "UInt64", "MAC address of the partner's system, 48 bits"},
	{"lag_attached_id", 43, Number, 4, "UInt32", "ifIndex of the aggregator"},
	{"lag_actor_admin_state", 44, Number, 1, "UInt8", "State bits that the system is set to"},
	{"lag_actor_oper_state", 45, Number, 1, "UInt8", "State bits of the system"},
	{"lag_partner_admin_state", 46, Number, 1, "UInt8", "State bits that the partner is set to"},
	{"lag_partner_oper_state", 47, Number, 1, "UInt8", "State bits of the partner"},
	{"lag_lacpdus_rx", 48, Number, 4, "UInt32", "LACPDUs in"},
	{"lag_marker_pdus_rx", 49, Number, 4, "UInt32", "Marker PDUs in"},
	{"lag_marker_response_pdus_rx", 50, Number, 4, "UInt32", "Marker response PDUs in"},
	{"lag_unknown_rx", 51, Number, 4, "UInt32", "Slow protocol frames of unknown kind in"},
	{"lag_illegal_rx", 52, Number, 4, "UInt32", "Illegal slow protocol frames in"},
	{"lag_lacpdus_tx", 53, Number, 4, "UInt32", "LACPDUs out"},
	{"lag_marker_pdus_tx", 54, Number, 4, "UInt32", "Marker PDUs out"},
	{"lag_marker_response_pdus_tx", 55, Number, 4, "UInt32", "Marker response PDUs out"},
	{"openflow_datapath_id", 56, Number, 8, "UInt64", "OpenFlow datapath"},
	{"openflow_port", 57, Number, 4, "UInt32", "OpenFlow port"},
	{"if_name", 58, Text, 4, "LowCardinality(String)", "Name of the port"},
}

var vlanCounterColumns = []Info{
	{"time_received_ns", 2, Number, 8, "DateTime64(9)", "Receive time of the datagram, Unix ns"},
	{"sampler_address", 3, Address, 16, "IPv6", "Agent, IPv4 mapped"},
	{"sub_agent_id", 4, Number, 4, "UInt32", "Sub-agent"},
	{"sequence_num", 5, Number, 4, "UInt32", "Sequence number of the counters sample"},
	{"uptime_ms", 6, Number, 4, "UInt32", "Time since the agent started, ms"},
	{"source_type", 7, Number, 4, "UInt32", "Kind of the data source: 0 ifIndex, 1 VLAN, 2 physical entity, 3 logical entity"},
	{"source_index", 8, Number, 4, "UInt32", "Data source within its kind"},
	{"vlan_id", 9, Number, 4, "UInt32", "VLAN identifier"},
	{"octets", 10, Number, 8, "UInt64", "Octets"},
	{"unicast_packets", 11, Number, 4, "UInt32", "Unicast packets"},
	{"multicast_packets", 12, Number, 4, "UInt32", "Multicast packets"},
	{"broadcast_packets", 13, Number, 4, "UInt32", "Broadcast packets"},
	{"discards", 14, Number, 4, "UInt32", "Packets discarded"},
}

var hostCounterColumns = []Info{
	{"time_received_ns", 2, Number, 8, "DateTime64(9)", "Receive time of the datagram, Unix ns"},
	{"sampler_address", 3, Address, 16, "IPv6", "Agent, IPv4 mapped"},
	{"sub_agent_id", 4, Number, 4, "UInt32", "Sub-agent"},
	{"sequence_num", 5, Number, 4, "UInt32", "Sequence number of the counters sample"},
	{"uptime_ms", 6, Number, 4, "UInt32", "Time since the agent started, ms"},
	{"source_type", 7, Number, 4, "UInt32", "Kind of the data source: 0 ifIndex, 1 VLAN, 2 physical entity, 3 logical entity"},
	{"source_index", 8, Number, 4, "UInt32", "Data source within its kind"},
	{"host_name", 9, Text, 4, "LowCardinality(String)", "Name of the host"},
	{"uuid", 10, Text, 4, "LowCardinality(String)", "UUID of the host"},
	{"machine_type", 11, Number, 4, "UInt32", "Kind of processor, sFlow host structures"},
	{"os_name", 12, Number, 4, "UInt32", "Operating system, sFlow host structures"},
	{"os_release", 13, Text, 4, "LowCardinality(String)", "Release of the operating system"},
	{"parent_type", 14, Number, 4, "UInt32", "Kind of data source of the host that contains this one"},
	{"parent_index", 15, Number, 4, "UInt32", "Data source of the host that contains this one"},
	{"load_one", 16, Number, 4, "Float32", "Load of the last minute"},
	{"load_five", 17, Number, 4, "Float32", "Load of the last five minutes"},
	{"load_fifteen", 18, Number, 4, "Float32", "Load of the last fifteen minutes"},
	{"processes_running", 19, Number, 4, "UInt32", "Processes that run"},
	{"processes", 20, Number, 4, "UInt32", "Processes"},
	{"cpus", 21, Number, 4, "UInt32", "Processors"},
	{"cpu_speed", 22, Number, 4, "UInt32", "Speed of a processor, MHz"},
	{"host_uptime", 23, Number, 4, "UInt32", "Time since the host started, s"},
	{"cpu_user", 24, Number, 4, "UInt32", "Processor time in user mode, ms"},
	{"cpu_nice", 25, Number, 4, "UInt32", "Processor time of niced processes, ms"},
	{"cpu_system", 26, Number, 4, "UInt32", "Processor time in system mode, ms"},
	{"cpu_idle", 27, Number, 4, "UInt32", "Processor time idle, ms"},
	{"cpu_wait", 28, Number, 4, "UInt32", "Processor time waiting for I/O, ms"},
	{"cpu_interrupt", 29, Number, 4, "UInt32", "Processor time in interrupts, ms"},
	{"cpu_soft_interrupt", 30, Number, 4, "UInt32", "Processor time in soft interrupts, ms"},
	{"interrupts", 31, Number, 4, "UInt32", "Interrupts"},
	{"context_switches", 32, Number, 4, "UInt32", "Context switches"},
	{"cpu_steal", 33, Number, 4, "UInt32", "Processor time stolen by the hypervisor, ms"},
	{"cpu_guest", 34, Number, 4, "UInt32", "Processor time of guests, ms"},
	{"cpu_guest_nice", 35, Number, 4, "UInt32", "Processor time of niced guests, ms"},
	{"memory_total", 36, Number, 8, "UInt64", "Memory, octets"},
	{"memory_free", 37, Number, 8, "UInt64", "Free memory, octets"},
	{"memory_shared", 38, Number, 8, "UInt64", "Shared memory, octets"},
	{"memory_buffers", 39, Number, 8, "UInt64", "Memory of buffers, octets"},
	{"memory_cached", 40, Number, 8, "UInt64", "Memory of caches, octets"},
	{"swap_total", 41, Number, 8, "UInt64", "Swap, octets"},
	{"swap_free", 42, Number, 8, "UInt64", "Free swap, octets"},
	{"page_in", 43, Number, 4, "UInt32", "Pages in"},
	{"page_out", 44, Number, 4, "UInt32", "Pages out"},
	{"swap_in", 45, Number, 4, "UInt32", "Pages swapped in"},
	{"swap_out", 46, Number, 4, "UInt32", "Pages swapped out"},
	{"disk_total", 47, Number, 8, "UInt64", "Disks, octets"},
	{"disk_free", 48, Number, 8, "UInt64", "Free on disks, octets"},
	{"disk_partition_max_used", 49, Number, 4, "UInt32", "Use of the fullest partition, 0.01 %"},
	{"disk_reads", 50, Number, 4, "UInt32", "Reads"},
	{"disk_bytes_read", 51, Number, 8, "UInt64", "Octets read"},
	{"disk_read_time", 52, Number, 4, "UInt32", "Time of reading, ms"},
	{"disk_writes", 53, Number, 4, "UInt32", "Writes"},
	{"disk_bytes_written", 54, Number, 8, "UInt64", "Octets written"},
	{"disk_write_time", 55, Number, 4, "UInt32", "Time of writing, ms"},
	{"net_bytes_in", 56, Number, 8, "UInt64", "Octets in"},
	{"net_packets_in", 57, Number, 4, "UInt32", "Packets in"},
	{"net_errors_in", 58, Number, 4, "UInt32", "Errors in"},
	{"net_drops_in", 59, Number, 4, "UInt32", "Drops in"},
	{"net_bytes_out", 60, Number, 8, "UInt64", "Octets out"},
	{"net_packets_out", 61, Number, 4, "UInt32", "Packets out"},
	{"net_errors_out", 62, Number, 4, "UInt32", "Errors out"},
	{"net_drops_out", 63, Number, 4, "UInt32", "Drops out"},
	{"processor_5s", 64, Number, 4, "UInt32", "Load of a switch's processor, 5 s, 0.01 %"},
	{"processor_1m", 65, Number, 4, "UInt32", "Load of a switch's processor, 1 minute, 0.01 %"},
	{"processor_5m", 66, Number, 4, "UInt32", "Load of a switch's processor, 5 minutes, 0.01 %"},
	{"processor_memory_total", 67, Number, 8, "UInt64", "Memory of a switch, octets"},
	{"processor_memory_free", 68, Number, 8, "UInt64", "Free memory of a switch, octets"},
	{"hypervisor_mhz", 69, Number, 4, "UInt32", "Speed of a hypervisor's processor, MHz"},
	{"hypervisor_cpus", 70, Number, 4, "UInt32", "Processors of a hypervisor"},
	{"hypervisor_memory", 71, Number, 8, "UInt64", "Memory of a hypervisor, octets"},
	{"hypervisor_memory_free", 72, Number, 8, "UInt64", "Free memory of a hypervisor, octets"},
	{"hypervisor_domains", 73, Number, 4, "UInt32", "Virtual machines"},
	{"virtual_state", 74, Number, 4, "UInt32", "State of a virtual machine, virDomainState"},
	{"virtual_cpu_time", 75, Number, 4, "UInt32", "Processor time of a virtual machine, ms"},
	{"virtual_cpus", 76, Number, 4, "UInt32", "Processors of a virtual machine"},
	{"virtual_memory", 77, Number, 8, "UInt64", "Memory of a virtual machine, octets"},
	{"virtual_memory_max", 78, Number, 8, "UInt64", "Most memory of a virtual machine, octets"},
	{"virtual_disk_capacity", 79, Number, 8, "UInt64", "Disks of a virtual machine, octets"},
	{"virtual_disk_allocation", 80, Number, 8, "UInt64", "Allocated of them, octets"},
	{"virtual_disk_available", 81, Number, 8, "UInt64", "Free of them, octets"},
	{"virtual_disk_reads", 82, Number, 4, "UInt32", "Reads of a virtual machine"},
	{"virtual_disk_bytes_read", 83, Number, 8, "UInt64", "Octets read by a virtual machine"},
	{"virtual_disk_writes", 84, Number, 4, "UInt32", "Writes of a virtual machine"},
	{"virtual_disk_bytes_written", 85, Number, 8, "UInt64", "Octets written by a virtual machine"},
	{"virtual_disk_errors", 86, Number, 4, "UInt32", "Errors of disks of a virtual machine"},
	{"virtual_net_bytes_in", 87, Number, 8, "UInt64", "Octets in of a virtual machine"},
	{"virtual_net_packets_in", 88, Number, 4, "UInt32", "Packets in of a virtual machine"},
	{"virtual_net_errors_in", 89, Number, 4, "UInt32", "Errors in of a virtual machine"},
	{"virtual_net_drops_in", 90, Number, 4, "UInt32", "Drops in of a virtual machine"},
	{"virtual_net_bytes_out", 91, Number, 8, "UInt64", "Octets out of a virtual machine"},
	{"virtual_net_packets_out", 92, Number, 4, "UInt32", "Packets out of a virtual machine"},
	{"virtual_net_errors_out", 93, Number, 4, "UInt32", "Errors out of a virtual machine"},
	{"virtual_net_drops_out", 94, Number, 4, "UInt32", "Drops out of a virtual machine"},
	{"app_user_time", 95, Number, 4, "UInt32", "Processor time of an application in user mode, ms"},
	{"app_system_time", 96, Number, 4, "UInt32", "Processor time of an application in system mode, ms"},
	{"app_memory_used", 97, Number, 8, "UInt64", "Memory of an application, octets"},
	{"app_memory_max", 98, Number, 8, "UInt64", "Most memory of an application, octets"},
	{"app_files_open", 99, Number, 4, "UInt32", "Open files of an application"},
	{"app_files_max", 100, Number, 4, "UInt32", "Most open files of an application"},
	{"app_connections_open", 101, Number, 4, "UInt32", "Open connections of an application"},
	{"app_connections_max", 102, Number, 4, "UInt32", "Most open connections of an application"},
	{"ovs_hits", 103, Number, 4, "UInt32", "Packets that the Open vSwitch datapath knew"},
	{"ovs_misses", 104, Number, 4, "UInt32", "Packets that it asked for"},
	{"ovs_lost", 105, Number, 4, "UInt32", "Packets lost on the way to be asked for"},
	{"ovs_mask_hits", 106, Number, 4, "UInt32", "Masks that were looked at"},
	{"ovs_flows", 107, Number, 4, "UInt32", "Flows in the datapath"},
	{"ovs_masks", 108, Number, 4, "UInt32", "Masks in the datapath"},
}

var exporterHealthColumns = []Info{
	{"time", 2, Number, 4, "DateTime", "Minute of receipt, Unix s"},
	{"exporter", 3, Address, 16, "IPv6", "Exporter, IPv4 mapped"},
	{"protocol", 4, Number, 1, "UInt8", "Protocol, as type of a flow; 0 unknown"},
	{"domain", 5, Number, 4, "UInt32", "Observation domain, source id, sub-agent or engine"},
	{"datagrams", 6, Number, 8, "UInt64", "Datagrams, of IPFIX messages"},
	{"bytes", 7, Number, 8, "UInt64", "Octets of the datagrams"},
	{"records", 8, Number, 8, "UInt64", "Data records and flow samples"},
	{"flows", 9, Number, 8, "UInt64", "Flows that came of them"},
	{"gaps", 10, Number, 8, "UInt64", "Times that a sequence jumped ahead"},
	{"missing", 11, Number, 8, "Int64", "Units that the sequence lacks: flows, v9 and sFlow datagrams, IPFIX records"},
	{"missing_samples", 12, Number, 8, "Int64", "sFlow samples that their sequence lacks"},
	{"late", 13, Number, 8, "UInt64", "Datagrams behind their successors"},
	{"duplicates", 14, Number, 8, "UInt64", "Datagrams that came again"},
	{"resets", 15, Number, 8, "UInt64", "Times that a sequence began anew"},
	{"templates", 16, Number, 8, "UInt64", "Templates new or changed"},
	{"refused", 17, Number, 8, "UInt64", "What was left out, all reasons"},
	{"template_unknown", 18, Number, 8, "UInt64", "Data sets before their template"},
	{"held", 19, Number, 8, "UInt64", "Of these, those that were kept"},
	{"released", 20, Number, 8, "UInt64", "Kept sets that were decoded"},
	{"held_dropped", 21, Number, 8, "UInt64", "Kept sets that were given up"},
	{"late_flows", 22, Number, 8, "UInt64", "Flows that came of kept sets"},
	{"sampling_unknown", 23, Number, 8, "UInt64", "Flows without a known sampling interval"},
	{"time_skewed", 24, Number, 8, "UInt64", "Flows whose time was replaced"},
	{"clock_behind_ms", 25, Number, 4, "SimpleAggregateFunction(max, UInt32)", "Most that the export time was behind the receipt, ms"},
	{"clock_ahead_ms", 26, Number, 4, "SimpleAggregateFunction(max, UInt32)", "Most that the export time was ahead of the receipt, ms"},
	{"last_seen", 27, Number, 8, "SimpleAggregateFunction(max, DateTime64(9))", "Receipt of the last datagram, Unix ns"},
}

var exporterStatisticsColumns = []Info{
	{"time_received_ns", 2, Number, 8, "DateTime64(9)", "Receive time of the datagram, Unix ns"},
	{"sampler_address", 3, Address, 16, "IPv6", "Exporter, IPv4 mapped"},
	{"protocol", 4, Number, 1, "UInt8", "Protocol, as type of a flow: 3 NetFlow v9, 4 IPFIX"},
	{"observation_domain_id", 5, Number, 4, "UInt32", "Observation domain, source id"},
	{"line_card_id", 6, Number, 4, "UInt32", "Line card that the record is about, element 141"},
	{"metering_process_id", 7, Number, 4, "UInt32", "Metering process that the record is about, element 143"},
	{"exporting_process_id", 8, Number, 4, "UInt32", "Exporting process that the record is about, element 144"},
	{"template_id", 9, Number, 4, "UInt32", "Template that the record is about, element 145"},
	{"selector_id", 10, Number, 8, "UInt64", "Selector or sampler that the record is about, elements 302 and 48"},
	{"flow_active_timeout", 11, Number, 4, "UInt32", "After so many seconds flows that go on are exported, element 36"},
	{"flow_idle_timeout", 12, Number, 4, "UInt32", "After so many seconds without packets flows end, element 37"},
	{"exported_octets", 13, Number, 8, "UInt64", "Octets that were exported, element 40"},
	{"exported_messages", 14, Number, 8, "UInt64", "Messages that were exported, element 41"},
	{"exported_flow_records", 15, Number, 8, "UInt64", "Flow records that were exported, element 42"},
	{"observed_flows", 16, Number, 8, "UInt64", "Flows that were observed, element 163"},
	{"ignored_packets", 17, Number, 8, "UInt64", "Packets that were observed and not metered, element 164"},
	{"ignored_octets", 18, Number, 8, "UInt64", "Octets of these packets, element 165"},
	{"not_sent_flows", 19, Number, 8, "UInt64", "Flow records that were made and dropped before their export, element 166"},
	{"not_sent_packets", 20, Number, 8, "UInt64", "Packets of these flows, element 167"},
	{"not_sent_octets", 21, Number, 8, "UInt64", "Octets of these flows, element 168"},
	{"packets_observed", 22, Number, 8, "UInt64", "Packets that a selector saw, element 318"},
	{"packets_selected", 23, Number, 8, "UInt64", "Packets that a selector took, element 319"},
}
