// SPDX-License-Identifier: Apache-2.0

package traffic

import "net/netip"

// output is where an exporter's datagrams go.
type output interface {
	add(data []byte) // which stays as it is until flush
	flush() error
	close()
}

// delivery hands datagrams over within the process.
type delivery struct {
	exporter netip.Addr
	deliver  func(netip.Addr, []byte) error
	waiting  [][]byte
}

func (d *delivery) add(data []byte) { d.waiting = append(d.waiting, data) }

func (d *delivery) flush() error {
	defer func() { d.waiting = d.waiting[:0] }()
	for _, data := range d.waiting {
		if err := d.deliver(d.exporter, data); err != nil {
			return err
		}
	}
	return nil
}

func (d *delivery) close() {}
