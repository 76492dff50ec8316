// SPDX-License-Identifier: Apache-2.0

package row

// Domain returns the protocol of the message, as flow.Type, and its observation domain.
func (w *Writer) Domain() (protocol, domain uint64) { return w.kind.Number(), w.domain }
