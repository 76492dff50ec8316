// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
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

// series is a kind of traffic, whose datagrams are sent in turn.
type series struct {
	maker maker
	built []datagram
	next  int
}

func (e *exporter) series(m maker, datagrams int) series {
	s := series{maker: m}
	for range datagrams {
		s.built = append(s.built, e.build(e, m, e.full))
	}
	// Neighbours of the same length are sent as one message.
	slices.SortStableFunc(s.built, func(a, b datagram) int { return cmp.Compare(len(a.data), len(b.data)) })
	return s
}

// take returns a datagram of as many flows as are left, or of a full one's.
func (s *series) take(e *exporter, left uint64) *datagram {
	if uint64(e.full) > left {
		last := e.build(e, s.maker, int(left))
		return &last
	}
	d := &s.built[s.next]
	s.next = (s.next + 1) % len(s.built)
	return d
}

// attacked is an attack as it shows in what an exporter sends.
type attacked struct {
	Attack
	series
	sent *Counts
	due  float64 // datagrams
}

// exporter sends the datagrams of one made-up exporter.
type exporter struct {
	Sent
	domain   uint32 // observation domain, source id, engine id
	sampling uint32
	every    time.Duration // between templates

	rnd       *rand.Rand
	build     func(e *exporter, m maker, flows int) datagram
	full      int // flows of a full datagram
	normal    series
	attacks   []*attacked
	templates *datagram // nil where the protocol has none
	told      time.Time // when templates were sent
	began     time.Time // of sending

	stamp  stamp
	out    output
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
		rnd:      rand.New(rand.NewPCG(cfg.Seed*maxExporters+uint64(i), 3)),
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
	datagrams := min(max(builtTotal/cfg.Exporters, builtMin), builtMax)
	e.normal = e.series(newNetwork(cfg.Seed*maxExporters+uint64(i)), datagrams)
	e.attack(cfg.Scan, newScan, &e.Scan, datagrams)
	e.attack(cfg.Flood, newFlood, &e.Flood, datagrams)
	if len(cfg.Sources) > 0 || cfg.To.Addr().IsLoopback() && cfg.To.Addr().Is4() {
		e.source = addr
	}
	e.to, e.faulty = cfg.To, newFaulty(cfg, i)
	return e, e.open(cfg.Deliver)
}

// open makes the way out: a socket of its own.
func (e *exporter) open(deliver func(netip.Addr, []byte) error) (err error) {
	if deliver != nil {
		e.out = &delivery{exporter: e.Exporter, deliver: deliver}
		return nil
	}
	e.out, err = newSender(e.source, e.to)
	return err
}

func (e *exporter) template(version uint16, full int) {
	e.build, e.full = messageOf(version), full
	t := templatesOf(version, e)
	e.templates = &t
}

func (e *exporter) attack(a Attack, newMaker func(*rand.Rand, Attack) maker, sent *Counts, datagrams int) {
	if a.Share > 0 {
		e.attacks = append(e.attacks, &attacked{Attack: a, series: e.series(newMaker(e.rnd, a), datagrams), sent: sent})
	}
}

// next returns the datagram to send and, of an attack, the counts that it adds to.
func (e *exporter) next(elapsed time.Duration, left uint64) (*datagram, *Counts) {
	for _, a := range e.attacks {
		if !a.active(elapsed) {
			continue
		}
		if a.due += a.Share; a.due >= 1 {
			a.due--
			return a.take(e, left), a.sent
		}
	}
	return e.normal.take(e, left), nil
}

// send sends up to burst datagrams with at most as many flows, and returns how many it sent.
func (e *exporter) send(now time.Time, flows uint64) (uint64, error) {
	e.stamp.now = now
	if e.began.IsZero() {
		e.began = now
	}
	if e.faulty != nil {
		if err := e.faulty.begin(e, now); err != nil {
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
		left := flows - sum
		if left == 0 || sum > 0 && uint64(e.full) > left {
			break
		}
		d, attack := e.next(now.Sub(e.began), left)
		counts := d.Counts
		counts.Datagrams = 1
		if e.log != nil {
			e.log[e.stamp.sequence] = counts
		}
		if attack != nil {
			attack.Add(counts)
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
