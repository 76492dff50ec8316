// SPDX-License-Identifier: Apache-2.0

package template

import (
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/ie"
)

const (
	second      = 1_000_000_000 // ns
	millisecond = 1_000_000     // ns
	dayMs       = 86_400_000
	// maxUptime is how long an exporter may say it is up, ms: one that says more had no clock
	// when it started.
	maxUptime = 10 * 365 * dayMs
	// ntpOffset is 1970 in NTP's seconds.
	ntpOffset = 2_208_988_800
)

// time executes an op that tells a time.
func (o *op) time(b []byte, r *flow.Record, c *Context) {
	var ns uint64
	v := number(b)
	switch o.how {
	case ie.Seconds:
		ns = v * second
	case ie.Milliseconds:
		ns = v * millisecond
	case ie.NTPMicro:
		ns = ntp(v&^0x7ff, c.ExportNs) // the lowest bits are beyond its precision
	case ie.NTPNano:
		ns = ntp(v, c.ExportNs)
	case ie.Uptime:
		ns = c.uptime(uint32(v)) //nolint:gosec // 32 bits by definition
	case ie.MicrosecondsAgo:
		ns = c.ExportNs - v*1000
	case ie.DurationMilli:
		ns = duration(v*millisecond, r)
	case ie.DurationMicro:
		ns = duration(v*1000, r)
	case ie.SystemInit:
		c.initMs = v
	}
	o.stamp(ns, r)
}

// stamp sets a time. A stamp of 0 is none.
func (o *op) stamp(ns uint64, r *flow.Record) {
	if ns != 0 {
		r.SetNumber(o.field, ns)
	}
}

// duration returns the end of a flow that has a start but no end; 0 for others.
func duration(ns uint64, r *flow.Record) uint64 {
	if r.Has(flow.TimeFlowEndNs) || !r.Has(flow.TimeFlowStartNs) {
		return 0
	}
	return r.Number(flow.TimeFlowStartNs) + ns
}

// ntp converts an NTP time stamp, 0 for none, in the era that brings it nearest to the export time
// (RFC 7011 §6.1.9: the era changes in 2036).
func ntp(v, exportNs uint64) uint64 {
	if v == 0 {
		return 0
	}
	seconds := int64(v>>32) - ntpOffset //nolint:gosec // 32 bits
	const era = 1 << 32
	export := int64(exportNs / second) //nolint:gosec // seconds of this millennium
	seconds += (export - seconds + era/2) / era * era
	return uint64(seconds)*second + v&0xffffffff*second>>32 //nolint:gosec // not before 1970
}

// uptime converts a stamp in ms since the exporter started, which wraps after 49.7 days.
func (c *Context) uptime(stamp uint32) uint64 {
	if c.HasUptime {
		return UptimeToNs(stamp, c.UptimeMs, c.ExportNs)
	}
	init := c.initMs
	if init == 0 {
		init = c.Domain.InitMs()
	}
	if init == 0 {
		return 0
	}
	t, export := init+uint64(stamp), c.ExportNs/millisecond
	if export > t && export-init < maxUptime { // whole wraps that lie between, to the nearest
		t += (export - t + 1<<31) >> 32 << 32
	}
	return t * millisecond
}

// UptimeToNs converts a stamp in ms of uptime by the uptime at the export time. Up to a day
// after the export the stamp is ahead of it, otherwise before, whatever wrapped between.
func UptimeToNs(stamp, uptimeMs uint32, exportNs uint64) uint64 {
	ahead := stamp - uptimeMs
	if ahead <= dayMs {
		return exportNs + uint64(ahead)*millisecond
	}
	return exportNs - uint64(-ahead)*millisecond
}
