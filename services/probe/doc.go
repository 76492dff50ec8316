// SPDX-License-Identifier: Apache-2.0

// Package probe measures packets and exports flows, for a host or a mirror port without
// NetFlow of its own.
//
//	interfaces, pcap files ──▶ selectors ──▶ caches ──▶ NetFlow v1, v5, v9, IPFIX ──▶ collectors
//	                               └──────────────────▶ sFlow v5 ─────────────────▶
//
// It is configured by a few settings or by the data model of RFC 6728. What can't be sent
// is counted and lost, as flow export is; packets that the kernel drops are counted too.
// At the end all flows are exported.
package probe
