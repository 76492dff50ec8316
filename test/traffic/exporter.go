// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"net/netip"
	"time"
)

const (
	// burst is how many datagrams an exporter sends at once.
	burst = 16
	// Datagrams that are built ahead, of all exporters and of each.
	builtTotal, builtMin, builtMax = 2048, burst, 256
	// running is how long an exporter has been up when the load begins.
	running = time.Hour
)

// exporter sends the datagrams of one made-up exporter.
type exporter struct {
	Sent
	domain   uint32 // observation domain, source id, engine id
	sampling uint32
	every    time.Duration // between templates

	network   *network
	build     func(e *exporter, n *network, flows int) datagram
	full      int        // flows of a full datagram
	built     []datagram // sent in turn
	next      int
	templates *datagram // nil where the protocol has none
	told      time.Time // when templates were sent

	stamp  stamp
	out    *sender
	faulty *faulty // nil: none
	source netip.Addr
	to     netip.AddrPort
	log    map[uint32]Counts // by sequence number; nil: not kept
}

func newExporter(cfg LoadConfig, i int, addr netip.Addr) (*exporter, error) {
	e := &exporter{
		Sent:     Sent{Exporter: addr, Protocol: cfg.Protocols[i%len(cfg.Protocols)]},
		domain:   uint32(i + 1),
		sampling: cfg.Sampling,
		every:    cfg.TemplateEvery,
		network:  newNetwork(cfg.Seed*maxExporters + uint64(i)),
		stamp:    stamp{booted: time.Now().Add(-running), interval: cfg.Sampling, random: exporterRand(cfg.Seed, i)},
	}
	switch e.Protocol {
	case NetFlow5:
		e.build, e.full = netflow5, flows5
	case NetFlow9:
		e.template(9, flows9)
	case IPFIX:
		e.template(10, flows10)
	case SFlow:
		e.build, e.full = sflow, samples5
	}
	if cfg.Remember {
		e.log = map[uint32]Counts{}
	}
	for range min(max(builtTotal/cfg.Exporters, builtMin), builtMax) {
		e.built = append(e.built, e.build(e, e.network, e.full))
	}
	if cfg.To.Addr().IsLoopback() && cfg.To.Addr().Is4() {
		e.source = addr
	}
	e.to, e.faulty = cfg.To, newFaulty(cfg, i)
	var err error
	e.out, err = newSender(e.source, e.to)
	return e, err
}

func (e *exporter) template(version uint16, full int) {
	e.build, e.full = messageOf(version), full
	t := templatesOf(version, e)
	e.templates = &t
}

// send sends up to burst datagrams with at most as many flows, and returns how many it sent.
func (e *exporter) send(now time.Time, flows uint64) (uint64, error) {
	e.stamp.now = now
	if e.faulty != nil {
		if err := e.faulty.begin(e, now, e.source, e.to); err != nil {
			return 0, err
		}
	}
	if e.templates != nil && now.Sub(e.told) >= e.every {
		e.stamp.write(e.templates)
		e.out.add(e.templates.data)
		e.told = now
	}
	var sum uint64
	for range burst {
		d := &e.built[e.next]
		if left := flows - sum; uint64(e.full) > left {
			if sum > 0 || left == 0 {
				break
			}
			last := e.build(e, e.network, int(left))
			d = &last
		} else {
			e.next = (e.next + 1) % len(e.built)
		}
		counts := d.Counts
		counts.Datagrams = 1
		if e.log != nil {
			e.log[e.stamp.sequence] = counts
		}
		e.stamp.write(d)
		sum += d.Flows
		if e.faulty != nil {
			e.faulty.add(e, d, counts)
			continue
		}
		e.out.add(d.data)
		e.Add(counts)
	}
	if e.faulty != nil {
		e.faulty.release(e)
	}
	return sum, e.out.flush()
}
