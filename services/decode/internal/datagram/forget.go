// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"bytes"

	"github.com/weirflow/weir/flow"
)

// ForgetOrder returns the payload of a datagram that makes a Decoder forget what its exporter told.
// No exporter can send it: ingest takes datagrams of known versions only.
func ForgetOrder() []byte { return []byte("\xff\xffforget") }

// follows tells whether a datagram is an order to forget its exporter, and does so.
func (d *Decoder) follows(g *flow.Datagram) bool {
	if !bytes.Equal(g.Payload, ForgetOrder()) {
		return false
	}
	if x, ok := d.exporters[g.Exporter]; ok {
		x.state.Forget()
		d.changed[g.Exporter] = x.state
		delete(d.exporters, g.Exporter)
	}
	return true
}
