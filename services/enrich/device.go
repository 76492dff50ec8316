// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"sync"
	"sync/atomic"

	"github.com/weirflow/weir/services/enrich/internal/snmp"
)

// devices is what exporters told by SNMP. It is safe for concurrent use.
type devices struct {
	version atomic.Uint64 // changes with what is in it

	mu     sync.RWMutex
	byAddr map[[16]byte]*snmp.Device
}

func newDevices() *devices { return &devices{byAddr: map[[16]byte]*snmp.Device{}} }

// of returns what is known of an exporter, a Device without values if that is nothing. It must
// not be changed.
func (d *devices) of(exporter [16]byte) *snmp.Device {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if device := d.byAddr[exporter]; device != nil {
		return device
	}
	return &snmp.Device{}
}

// put takes over what an exporter told.
func (d *devices) put(exporter [16]byte, device *snmp.Device) {
	d.mu.Lock()
	d.byAddr[exporter] = device
	d.mu.Unlock()
	d.version.Add(1)
}
