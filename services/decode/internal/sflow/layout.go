// SPDX-License-Identifier: Apache-2.0

package sflow

import (
	"encoding/binary"
	"slices"

	"github.com/weirflow/weir/flow"
)

// Counter record formats of enterprise 0 that are no row of numbers alone.
const (
	transceiver     = 10
	portName        = 1005
	hostDescription = 2000
	hostAdapters    = 2001
)

// layout is a counter record: its fields are columns of a table, in their order and with their
// widths.
type layout struct {
	table       flow.CounterTable
	first, last int // columns
	least       int // the last column that every agent sends; those behind it may be missing
	macs        int // so many fields are MAC addresses, padded to 8 octets
}

// counterLayouts are the counter records by format. The structures are of sFlow v5, section 5.4,
// and of sflow.org's "LAG Counters", "Host Structures", "Application Structures", "OpenFlow
// Structures" and Open vSwitch's ovs_dp_stats.
var counterLayouts = map[uint32]layout{
	1:    columns(flow.InterfaceCounters, "if_index", "promiscuous_mode"),
	2:    columns(flow.InterfaceCounters, "alignment_errors", "symbol_errors"),
	5:    columns(flow.VLANCounters, "vlan_id", "discards"),
	7:    columns(flow.InterfaceCounters, "lag_actor_system_id", "lag_marker_response_pdus_tx").addresses(2),
	1001: columns(flow.HostCounters, "processor_5s", "processor_memory_free"),
	1004: columns(flow.InterfaceCounters, "openflow_datapath_id", "openflow_port"),
	2002: columns(flow.HostCounters, "parent_type", "parent_index"),
	2003: columns(flow.HostCounters, "load_one", "cpu_guest_nice").from("context_switches"),
	2004: columns(flow.HostCounters, "memory_total", "swap_out"),
	2005: columns(flow.HostCounters, "disk_total", "disk_write_time"),
	2006: columns(flow.HostCounters, "net_bytes_in", "net_drops_out"),
	2100: columns(flow.HostCounters, "hypervisor_mhz", "hypervisor_domains"),
	2101: columns(flow.HostCounters, "virtual_state", "virtual_cpus"),
	2102: columns(flow.HostCounters, "virtual_memory", "virtual_memory_max"),
	2103: columns(flow.HostCounters, "virtual_disk_capacity", "virtual_disk_errors"),
	2104: columns(flow.HostCounters, "virtual_net_bytes_in", "virtual_net_drops_out"),
	2203: columns(flow.HostCounters, "app_user_time", "app_connections_max"),
	2207: columns(flow.HostCounters, "ovs_hits", "ovs_masks"),
}

// transceiverLayouts are the two parts of a record of a transceiver (sflow.org, "Optical Interface
// Structures"): it, and each of its lanes.
func transceiverLayouts() (module, lane layout) {
	return columns(flow.OpticalCounters, "module_id", "temperature"), columns(flow.OpticalCounters, "lane", "rx_wavelength")
}

func columns(t flow.CounterTable, first, last string) layout {
	return layout{table: t, first: t.Column(first), last: t.Column(last), least: t.Column(last)}
}

// CounterFormats are the formats of counter records that are read, in order.
func CounterFormats() []uint32 {
	all := []uint32{transceiver, portName, hostDescription, hostAdapters}
	for format := range counterLayouts {
		all = append(all, format)
	}
	slices.Sort(all)
	return all
}

// CounterColumns returns which columns of which table a counter record fills, in the order of its
// fields, but for those that some agents leave out. A record of texts has none.
func CounterColumns(format uint32) (flow.CounterTable, []flow.Info) {
	l, ok := counterLayouts[format]
	if !ok {
		return 0, nil
	}
	return l.table, l.table.Columns()[l.first : l.least+1]
}

// from says that some agents leave out the columns behind least.
func (l layout) from(least string) layout {
	l.least = l.table.Column(least)
	return l
}

// addresses says that the first fields are MAC addresses.
func (l layout) addresses(macs int) layout {
	l.macs = macs
	return l
}

// counterRow is a row that the records of a sample fill.
type counterRow struct {
	table flow.CounterTable
	row   flow.CounterRow
	used  bool
}

// begin starts a row of a sample.
func (c *counterRow) begin(d *Decoder, s source) {
	c.row.Reset()
	c.used = false
	exporter, receivedNs := d.w.Origin()
	// The first columns of every table, in their order.
	c.row.SetNumber(0, receivedNs)
	c.row.SetAddress(1, exporter)
	for i, v := range [...]uint32{d.agent.subAgent, s.number, d.agent.uptimeMs, s.kind, s.index} {
		c.row.SetNumber(2+i, uint64(v))
	}
}

// end adds the row, if a record of the sample was for it.
func (c *counterRow) end(to *flow.Counters) {
	if c.used && to != nil {
		to.Append(c.table, &c.row)
	}
}

func (c *counterRow) setNumber(column string, v uint64) {
	c.row.SetNumber(c.table.Column(column), v)
	c.used = true
}

func (c *counterRow) setText(column, v string) {
	c.row.SetText(c.table.Column(column), v)
	c.used = true
}

// nameIndex sets the interface where no record says it, but the source is one.
func (c *counterRow) nameIndex(s source) {
	if c.used && s.kind == sourceInterface && c.row.Number(c.table.Column("if_index")) == 0 {
		c.setNumber("if_index", uint64(s.index))
	}
}

// read takes the fields of a record in; false says that it is too short.
func (c *counterRow) read(l layout, p []byte) bool {
	for i, info := range c.table.Columns()[l.first : l.last+1] {
		if len(p) < info.Width {
			return l.first+i > l.least
		}
		var v uint64
		switch info.Width {
		case 1:
			v = uint64(p[0])
		case 4:
			v = uint64(binary.BigEndian.Uint32(p))
		default:
			v = binary.BigEndian.Uint64(p)
		}
		if i < l.macs {
			v >>= 16
		}
		c.row.SetNumber(l.first+i, v)
		c.used = true
		p = p[info.Width:]
	}
	return true
}
