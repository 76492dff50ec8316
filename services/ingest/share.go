// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"sync/atomic"

	"github.com/weirflow/weir/flow"
)

// memory is what exporters share for datagrams that JetStream has not stored yet. Three quarters
// are for whoever comes first. The rest is kept for those that use little: each exporter may use
// its share of it, whatever a louder one has filled.
type memory struct {
	limit   int64
	used    atomic.Int64
	holders atomic.Int64 // exporters that use some
}

const reserved = 4 // one in so many parts

// admits tells whether an exporter may use as much more.
func (m *memory) admits(e *exporter, octets int64) bool {
	if m.used.Load()+octets <= m.limit-m.limit/reserved {
		return true
	}
	own, holders := e.pending.Load(), m.holders.Load()
	if own == 0 {
		holders++
	}
	return own+octets <= m.limit/reserved/holders
}

// take notes that an exporter uses as much more, or less.
func (m *memory) take(e *exporter, octets int64) {
	m.used.Add(octets)
	now := e.pending.Add(octets)
	switch {
	case octets > 0 && now == octets:
		m.holders.Add(1)
	case octets < 0 && now == 0:
		m.holders.Add(-1)
	}
}

// octetsOf is what a datagram uses.
func octetsOf(d *flow.Datagram) int64 { return int64(len(d.Payload) + rowBytes) }

// use is what one exporter uses of a batch.
type use struct {
	exporter *exporter
	octets   int64
}

// usesOf returns what exporters use of a batch. Datagrams of one come in runs.
func (t *exporters) usesOf(d *flow.Datagrams) (uses []use) {
	for g := range d.All() {
		e := t.get(g.Exporter)
		if n := len(uses); n == 0 || uses[n-1].exporter != e {
			uses = append(uses, use{exporter: e})
		}
		uses[len(uses)-1].octets += octetsOf(g)
	}
	return uses
}
