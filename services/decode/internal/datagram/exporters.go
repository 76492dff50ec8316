// SPDX-License-Identifier: Apache-2.0

package datagram

import (
	"net/netip"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// exporter is what is known of an exporter.
type exporter struct {
	state *template.Exporter
	// lastNs is when its last datagram came, 0 for none since the state was restored.
	lastNs uint64
}

const (
	// forgetEvery bounds how often idle exporters are looked for, ns.
	forgetEvery = 60 * 1_000_000_000
	// reserve is how many octets should be left for those that are not idle.
	reserve = 1 << 16
)

// exporter returns what is known of a datagram's exporter, nil where there is no room for it.
func (d *Decoder) exporter(g *flow.Datagram) *template.Exporter {
	d.forget(g.ReceivedNs)
	x, ok := d.exporters[g.Exporter]
	if !ok {
		if x = d.admit(); x == nil {
			return nil
		}
		d.exporters[g.Exporter] = x
	}
	x.lastNs = max(x.lastNs, g.ReceivedNs)
	x.state.At(g.ReceivedNs)
	return x.state
}

// admit returns a new exporter, nil where there is no room for it.
func (d *Decoder) admit() *exporter {
	if len(d.exporters) >= d.limits.Exporters {
		return nil
	}
	state := template.New(d.limits.Templates, d.budget)
	if state == nil {
		return nil
	}
	return &exporter{state: state}
}

// known returns what is known of an exporter, nil for one that is not kept.
func (d *Decoder) known(a netip.Addr) *template.Exporter {
	if x := d.exporters[a]; x != nil {
		return x.state
	}
	return nil
}

// forget makes room where there is little: it drops what is known of idle exporters. One that
// comes back is new.
func (d *Decoder) forget(now uint64) {
	roomy := len(d.exporters) < d.limits.Exporters && d.budget.Left >= reserve
	if roomy || now < d.forgetNs {
		return
	}
	d.forgetNs = now + forgetEvery
	for a, x := range d.exporters {
		switch {
		case x.lastNs == 0: // restored: it has its time from now on
			x.lastNs = now
		case now > x.lastNs && now-x.lastNs > d.limits.IdleNs:
			x.state.Forget()
			d.changed[a] = x.state
			delete(d.exporters, a)
		}
	}
}

// Save calls put with the state of each exporter that told something new, until put fails.
func (d *Decoder) Save(put func(exporter netip.Addr, state []byte) error) error {
	for a, x := range d.changed {
		if err := put(a, x.Append(nil)); err != nil {
			return err
		}
		delete(d.changed, a)
	}
	return nil
}

// Restore takes over the state of an exporter that Save has given.
func (d *Decoder) Restore(a netip.Addr, state []byte) error {
	x, err := template.Load(state, d.limits.Templates, d.budget)
	if err != nil {
		return err
	}
	if x.Empty() {
		x.Forget()
		return nil
	}
	d.exporters[a] = &exporter{state: x}
	return nil
}
