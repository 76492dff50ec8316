// SPDX-License-Identifier: Apache-2.0

package datagram

import "github.com/weirflow/weir/flow"

// Collect has the counters that sFlow agents export added to c; nil leaves them out.
func (d *Decoder) Collect(c *flow.Counters) { d.sflow.Counters = c }
