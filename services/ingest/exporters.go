// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
)

// other is the label of exporters beyond Config.MaxExporters and of senders that are none.
const other = "other"

// exporter is what is counted of one exporter, with its partition.
type exporter struct {
	partition int
	received  prometheus.Counter
	bytes     prometheus.Counter
	refused   *prometheus.CounterVec // reason
	pending   *atomic.Int64          // octets that are not stored yet
}

// exporters is the table of exporters seen. It is safe for concurrent use.
type exporters struct {
	m          *metrics
	partitions int
	max        int
	others     []exporter // of each partition: those beyond max

	mu    sync.RWMutex
	known map[netip.Addr]*exporter
}

func newExporters(m *metrics, partitions, limit int) *exporters {
	t := &exporters{m: m, partitions: partitions, max: limit, known: map[netip.Addr]*exporter{}}
	for p := range partitions {
		t.others = append(t.others, t.new(other, p))
	}
	return t
}

func (t *exporters) new(label string, partition int) exporter {
	return exporter{
		partition: partition,
		received:  t.m.received.WithLabelValues(label),
		bytes:     t.m.receivedBytes.WithLabelValues(label),
		refused:   t.m.refused.MustCurryWith(prometheus.Labels{"exporter": label}),
		pending:   new(atomic.Int64),
	}
}

// get returns the entry of addr and makes one while there is room.
func (t *exporters) get(addr netip.Addr) *exporter {
	if e := t.find(addr); e != nil {
		return e
	}
	p := bus.Partition(addr, t.partitions)
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.known[addr]; e != nil {
		return e
	}
	if len(t.known) >= t.max {
		return &t.others[p]
	}
	e := t.new(addr.String(), p)
	t.known[addr] = &e
	return &e
}

// lookup returns the entry of addr without making one: a sender that is turned away must
// not use up the room of those that are not.
func (t *exporters) lookup(addr netip.Addr) *exporter {
	if e := t.find(addr); e != nil {
		return e
	}
	return &t.others[0]
}

func (t *exporters) find(addr netip.Addr) *exporter {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.known[addr]
}

// came counts a datagram of n octets.
func (e *exporter) came(n int) {
	e.received.Inc()
	e.bytes.Add(float64(n))
}

// refuse counts a datagram that was not taken.
func (e *exporter) refuse(reason string) { e.refused.WithLabelValues(reason).Inc() }
