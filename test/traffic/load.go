// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// Protocol is what an exporter speaks.
type Protocol string

// Protocols.
const (
	NetFlow5 Protocol = "v5"
	NetFlow9 Protocol = "v9"
	IPFIX    Protocol = "ipfix"
	SFlow    Protocol = "sflow"
)

// Protocols returns all of them.
func Protocols() []Protocol { return []Protocol{NetFlow5, NetFlow9, IPFIX, SFlow} }

// LoadConfig says what a Load sends.
type LoadConfig struct {
	To netip.AddrPort
	// Protocols that the exporters speak, in turn.
	Protocols []Protocol
	// Exporters is how many there are. To a loopback address each sends from one of its own,
	// from 127.0.0.2 on. Elsewhere they share this machine's address, and only their domains,
	// and their agent addresses in sFlow, tell them apart.
	Exporters int
	// Rate is flows per second of all together, 0 for as many as possible.
	Rate float64
	// Count ends the load after exactly as many flows, 0 for never.
	Count uint64
	// Duration ends the load, 0 for never.
	Duration time.Duration
	// Seed makes the same flows again.
	Seed uint64
	// Sampling is the interval that the exporters tell, 1 or more.
	Sampling uint32
	// TemplateEvery is how often templates and sampling are sent again, after the start.
	TemplateEvery time.Duration
	// Day is the length of a day, in the course of which the rate changes; Rate is then that of the
	// busiest hour. 0: the rate is the same at all times.
	Day time.Duration
	// Scan and Flood are part of the flows, for a time.
	Scan, Flood Attack
	// Sources are the addresses that exporters send from, which this machine must have; none: see Exporters.
	Sources []netip.Addr
	// Deliver is given the datagrams, which are then not sent; they are valid during the call.
	Deliver func(exporter netip.Addr, datagram []byte) error
	// Faults that exporters have.
	Faults Faults
	// Remember keeps what Load.Datagram tells: about 80 octets a datagram.
	Remember bool
}

// DefaultLoadConfig returns a load of all protocols that goes on for ever.
func DefaultLoadConfig() LoadConfig {
	return LoadConfig{
		To: netip.MustParseAddrPort("127.0.0.1:2055"), Protocols: Protocols(),
		Exporters: 8, Rate: 10_000, Seed: 1, Sampling: 1000, TemplateEvery: 5 * time.Second,
	}
}

const (
	maxSampling  = 1<<14 - 1 // in 14 bits of NetFlow v5
	maxExporters = 1 << 16
)

func (c LoadConfig) validate() error {
	switch {
	case !c.To.IsValid():
		return errors.New("no address to send to")
	case len(c.Protocols) == 0:
		return errors.New("no protocol")
	case c.Exporters < len(c.Protocols) || c.Exporters > maxExporters:
		return fmt.Errorf("exporters: is %d, want %d (one for each protocol) to %d", c.Exporters, len(c.Protocols), maxExporters)
	case c.Sampling < 1 || c.Sampling > maxSampling:
		return fmt.Errorf("sampling: is %d, want 1 to %d", c.Sampling, maxSampling)
	case c.TemplateEvery <= 0 || c.Rate < 0:
		return errors.New("rate and template interval must not be negative, nor the latter zero")
	}
	for _, p := range c.Protocols {
		if !slices.Contains(Protocols(), p) {
			return fmt.Errorf("protocol %q: want one of %v", p, Protocols())
		}
	}
	if c.Day < 0 {
		return errors.New("day: must not be negative")
	}
	return errors.Join(c.validateSources(), c.Scan.validate(), c.Flood.validate(), c.Faults.validate())
}

func (c LoadConfig) validateSources() error {
	if len(c.Sources) > 0 && len(c.Sources) != c.Exporters {
		return fmt.Errorf("sources: are %d, want one for each of %d exporters", len(c.Sources), c.Exporters)
	}
	for _, source := range c.Sources {
		if source.Is4() != c.To.Addr().Unmap().Is4() {
			return fmt.Errorf("sources: %v can't send to %v", source, c.To.Addr())
		}
	}
	return nil
}

// Counts are sums over flows as exported: in sFlow each is a packet of its frame's length with
// FCS. Multiplied by the sampling interval they are the traffic.
type Counts struct {
	Datagrams uint64 `json:"datagrams"` // with at least one flow
	Flows     uint64 `json:"flows"`
	Bytes     uint64 `json:"bytes"`
	Packets   uint64 `json:"packets"`
}

// Add adds o.
func (c *Counts) Add(o Counts) {
	c.Datagrams += o.Datagrams
	c.Flows += o.Flows
	c.Bytes += o.Bytes
	c.Packets += o.Packets
}

// Sent is what one exporter has sent.
type Sent struct {
	Exporter netip.Addr `json:"exporter"`
	Protocol Protocol   `json:"protocol"`
	Counts
	// Of these, how many belong to attacks; those that a fault kept from being sent included.
	Scan   Counts  `json:"scan,omitzero"`
	Flood  Counts  `json:"flood,omitzero"`
	Faults Faulted `json:"faults,omitzero"`
}

// Load sends made-up flows at a rate. It is not safe for concurrent use.
type Load struct {
	cfg       LoadConfig
	exporters []*exporter
	turn      int // whose it is
	flows     uint64
}

// NewLoad builds the datagrams.
func NewLoad(cfg LoadConfig) (*Load, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	l := &Load{cfg: cfg}
	addr := netip.MustParseAddr("127.0.0.1")
	for i := range cfg.Exporters {
		if addr = addr.Next(); len(cfg.Sources) > 0 {
			addr = cfg.Sources[i]
		}
		e, err := newExporter(cfg, i, addr)
		if err != nil {
			l.Close()
			return nil, err
		}
		l.exporters = append(l.exporters, e)
	}
	return l, nil
}

// Close closes the sockets.
func (l *Load) Close() {
	for _, e := range l.exporters {
		e.out.close()
	}
}

// Sent returns what was sent so far, by exporter.
func (l *Load) Sent() []Sent {
	sent := make([]Sent, len(l.exporters))
	for i, e := range l.exporters {
		sent[i] = e.Sent
	}
	return sent
}

// Datagram returns what the datagram with a sequence number holds; ok is false when there was
// none that held flows, or Remember was not set.
func (l *Load) Datagram(exporter netip.Addr, sequence uint32) (_ Counts, ok bool) {
	for _, e := range l.exporters {
		if e.Exporter == exporter {
			c, ok := e.log[sequence]
			return c, ok
		}
	}
	return Counts{}, false
}

// pace is how often a Load looks whether something is due.
const pace = 2 * time.Millisecond

// Run sends until count or duration is reached or ctx ends, which is no error.
func (l *Load) Run(ctx context.Context) error {
	if l.cfg.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.cfg.Duration)
		defer cancel()
	}
	limit := uint64(1<<64 - 1)
	if l.cfg.Count > 0 {
		limit = l.flows + l.cfg.Count
	}
	tick := time.NewTicker(pace)
	defer tick.Stop()
	start, base, last := time.Now(), l.flows, time.Now()
	for l.flows < limit {
		now := time.Now()
		if err := l.send(now, min(limit, l.due(base, start, now.Sub(start), now.Sub(last))), limit); err != nil {
			return err
		}
		last = now
		if ctx.Err() != nil {
			return nil
		}
		if l.cfg.Rate == 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return nil
}

// due returns how many flows shall have been sent when the load has run for elapsed. What was
// missed is made up for at twice the rate, not in one burst.
func (l *Load) due(base uint64, start time.Time, elapsed, since time.Duration) uint64 {
	if l.cfg.Rate == 0 {
		return l.flows + 1000
	}
	due := base + uint64(flowsIn(l.cfg.Day, l.cfg.Rate, start, elapsed))
	return min(due, l.flows+uint64(2*l.cfg.Rate*max(since, pace).Seconds())+flows5)
}

// send sends whole datagrams up to due flows, exporter by exporter; only the last before limit
// is built to measure.
func (l *Load) send(now time.Time, due, limit uint64) error {
	for l.flows < due {
		e := l.exporters[l.turn]
		want := due - l.flows
		if uint64(e.full) > want && due < limit {
			return nil // not yet
		}
		n, err := e.send(now, want)
		if err != nil {
			return fmt.Errorf("send from %v: %w", e.Exporter, err)
		}
		l.flows += n
		l.turn = (l.turn + 1) % len(l.exporters)
	}
	return nil
}

// exporterRand gives each exporter numbers of its own.
func exporterRand(seed uint64, i int) uint32 {
	return rand.New(rand.NewPCG(seed, uint64(i))).Uint32() | 1
}
