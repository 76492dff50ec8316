// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/gaissmai/bart"

	"github.com/weirflow/weir/services/enrich/internal/snmp"
)

// snmpConfig says which exporters are asked for their names, and how.
type snmpConfig struct {
	Targets  []snmpTarget  `yaml:"targets" usage:"exporters to ask: cidr, version, community or username and so on; empty is none"`
	Interval time.Duration `yaml:"interval" usage:"time between two looks at an exporter"`
	Timeout  time.Duration `yaml:"timeout" usage:"time to wait for an answer"`
	Retries  int           `yaml:"retries" usage:"how often a question is repeated"`
	Parallel int           `yaml:"parallel" usage:"exporters that are asked at once"`
}

// snmpTarget is how the exporters in some prefixes are asked. The most specific prefix counts.
type snmpTarget struct {
	CIDR         prefixList `yaml:"cidr"`
	Port         uint16     `yaml:"port"`
	Version      string     `yaml:"version"`
	Community    string     `yaml:"community" secret:"true"`
	Username     string     `yaml:"username"`
	AuthProtocol string     `yaml:"auth_protocol"`
	AuthPassword string     `yaml:"auth_password" secret:"true"`
	PrivProtocol string     `yaml:"priv_protocol"`
	PrivPassword string     `yaml:"priv_password" secret:"true"`
}

func (c *snmpConfig) validate() error {
	var errs []error
	for i := range c.Targets {
		if len(c.Targets[i].CIDR) == 0 {
			errs = append(errs, fmt.Errorf("snmp.targets[%d].cidr: is missing", i))
		}
		if err := c.access(i).Validate(); err != nil {
			errs = append(errs, fmt.Errorf("snmp.targets[%d].%w", i, err))
		}
	}
	if c.Interval < time.Second {
		errs = append(errs, fmt.Errorf("snmp.interval: %v is less than 1s", c.Interval))
	}
	if c.Timeout < time.Millisecond {
		errs = append(errs, fmt.Errorf("snmp.timeout: %v is less than 1ms", c.Timeout))
	}
	if c.Retries < 0 || c.Parallel < 1 {
		errs = append(errs, errors.New("snmp.retries: want at least 0, and snmp.parallel at least 1"))
	}
	return errors.Join(errs...)
}

func (c *snmpConfig) access(i int) snmp.Access {
	t := &c.Targets[i]
	a := snmp.Access{
		Port: t.Port, Version: t.Version, Community: t.Community, Username: t.Username,
		AuthProtocol: t.AuthProtocol, AuthPassword: t.AuthPassword,
		PrivProtocol: t.PrivProtocol, PrivPassword: t.PrivPassword,
		Timeout: c.Timeout, Retries: c.Retries,
	}
	if a.Port == 0 {
		a.Port = 161
	}
	if a.Version == "" {
		a.Version = "2c"
	}
	return a
}

// poller asks exporters by SNMP, beside the flows.
//
//	enricher ──want──▶ poller ──Ask──▶ exporter
//	   ▲                 └──▶ devices, and store for whoever opens the partition next
//	   └──── version ───────────┘
type poller struct {
	cfg     snmpConfig
	access  bart.Table[snmp.Access]
	devices *devices
	store   func(ctx context.Context, partition int, key string, value []byte) error
	log     *slog.Logger
	m       *metrics

	mu      sync.Mutex
	targets map[[16]byte]*target
}

// target is an exporter that is asked.
type target struct {
	partition int
	wanted    time.Time // when flows of it were last seen
	due       time.Time
	failing   bool
}

func newPoller(l *library, store func(context.Context, int, string, []byte) error) *poller {
	p := &poller{
		cfg: l.cfg.SNMP, devices: l.devices, store: store, log: l.log, m: l.m,
		targets: map[[16]byte]*target{},
	}
	for i, t := range p.cfg.Targets {
		for _, prefix := range t.CIDR {
			p.access.Insert(unmapPrefix(prefix).Masked(), p.cfg.access(i))
		}
	}
	return p
}

// want has an exporter of a partition asked, if it is one of the configured. It is called for an
// exporter again when the devices have another version.
func (p *poller) want(partition int, exporter [16]byte) {
	if !p.access.Contains(netip.AddrFrom16(exporter).Unmap()) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.targets[exporter]
	if t == nil {
		t = &target{}
		p.targets[exporter] = t
	}
	t.partition, t.wanted = partition, time.Now()
}

// kept is what store gets: what an exporter told, and when.
type kept struct {
	Asked  time.Time    `json:"asked"`
	Device *snmp.Device `json:"device"`
}

// restore takes over what store got, from this process or another.
func (p *poller) restore(partition int, key string, value []byte) error {
	var exporter [16]byte
	n, err := hex.Decode(exporter[:], []byte(key))
	if err != nil || n != len(exporter) {
		return fmt.Errorf("read key %s: no address", key)
	}
	var k kept
	if err := json.Unmarshal(value, &k); err != nil {
		return fmt.Errorf("read value of %s: %w", key, err)
	}
	p.devices.put(exporter, k.Device)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.targets[exporter] = &target{partition: partition, wanted: time.Now(), due: k.Asked.Add(p.cfg.Interval)}
	return nil
}

// run asks until ctx ends.
func (p *poller) run(ctx context.Context) {
	var asking sync.WaitGroup
	defer asking.Wait()
	free := make(chan struct{}, p.cfg.Parallel)
	tick := time.NewTicker(min(time.Second, p.cfg.Interval/4))
	defer tick.Stop()
	refresh := time.NewTicker(p.cfg.Interval)
	defer refresh.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-refresh.C:
			p.devices.version.Add(1) // those that are still seen are wanted again
		case <-tick.C:
			for _, exporter := range p.due() {
				select {
				case free <- struct{}{}:
				case <-ctx.Done():
					return
				}
				asking.Go(func() {
					p.ask(ctx, exporter)
					<-free
				})
			}
		}
	}
}

// due returns the exporters that it is time to ask, and forgets those that no flow came from.
func (p *poller) due() [][16]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	var list [][16]byte
	for exporter, t := range p.targets {
		switch {
		case now.Sub(t.wanted) > 3*p.cfg.Interval:
			delete(p.targets, exporter)
		case !t.due.After(now):
			t.due = now.Add(p.cfg.Interval)
			list = append(list, exporter)
		}
	}
	return list
}

// ask asks one exporter. One that does not answer keeps what it told before.
func (p *poller) ask(ctx context.Context, exporter [16]byte) {
	addr := netip.AddrFrom16(exporter).Unmap()
	access, _ := p.access.Lookup(addr)
	device, err := snmp.Ask(ctx, addr, access)
	if ctx.Err() != nil {
		return
	}
	p.mu.Lock()
	t := p.targets[exporter]
	news := t != nil && t.failing != (err != nil)
	if t == nil {
		t = &target{}
	}
	t.failing = err != nil
	partition := t.partition
	p.mu.Unlock()
	if err != nil {
		p.m.snmpErrors.Inc()
		if news {
			p.log.Warn("exporter does not answer SNMP", "exporter", addr, "error", err)
		}
		return
	}
	p.m.snmpAnswers.Inc()
	p.devices.put(exporter, device)
	value, err := json.Marshal(kept{time.Now(), device})
	if err == nil {
		err = p.store(ctx, partition, hex.EncodeToString(exporter[:]), value)
	}
	if err != nil && ctx.Err() == nil {
		p.log.Warn("names of an exporter not stored", "exporter", addr, "error", err)
	}
}
