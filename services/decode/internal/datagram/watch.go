// SPDX-License-Identifier: Apache-2.0

package datagram

import "net/netip"

// Watch has unknown called with each data set of NetFlow v9 and IPFIX that lacks its template:
// the header of its message, its id and its records. They are valid during the call.
func (d *Decoder) Watch(unknown func(header []byte, id uint16, records []byte)) {
	d.ipfix.Unknown = unknown
}

// Knows tells whether an exporter has told of a template.
func (d *Decoder) Knows(exporter netip.Addr, version uint16, domain uint32, id uint16) bool {
	x := d.exporters[exporter]
	if x == nil {
		return false
	}
	told := x.state.Domain(version, domain)
	return told != nil && told.Template(id) != nil
}
