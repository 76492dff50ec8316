// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"context"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/enrich/internal/rule"
)

const partitions = 2

// collected is the origin AS of each flow in ENRICHED, by sequence number.
type collected struct {
	mu sync.Mutex
	as map[uint64][]uint64
}

func (c *collected) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.as)
}

func (c *collected) of(n uint64) []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.as[n])
}

// collect reads ENRICHED until the test ends.
func collect(t *testing.T, s *bustest.Server) *collected {
	t.Helper()
	c := &collected{as: map[uint64][]uint64{}}
	readEnriched(t, s, func(b *flow.Batch) {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i := range b.Rows() {
			n := b.Number(flow.SequenceNum, i)
			c.as[n] = append(c.as[n], b.Number(flow.SrcOriginAS, i))
		}
	})
	return c
}

// readEnriched calls see with what comes in ENRICHED, until the test ends. Its other reader covers
// it as well, so that it is truncated.
func readEnriched(t *testing.T, s *bustest.Server, see func(*flow.Batch)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	insert, aggregate := s.Connect(bus.Insert, s.Config(partitions)), s.Connect(bus.Aggregate, s.Config(partitions))
	run := func(read func() error) {
		readers.Go(func() {
			if err := read(); err != nil {
				t.Errorf("read enriched flows: %v", err)
			}
		})
	}
	run(func() error {
		return bus.Sink(ctx, insert, bus.Enriched, bus.SinkConfig{MaxRows: 20_000, MaxWait: 50 * time.Millisecond},
			func(_ context.Context, _ string, batch []*flow.Batch) error {
				for _, b := range batch {
					see(b)
				}
				return nil
			})
	})
	run(func() error {
		return bus.Process(ctx, aggregate, bus.Enriched, bus.Rollups,
			func(context.Context, int) (bus.Handler[flow.Batch, flow.Batch], error) { return swallow{}, nil })
	})
	t.Cleanup(func() {
		cancel()
		readers.Wait()
	})
}

// swallow makes nothing of flows.
type swallow struct{}

func (swallow) Handle(context.Context, *flow.Batch, *flow.Batch) error { return nil }

func TestFlowsGoThroughOnceWhileDatabasesChange(t *testing.T) {
	t.Parallel()
	s := bustest.New(t)
	path := filepath.Join(t.TempDir(), "asn.mmdb")
	cfg := DefaultConfig()
	cfg.ASNDatabases, cfg.PollInterval = []string{path}, 100*time.Millisecond
	got := collect(t, s)
	runService(t, s, cfg)
	input := publish(t, s)

	deadline := time.Now().Add(30 * time.Second)
	n, seen := uint64(0), uint64(99)
	for want := range uint64(4) { // at first the file is not there: AS 0
		if want > 0 {
			writeDatabase(t, path, "GeoLite2-ASN", map[string]mmdbtype.Map{"192.0.2.0/24": asn(uint32(want))})
		}
		for seen != want {
			send(t, input, n)
			for got.len() <= int(n) {
				if time.Now().After(deadline) {
					t.Fatalf("after AS %d: %d of %d flows came out", seen, got.len(), n+1)
				}
				<-time.After(time.Millisecond)
			}
			as := got.of(n)
			if len(as) != 1 || (as[0] != want && as[0] != seen) {
				t.Fatalf("flow %d came out with AS %v, after AS %d", n, as, seen)
			}
			seen = as[0]
			n++
		}
	}
}

// publish returns a publisher to FLOWS that runs until the test ends.
func publish(t *testing.T, s *bustest.Server) *bus.Publisher {
	t.Helper()
	p := s.Connect(bus.Decode, s.Config(partitions)).NewPublisher(bus.Flows, 1<<20)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := p.Run(ctx); err != nil {
			t.Errorf("publish: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return p
}

// send puts a flow of 192.0.2.1 into FLOWS.
func send(t *testing.T, p *bus.Publisher, n uint64) {
	t.Helper()
	var r flow.Record
	r.SetNumber(flow.SequenceNum, n)
	r.SetAddress(flow.SrcAddr, [16]byte{10: 0xff, 0xff, 192, 0, 2, 1})
	var b flow.Batch
	b.Append(&r)
	if err := p.Publish(int(n%partitions), &b, func() {}); err != nil {
		t.Fatal(err)
	}
}

func TestNewRefusesAWrongConfiguration(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.ASNDatabases, cfg.CountryDatabases = []string{"a", ""}, []string{""}
	cfg.ASNSources = []string{"flow", "whois"}
	cfg.Networks = []networkConfig{{Name: "a"}, {CIDR: prefixList{netip.MustParsePrefix("10.0.0.0/8")}, Country: "Sweden"}}
	cfg.Rules = []rule.Rule{{On: "exporter", If: "exporter.title == \"a\"", Set: map[string]string{"role": "b"}}}
	cfg.SNMP.Targets = []snmpTarget{{CIDR: prefixList{netip.MustParsePrefix("10.0.0.0/8")}}}
	cfg.Privacy.Hide = []hideConfig{{Tenant: "a", Mode: "encrypt"}}
	cfg.Duplicates.Policies = []string{"some"}
	cfg.PollInterval, cfg.CacheEntries = 0, 0
	_, err := New(cfg, nil, nil, prometheus.NewRegistry())
	const want = `configure enrich: asn_databases: a path is empty
country_databases: a path is empty
asn_sources: "whois" is none of [flow flow-except-private networks database]
networks[0].cidr: is missing
networks[1].country: is "Sweden", want two capital letters
rules[0].if: line 1, column 10: unknown field title
snmp.targets[0].community: is missing
duplicates.policies: "some" is none of boundary, direction, content
privacy.key_file: is missing, and needed to encrypt
poll_interval: 0s is less than 100ms
cache_entries: 0 is not between 1 and 16777216`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}
