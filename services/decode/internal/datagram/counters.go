// SPDX-License-Identifier: Apache-2.0

package datagram

import "github.com/weirflow/weir/flow"

// Collect has what exporters count added to c, in samples of sFlow and in options data of NetFlow v9
// and IPFIX; nil leaves it out.
func (d *Decoder) Collect(c *flow.Counters) {
	d.sflow.Counters, d.ipfix.Statistics.Counters, d.rows.Book.Counters = c, c, c
}
