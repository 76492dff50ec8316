// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
	"github.com/weirflow/weir/flow"
)

// writeGeneration writes a database that says the same of all addresses.
func writeGeneration(t *testing.T, path string, n uint32) {
	t.Helper()
	record := countryOf(country(n).String())
	maps.Copy(record, asn(n))
	writeDatabase(t, path, "both", map[string]mmdbtype.Map{"0.0.0.0/0": record})
}

// generations counts flows in ENRICHED, and those whose columns are of different generations.
type generations struct {
	mu           sync.Mutex
	flows, mixed int
	again        int // flows that came twice or out of order
	next, last   [partitions]uint64
}

func (g *generations) see(b *flow.Batch) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range b.Rows() {
		as, p := b.Number(flow.SrcOriginAS, i), b.Number(flow.ObservationDomainID, i)
		g.flows++
		if b.Number(flow.DstOriginAS, i) != as || b.Text(flow.SrcASName, i) != fmt.Sprint("Organisation ", as) ||
			b.Text(flow.DstCountry, i) != country(as).String() || as < g.last[p] {
			g.mixed++
		}
		g.last[p] = as
		if b.Number(flow.SequenceNum, i) != g.next[p] {
			g.again++
		}
		g.next[p] = b.Number(flow.SequenceNum, i) + 1
	}
}

// latest is the generation that the flows of all partitions have reached.
func (g *generations) latest() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Min(g.last[:])
}

func TestDatabaseIsSwappedUnderLoad(t *testing.T) {
	t.Parallel()
	swaps, every := 50, 600*time.Millisecond
	if testing.Short() {
		swaps = 3
	}
	s := bustest.New(t)
	path := filepath.Join(t.TempDir(), "db")
	writeGeneration(t, path, 1)
	cfg := DefaultConfig()
	cfg.ASNDatabases, cfg.CountryDatabases, cfg.PollInterval = []string{path}, []string{path}, 100*time.Millisecond
	var seen generations
	readEnriched(t, s, seen.see)
	input := publish(t, s)
	runService(t, s, cfg)

	sent, began := 0, time.Now()
	last := uint64(swaps + 1)
	for swap := 1; swap <= swaps || (seen.latest() < last && time.Since(began) < 2*time.Minute); {
		if swap <= swaps && time.Since(began) > time.Duration(swap)*every {
			swap++
			writeGeneration(t, path, uint32(swap))
		}
		sent += sendLoad(t, input, sent)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		seen.mu.Lock()
		got, mixed, again := seen.flows, seen.mixed, seen.again
		seen.mu.Unlock()
		if got >= sent || time.Now().After(deadline) {
			if got != sent || mixed != 0 || again != 0 || seen.latest() != last {
				t.Errorf("%d of %d flows, %d mixed, %d lost or twice, generation %d of %d", got, sent, mixed, again, seen.latest(), last)
			}
			t.Logf("%d flows in %v, %d swaps", sent, time.Since(began), swaps)
			return
		}
		<-time.After(time.Millisecond)
	}
}

// sendLoad sends a batch of flows to each partition, and returns how many it has sent. The bus
// takes no more than what it can store.
func sendLoad(t *testing.T, input *bus.Publisher, sent int) int {
	t.Helper()
	const rows = 500
	for p := range partitions {
		b := randomBatch(uint64(sent), rows, 1000)
		b.Clear(flow.SequenceNum)
		b.Clear(flow.SrcAS)
		b.Clear(flow.DstAS)
		for i := range rows {
			b.PutNumber(flow.SequenceNum, i, uint64(sent/partitions+i))
			b.PutNumber(flow.ObservationDomainID, i, uint64(p))
		}
		deadline := time.Now().Add(30 * time.Second)
		for err := input.Publish(p, b, func() {}); err != nil; err = input.Publish(p, b, func() {}) {
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
			<-time.After(time.Millisecond)
		}
	}
	return rows * partitions
}

func TestFilesThatAreNotValidLeaveTheOldOnesInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	networks, exporters := filepath.Join(dir, "networks.csv"), filepath.Join(dir, "exporters.yaml")
	write(t, networks, "cidr,name\n10.0.0.0/8,first\n")
	write(t, exporters, "- {cidr: 192.0.2.1/32, name: first}\n")
	cfg := DefaultConfig()
	cfg.NetworkFiles, cfg.ExporterFiles = []string{networks}, []string{exporters}
	service, err := New(cfg, nil, slog.New(slog.NewTextHandler(t.Output(), nil)), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	l := service.library
	e := newEnricher(l, nil)
	check := func(name string, problems ...string) {
		t.Helper()
		l.refresh()
		var out flow.Batch
		given, _ := exampleFlow(t, "given src_addr 10.1.1.1\ngiven sampler_address 192.0.2.1\n")
		e.enrich(given, &out)
		if got := out.Text(flow.SrcNetName, 0) + out.Text(flow.ExporterName, 0); got != name+name {
			t.Errorf("names are %q, want twice %s", got, name)
		}
		detail := service.Detail()
		for _, p := range problems {
			if !strings.Contains(detail, p) {
				t.Errorf("detail is %q, without %q", detail, p)
			}
		}
		if len(problems) == 0 && detail != "" {
			t.Errorf("detail is %q", detail)
		}
	}
	check("first")
	write(t, networks, "cidr,name,colour\n10.0.0.0/8,second,blue\n")
	write(t, exporters, "- {cidr: 192.0.2.1/32, title: second}\n")
	check("first", "networks.csv: old one in use: line 2: colour: unknown column", "exporters.yaml: old one in use: ", "title")
	write(t, networks, "cidr,name\n10.0.0.0/33,second\n")
	write(t, exporters, "- {cidr: 192.0.2.1/32, name: second, interfaces: [{index: 1, boundary: outside}]}\n")
	check("first", "line 2: cidr: ", `exporters[0].interfaces[0].boundary: is "outside"`)
	if got := testutil.ToFloat64(l.m.loadErrors.WithLabelValues(networks)); got != 2 {
		t.Errorf("%v load errors counted, want 2", got)
	}
	write(t, networks, "cidr,name\n10.0.0.0/8,third\n")
	write(t, exporters, "exporters:\n- {cidr: 192.0.2.1/32, name: third}\n")
	check("third")
}
