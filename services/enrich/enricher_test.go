// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/weirflow/weir/flow"
)

func TestEnrich(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	asns, more, countries, flat := filepath.Join(dir, "asn"), filepath.Join(dir, "more"), filepath.Join(dir, "country"), filepath.Join(dir, "flat")
	writeDatabase(t, asns, "GeoLite2-ASN", map[string]mmdbtype.Map{"192.0.2.0/24": asn(64496), "2001:db8::/32": asn(65551)})
	writeDatabase(t, more, "GeoLite2-ASN", map[string]mmdbtype.Map{"192.0.0.0/16": asn(64497), "198.51.100.0/24": asn(64498)})
	writeDatabase(t, countries, "GeoLite2-Country", map[string]mmdbtype.Map{"192.0.2.0/24": countryOf("CH"), "2001:db8::/32": countryOf("SE")})
	writeDatabase(t, flat, "ipinfo lite", map[string]mmdbtype.Map{
		"192.0.2.0/24":    {"asn": mmdbtype.String("AS64499"), "country": mmdbtype.String("Norway"), "country_code": mmdbtype.String("NO")},
		"198.51.100.0/24": {"asn": mmdbtype.String(""), "country": mmdbtype.String("FI"), "country_name": mmdbtype.String("Finland")},
	})
	absent := filepath.Join(dir, "absent")
	const asUnknown, countryUnknown = flow.ASUnknown, flow.CountryUnknown

	tests := []struct {
		name            string
		asns, countries []string
		in              testFlow
		want            enriched
	}{
		{
			"without databases the exporter's AS is the origin, a private one too", nil, nil,
			testFlow{"192.0.2.1", "192.0.2.2", 64512, 3303, 0},
			enriched{64512, 3303, "", "", 0},
		},
		{
			"the exporter knows better than the database",
			[]string{asns},
			nil,
			testFlow{"192.0.2.1", "2001:db8::1", 3303, 3301, 0},
			enriched{3303, 3301, "", "", 0},
		},
		{
			"what the exporter does not know comes from the database",
			[]string{asns},
			nil,
			testFlow{"192.0.2.1", "2001:db8::1", 0, 0, 0},
			enriched{64496, 65551, "", "", 0},
		},
		{
			"a private AS gives way to the database's",
			[]string{asns},
			nil,
			testFlow{"192.0.2.1", "2001:db8::1", 64512, 4200000000, 0},
			enriched{64496, 65551, "", "", 0},
		},
		{
			"a private AS stands where the database knows none",
			[]string{asns},
			nil,
			testFlow{"10.0.0.1", "10.0.0.2", 65534, 4294967294, 0},
			enriched{65534, 4294967294, "", "", 0},
		},
		{
			"the numbers beside the private ones are public",
			[]string{asns},
			nil,
			testFlow{"192.0.2.1", "192.0.2.2", 64511, 4199999999, 0},
			enriched{64511, 4199999999, "", "", 0},
		},
		{
			"AS_TRANS names no AS",
			[]string{asns},
			nil,
			testFlow{"192.0.2.1", "10.0.0.1", 23456, 23456, 0},
			enriched{64496, 23456, "", "", 0},
		},
		{
			"quality says that nobody knows the AS, beside what it said before",
			[]string{asns},
			nil,
			testFlow{"192.0.2.1", "10.0.0.1", 0, 0, flow.SamplingUnknown},
			enriched{64496, 0, "", "", flow.SamplingUnknown | asUnknown},
		},
		{
			"the first database that knows an address is taken",
			[]string{more, asns},
			nil,
			testFlow{"192.0.2.1", "2001:db8::1", 0, 0, 0},
			enriched{64497, 65551, "", "", 0},
		},
		{
			"countries", nil,
			[]string{countries},
			testFlow{"192.0.2.1", "2001:db8::1", 7, 0, 0},
			enriched{7, 0, "CH", "SE", 0},
		},
		{
			"quality says that a country is unknown", nil,
			[]string{countries},
			testFlow{"10.0.0.1", "2001:db8::1", 0, 0, 0},
			enriched{0, 0, "", "SE", countryUnknown},
		},
		{
			"a flow without addresses is not called unknown",
			[]string{asns},
			[]string{countries},
			testFlow{"", "", 0, 0, 0},
			enriched{},
		},
		{
			"IPinfo's layout",
			[]string{flat},
			[]string{flat},
			testFlow{"192.0.2.1", "198.51.100.1", 0, 0, 0},
			enriched{64499, 0, "NO", "FI", asUnknown},
		},
		{
			"an absent database knows nothing",
			[]string{absent},
			[]string{absent, countries},
			testFlow{"192.0.2.1", "192.0.2.1", 0, 1, 0},
			enriched{0, 1, "CH", "CH", asUnknown},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := newEnricher(newTestLibrary(t, tt.asns, tt.countries), nil)
			var out flow.Batch
			e.enrich(batchOf(tt.in), &out)
			e.enrich(batchOf(tt.in), &out) // from the cache
			if diff := cmp.Diff([]enriched{tt.want, tt.want}, rowsOf(&out)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestJoinedMessagesKeepTheirRows(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	writeDatabase(t, path, "GeoLite2-Country", map[string]mmdbtype.Map{"192.0.2.0/25": countryOf("CH"), "192.0.2.128/25": countryOf("IT")})
	e := newEnricher(newTestLibrary(t, nil, []string{path}), nil)

	in, out, got := new(flow.Batch), flow.Batch{}, new(flow.Batch)
	var want []enriched
	for n := range 3 {
		overTheWire(t, in, batchOf(
			testFlow{src: fmt.Sprint("192.0.2.", n), dst: "192.0.2.200", srcAS: uint64(n)},
			testFlow{src: "10.0.0.1", dst: fmt.Sprint("192.0.2.", 200+n), dstAS: 7, quality: flow.TimeSkewed},
		))
		e.enrich(in, &out)
		want = append(want, enriched{uint64(n), 0, "CH", "IT", 0}, enriched{0, 7, "", "IT", flow.TimeSkewed | flow.CountryUnknown})
	}
	overTheWire(t, got, &out)
	if diff := cmp.Diff(want, rowsOf(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRowsOfTwoGenerationsMayBeInOneMessage: what was written before the databases changed stays.
func TestRowsOfTwoGenerationsMayBeInOneMessage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	writeDatabase(t, path, "GeoLite2-Country", map[string]mmdbtype.Map{"192.0.2.0/25": countryOf("CH"), "192.0.2.128/25": countryOf("IT")})
	l := newTestLibrary(t, nil, []string{path})
	e := newEnricher(l, nil)
	in, out, got := new(flow.Batch), flow.Batch{}, new(flow.Batch)
	flows := batchOf(testFlow{src: "192.0.2.1", dst: "192.0.2.200"}, testFlow{src: "192.0.2.201", dst: "192.0.2.2"})
	for range 2 {
		overTheWire(t, in, flows)
		e.enrich(in, &out)
		writeDatabase(t, path, "GeoLite2-Country", map[string]mmdbtype.Map{"192.0.2.0/24": countryOf("SE"), "198.51.100.0/24": countryOf("CH")})
		l.refresh()
	}
	overTheWire(t, got, &out)
	want := []enriched{
		{SrcCountry: "CH", DstCountry: "IT"},
		{SrcCountry: "IT", DstCountry: "CH"},
		{SrcCountry: "SE", DstCountry: "SE"},
		{SrcCountry: "SE", DstCountry: "SE"},
	}
	if diff := cmp.Diff(want, rowsOf(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCacheNeverConfusesAddresses(t *testing.T) {
	t.Parallel()
	c := newCache(100)
	if got := len(set{}) * len(c.sets); got != 128 {
		t.Errorf("%d entries, want 128", got)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 100_000 {
		n := rnd.Uint32N(300)
		a := netip.AddrFrom4([4]byte{10, byte(n >> 8), byte(n), 1}).As16()
		k := addressKey(&a, uint16(n%3))
		e, ok := c.find(c.setOf(&k), k)
		if !ok {
			e.net = n
			continue
		}
		found++
		if e.net != n {
			t.Fatalf("the place of %d is that of %d", n, e.net)
		}
	}
	if found < 20_000 {
		t.Errorf("only %d of 100000 found with 128 entries for 300 addresses", found)
	}
}

func TestNoAllocationPerFlow(t *testing.T) {
	const rows = 4000
	path := filepath.Join(t.TempDir(), "db")
	writeDatabase(t, path, "GeoLite2-ASN", map[string]mmdbtype.Map{"0.0.0.0/0": asn(64496)})
	e := newEnricher(newTestLibrary(t, []string{path}, []string{path}), nil)
	in, out, b := new(flow.Batch), new(flow.Batch), randomBatch(1, rows, 500)
	got := testing.AllocsPerRun(20, func() {
		overTheWire(t, in, b)
		out.Reset()
		e.enrich(in, out)
	})
	if got > rows/20 {
		t.Errorf("%v allocations for a batch of %d flows", got, rows)
	}
}
